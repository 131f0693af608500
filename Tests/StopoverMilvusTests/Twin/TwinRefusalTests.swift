import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@testable import StopoverMilvus

@Suite("Twin: a request that is wrong")
struct TwinRefusalTests {
    let table = TwinTable()
    let name = TwinTable.name

    /// Sends a batch as a message that the test may spoil.
    private func insert(
        _ cluster: MilvusCluster, _ spoil: (inout MilvusInsertRequest) -> Void
    ) async throws -> MilvusStatus {
        let batch = try table.batch([.int64(1), .int64(2), .int64(3)])
        let frame = InsertFrame(batch, to: .init(collection: name, partition: nil))
        var bytes = [UInt8](repeating: 0, count: frame.byteCount)
        bytes.withUnsafeMutableBytes { frame.write(into: $0) }
        var message = try MilvusInsertRequest(serializedBytes: bytes)
        spoil(&message)
        let spoiled: [UInt8] = try message.serializedBytes()
        let reply = try await cluster.client.exchange(.insert, spoiled, subject: "")
        return try MilvusMutationResult(serializedBytes: reply).status
    }

    @Test("is refused with the codes of a server, and none of its rows is kept")
    func inserts() async throws {
        try await withTwin { _, cluster in
            try await table.create(on: cluster)
            #expect(try await insert(cluster) { _ in }.code == 0)
            let spoils: [(String, (inout MilvusInsertRequest) -> Void)] = [
                ("no rows", { $0.numRows = 0 }),
                ("another number of rows", { $0.numRows = 2 }),
                ("more rows than values", { $0.numRows = 4 }),
                ("a column less", { $0.fieldsData.removeFirst() }),
                ("a column twice", { $0.fieldsData.append($0.fieldsData[0]) }),
                ("a column of no field", { $0.fieldsData[1].fieldName = "x" }),
                ("a foreign field_id", { $0.fieldsData[0].fieldID = 101 }),
                ("another type", { $0.fieldsData[0].type = 4 }),
                ("another dimension", { $0.fieldsData[1].vectors.dim = 3 }),
                ("half a vector", { $0.fieldsData[1].vectors.floatVector.data.removeLast() }),
                (
                    "a long string",
                    {
                        $0.fieldsData[2].scalars.stringData.data[0] = .init(
                            repeating: "x", count: 33)
                    }
                ),
                ("values at nulls", { $0.fieldsData[2].scalars.stringData.data.append("x") }),
                ("an untyped array", { $0.fieldsData[3].scalars.arrayData.data[0] = .init() }),
            ]
            for (what, spoil) in spoils {
                let status = try await insert(cluster, spoil)
                #expect([1100, 65535].contains(status.code), "\(what)")
                #expect(status.errorCode != 0 && !status.reason.isEmpty)
            }
            #expect(try await cluster.count(table.rows()) == 3)
        }
    }

    @Test(
        "as an expression is told so, one that 2.3.5 reads is read",
        arguments: [
            ("id > 1 and id <= 3", 2), ("id>=1&&id<2", 1), ("(id == 2)", 1), ("id in [3, 1, 1]", 2),
            ("id > -5", 3), ("", 3), ("id > 3 and id < 1", 0), ("id >= 2 and id > 2", 1),
            ("id < 9223372036854775807", 3), ("id > -9223372036854775808", nil),
            ("id > \"a\"", nil),
            ("title == \"a\"", nil), ("1 < id", nil), ("id > 1 or id < 0", 2), ("id >", nil),
            ("id in [1", nil), ("idx > 1", nil),
        ] as [(String, Int?)])
    func expressions(_ text: String, _ rows: Int?) async throws {
        try await withTwin { _, cluster in
            try await table.create(on: cluster)
            try await table.write([.int64(1), .int64(2), .int64(3)], to: cluster)
            let request = MilvusQueryRequest.with {
                $0.collectionName = name.collection
                $0.expr = text
                $0.outputFields = ["id"]
                $0.queryParams = [
                    .with {
                        $0.key = "limit"
                        $0.value = "10"
                    }
                ]
            }
            let bytes = try await cluster.client.exchange(
                .query, cluster.client.encode(request), subject: "")
            let reply = try MilvusQueryResults(serializedBytes: bytes)
            #expect((reply.status.code == 0) == (rows != nil), "\(reply.status.reason)")
            #expect(reply.fieldsData.first?.scalars.longData.data.count == rows)
        }
    }

    @Test("for what is not there says which")
    func missing() async throws {
        try await withTwin { _, cluster in
            let error = await #expect(throws: StopoverError.self) {
                try await cluster.collections(in: "nope")
            }
            #expect(error?.code == .databaseMissing)
            try await table.create(on: cluster)
            let taken = await #expect(throws: StopoverError.self) {
                try await cluster.create(table.collection)
            }
            #expect(taken?.code == .collectionExists)
            let limit = await #expect(throws: StopoverError.self) {
                try await table.page(limit: 16_385, from: cluster)
            }
            #expect(limit?.code == .requestRefused)
        }
    }
}
