import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@Suite("Twin: a fault")
struct TwinFaultTests {
    let table = TwinTable()
    let name = TwinTable.name

    private func write(_ keys: ClosedRange<Int64>, to cluster: MilvusCluster) async throws
        -> WriteOutcome
    {
        await cluster.write(
            try table.batch(keys.map { .int64($0) }), to: .init(collection: name, partition: nil),
            mode: .insert)
    }

    @Test("that refuses leaves nothing behind, and only in the calls it is meant for")
    func refuses() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.behave(.fault(.refuse(code: 8, reason: "rate limit"), of: "Insert", calls: 2...2))
            _ = try await table.write([.int64(1)], to: cluster)
            let outcome = try await write(2...2, to: cluster)
            guard case .refused(let error) = outcome else {
                throw TwinTable.NotAcknowledged(outcome: outcome)
            }
            #expect(error.code == .clusterRateLimited)
            _ = try await table.write([.int64(3)], to: cluster)
            #expect(twin.calls(of: "Insert") == 3)
            #expect(try await cluster.count(table.rows()) == 2)
            twin.behave(.fault(.refuse(code: 65535, reason: "no"), of: "RenameCollection"))
            let refusal = await #expect(throws: StopoverError.self) {
                try await cluster.rename(name, to: .init(collection: "b"))
            }
            #expect(refusal?.code == .requestRefused)
            #expect(try await cluster.describe(name) != nil)
        }
    }

    @Test("of gRPC is in doubt for a write, whether or not the rows were taken")
    func fails() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.behave(.fault(.fail(.unavailable), of: "Insert"))
            var outcome = try await write(1...5, to: cluster)
            guard case .inDoubt = outcome else { throw TwinTable.NotAcknowledged(outcome: outcome) }
            #expect(try await cluster.count(table.rows()) == 0)
            twin.behave(.fault(.applyThenFail(.deadlineExceeded), of: "Insert"))
            outcome = try await write(1...5, to: cluster)
            guard case .inDoubt = outcome else { throw TwinTable.NotAcknowledged(outcome: outcome) }
            #expect(try await cluster.count(table.rows()) == 5)
            twin.behave(
                .init([
                    .init("GetVersion", .always, .fail(.unimplemented)),
                    .init("Connect", .always, .fail(.unimplemented)),
                ]))
            #expect(try await cluster.identity().kind == .unknown)
        }
    }

    @Test("that delays lets a rename overtake the write, which then meets the fence")
    func delays() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.behave(.fault(.delay(.seconds(3)), of: "Insert"))
            async let late = write(1...2, to: cluster)
            while twin.calls(of: "Insert") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            try await cluster.rename(name, to: .init(collection: "renamed"))
            let outcome = try await late
            guard case .fenced = outcome else { throw TwinTable.NotAcknowledged(outcome: outcome) }
        }
    }

    @Test("that cuts pages short hides no row from a cursor that goes on to an empty page")
    func truncates() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            try await table.write((1...50).map { .int64($0) }, to: cluster)
            twin.behave(
                .init { call in
                    call.method == "Query" ? .truncatePage(rows: 1 + call.number % 7) : nil
                })
            let pages = try await table.pages(limit: 100, from: cluster)
            #expect(pages.count > 7 && pages.map(\.batch.rowCount).max() == 7)
            #expect(pages.map(\.batch.rowCount).reduce(0, +) == 50)
        }
    }

    @Test("that replies with bytes of the test's own is judged as the server's reply")
    func replies() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            let version: [UInt8] = try MilvusGetVersionResponse.with { $0.version = "v9.8.7" }
                .serializedBytes()
            twin.behave(.fault(.reply(version), of: "GetVersion"))
            #expect(try await cluster.identity().numbers == [9, 8, 7])
            twin.behave(.fault(.reply([0x0A, 0xFF]), of: "Query"))
            let error = await #expect(throws: StopoverError.self) {
                try await table.page(from: cluster)
            }
            #expect(error?.code == .wireMalformed)
        }
    }

    @Test("of size is a message that is too large, in a request and in a reply")
    func tooLarge() async throws {
        var options = MilvusTwin.Options()
        options.requestBytes = 40_000
        options.replyBytes = 20_000
        try await withTwin(options) { _, cluster in
            try await table.create(on: cluster)
            for start in stride(from: Int64(1), to: 1000, by: 250) {
                let outcome = try await write(start...start + 249, to: cluster)
                guard case .acknowledged = outcome else {
                    throw TwinTable.NotAcknowledged(outcome: outcome)
                }
            }
            let outcome = try await write(2000...4000, to: cluster)
            guard case .tooLarge = outcome else {
                throw TwinTable.NotAcknowledged(outcome: outcome)
            }
            let error = await #expect(throws: StopoverError.self) {
                try await table.page(from: cluster)
            }
            #expect(error?.code == .pageTooLarge)
            #expect(try await table.page(limit: 100, from: cluster).batch.rowCount == 100)
        }
    }
}
