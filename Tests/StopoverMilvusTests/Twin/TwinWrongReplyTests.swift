import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

/// A server whose work is right and whose word is wrong, and what our client makes of it.
@Suite("Twin: a reply that is wrong")
struct TwinWrongReplyTests {
    let table = TwinTable()
    let name = TwinTable.name

    private func outcome(
        _ distortion: MilvusTwin.Distortion, _ table: TwinTable = TwinTable()
    ) async throws -> WriteOutcome {
        try await MilvusTwin.with { twin in
            try await MilvusCluster.withCluster(twin.endpoint) { cluster in
                try await table.create(on: cluster)
                twin.behave(.fault(.distort(distortion), of: "Insert"))
                let keys: [PrimaryKey] =
                    table.keyType == .int64
                    ? [.int64(1), .int64(2)] : [.varchar("a"), .varchar("b")]
                return await cluster.write(
                    try table.batch(keys), to: .init(collection: name, partition: nil),
                    mode: .insert)
            }
        }
    }

    @Test(
        "about an Insert is in doubt where it does not account for every row",
        arguments: [MilvusTwin.Distortion.idMissing, .idTooMany])
    func ids(distortion: MilvusTwin.Distortion) async throws {
        for type in [DataType.int64, .varchar] {
            let outcome = try await outcome(distortion, TwinTable(keyType: type))
            guard case .inDoubt(let error) = outcome else {
                throw TwinTable.NotAcknowledged(outcome: outcome)
            }
            #expect(error.code == .clusterContract)
        }
    }

    @Test(
        "about an Insert may name a key twice or of another type, which the keys' owner has to see")
    func strangeIDs() async throws {
        guard case .acknowledged(let twice) = try await outcome(.idTwice) else {
            Issue.record("not acknowledged")
            return
        }
        #expect(twice == .int64([1, 1]))
        guard case .acknowledged(let others) = try await outcome(.idType) else {
            Issue.record("not acknowledged")
            return
        }
        #expect(others == .varchar(["1", "2"]))
    }

    @Test(
        "about a page is refused, and none of its rows is taken",
        arguments: [MilvusTwin.Distortion.columnMissing, .columnShort, .dimension])
    func pages(distortion: MilvusTwin.Distortion) async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            try await table.write((1...9).map { .int64($0) }, to: cluster)
            twin.behave(.fault(.distort(distortion), of: "Query"))
            let error = await #expect(throws: StopoverError.self) {
                try await table.page(from: cluster)
            }
            #expect(error?.code == .wireMalformed)
            twin.behave(.normal)
            #expect(try await table.page(from: cluster).batch.rowCount == 9)
        }
    }
}
