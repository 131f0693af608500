import StopoverCore
import StopoverMilvus
import StopoverTesting
import Synchronization
import Testing

@Suite("Twin: a restart")
struct TwinRestartTests {
    let table = TwinTable()
    let name = TwinTable.name

    private func write(
        _ keys: ClosedRange<Int64>, mark: Int = 0, to cluster: MilvusCluster,
        mode: WriteMode = .insert
    ) async throws -> WriteOutcome {
        await cluster.write(
            try table.batch(keys.map { .int64($0) }, mark: mark),
            to: .init(collection: name, partition: nil), mode: mode)
    }

    private final class Losses: Sendable {
        let count = Atomic(0)
    }

    /// Waits until a call goes through again.
    private func reconnected(_ cluster: MilvusCluster, _ twin: MilvusTwin) async throws {
        try await twin.ready()
        for _ in 0..<500 {
            if (try? await cluster.identity()) != nil { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("no connection after the restart")
    }

    @Test("loses what was acknowledged and not flushed, and keeps what was")
    func loses() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            try await table.write((1...10).map { .int64($0) }, to: cluster)
            _ = try await cluster.flush(name)
            try await table.write((8...30).map { .int64($0) }, mark: 3, to: cluster)
            try await table.write([.int64(1)], mark: 4, mode: .upsert, to: cluster)
            try await cluster.delete([.int64(5)], of: table.schema.fields[0], from: name)
            #expect(try await cluster.count(table.rows()) == 32)
            let losses = Losses()
            cluster.losses.watch { losses.count.wrappingAdd(1, ordering: .relaxed) }
            twin.restart(down: .milliseconds(100))
            // The order is carried out a moment later: until then the old server answers.
            for _ in 0..<500 where losses.count.load(ordering: .relaxed) == 0 {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(losses.count.load(ordering: .relaxed) > 0, "nobody told the client")
            try await reconnected(cluster, twin)
            #expect(try await cluster.count(table.rows()) == 10)
            #expect(twin.restartCount == 1 && twin.lostRowCount == 22)
            let page = try await table.page(from: cluster)
            #expect(page.batch.columns == (try table.batch((1...10).map { .int64($0) })).columns)
        }
    }

    @Test("leaves what was under way in doubt, and does not carry it out")
    func underWay() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.behave(.fault(.delay(.milliseconds(300)), of: "Insert"))
            async let late = write(1...2, to: cluster)
            while twin.calls(of: "Insert") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            twin.restart(down: .milliseconds(600))
            guard case .inDoubt = try await late else {
                Issue.record("\(try await late)")
                return
            }
            let meanwhile = try await write(3...4, to: cluster)
            guard case .unreached = meanwhile else {
                Issue.record("\(meanwhile)")
                return
            }
            try await reconnected(cluster, twin)
            #expect(try await cluster.count(table.rows()) == 0)
        }
    }

    @Test("may come with a call, again and again, while many calls are under way")
    func again() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.behave(
                .init([
                    .init("Insert", .every(20), .restart(down: .milliseconds(20))),
                    .init("Insert", .every(3), .delay(.milliseconds(10))),
                ]))
            let acknowledged = try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var count = 0
                        for round in 0..<25 {
                            let key = Int64(worker * 1000 + round)
                            if case .acknowledged = try await write(key...key, to: cluster) {
                                count += 1
                            } else {
                                try await Task.sleep(for: .milliseconds(30))
                            }
                        }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            try await reconnected(cluster, twin)
            #expect(twin.restartCount > 1)
            // Nothing is there that no answer, or no failure, could have been about.
            #expect(try await cluster.count(table.rows()) <= 200)
            #expect(acknowledged > 0)
        }
    }
}
