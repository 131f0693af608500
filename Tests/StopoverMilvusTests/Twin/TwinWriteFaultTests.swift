import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@testable import StopoverMilvus

@Suite("Twin: a write")
struct TwinWriteFaultTests {
    let table = TwinTable()
    let name = TwinTable.name

    private func write(
        _ keys: ClosedRange<Int64>, to cluster: MilvusCluster, mode: WriteMode = .insert
    ) async throws -> WriteOutcome {
        await cluster.write(
            try table.batch(keys.map { .int64($0) }), to: .init(collection: name, partition: nil),
            mode: mode)
    }

    @Test("of which one shard of two failed is in doubt, and half of it is there")
    func part() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.behave(.fault(.applyPartThenFail(.unavailable), of: "Insert"))
            let outcome = try await write(1...100, to: cluster)
            guard case .inDoubt = outcome else { throw TwinTable.NotAcknowledged(outcome: outcome) }
            let count = try await cluster.count(table.rows())
            #expect((25...75).contains(count))
            // What settles it: every row once, whichever were there.
            try await table.write((1...100).map { .int64($0) }, mode: .upsert, to: cluster)
            #expect(try await cluster.count(table.rows()) == 100)
        }
    }

    @Test("of keys that are there replaces their rows in every partition, on a server like Lite 3")
    func overwrites() async throws {
        var options = MilvusTwin.Options()
        options.existingKeys = .overwritten
        try await withTwin(options) { _, cluster in
            try await table.create(on: cluster, partitions: ["a"])
            try await table.write([.int64(1), .int64(2)], partition: "a", to: cluster)
            try await table.write([.int64(2), .int64(3), .int64(3)], mark: 9, to: cluster)
            #expect(try await cluster.count(table.rows()) == 3)
            #expect(try await cluster.count(table.rows(partition: "a")) == 1)
            try await table.write([.int64(1), .int64(1)], mode: .upsert, to: cluster)
            #expect(try await cluster.count(table.rows()) == 3)
            #expect(try await table.page(from: cluster).batch.rowCount == 3)
        }
    }

    @Test("above the rate is refused with the code of a rate limit, and so is a read")
    func rates() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            twin.limit(.writes, to: 1000)
            _ = try await write(1...100, to: cluster)
            let refused = try await write(101...102, to: cluster)
            guard case .refused(let error) = refused else {
                throw TwinTable.NotAcknowledged(outcome: refused)
            }
            #expect(error.code == .clusterRateLimited && twin.rateRefusalCount == 1)
            #expect(try await cluster.count(table.rows()) == 100)
            twin.limit(.writes, to: nil)
            try await table.write([.int64(101)], to: cluster)
            twin.limit(.reads, to: 10)
            _ = try await table.page(from: cluster)
            let slow = await #expect(throws: StopoverError.self) {
                try await table.page(from: cluster)
            }
            #expect(slow?.code == .clusterRateLimited)
        }
    }

    @Test("of keys to Auto ID is taken where a property says so, and an Upsert makes new keys")
    func givenKeys() async throws {
        let made = TwinTable(isAutoID: true)
        try await withTwin { _, cluster in
            var collection = made.collection
            collection.properties = ["allow_insert_auto_id": "true"]
            try await cluster.create(collection)
            try await cluster.createIndex(TwinTable.index, on: name)
            try await cluster.loadWhole(name)
            #expect(try await table.write([.int64(5), .int64(7)], to: cluster) == .int64([5, 7]))
            guard case .int64(let own) = try await made.write([.int64(0)], to: cluster),
                case .int64(let new) = try await table.write(
                    [.int64(7), .int64(9)], mark: 2, mode: .upsert, to: cluster)
            else {
                Issue.record("no keys")
                return
            }
            #expect(own.count == 1 && new.count == 2 && own[0] + 1 == new[0])
            let keys = try await cluster.keys(of: table.rows(), limit: 10)
            #expect(keys == [.int64(5), .int64(own[0]), .int64(new[0]), .int64(new[1])])

            try await cluster.removeProperty("allow_insert_auto_id", of: name)
            #expect(try await cluster.describe(name)?.properties["allow_insert_auto_id"] == nil)
            let outcome = try await write(1...1, to: cluster)
            guard case .rejected = outcome else {
                throw TwinTable.NotAcknowledged(outcome: outcome)
            }
        }
    }

    @Test("goes on where the server knows no rename, which says so by gRPC")
    func unknownMethods() async throws {
        var options = MilvusTwin.Options()
        options.unknownMethods = ["RenameCollection"]
        try await withTwin(options) { _, cluster in
            try await table.create(on: cluster)
            let error = await #expect(throws: StopoverError.self) {
                try await cluster.rename(name, to: .init(collection: "b"))
            }
            #expect(error?.code == .clusterUnimplemented)
            try await table.write([.int64(1)], to: cluster)
        }
    }
}
