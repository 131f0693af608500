import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@Suite("Twin: a collection of the in-memory server")
struct TwinLifeTests {
    let table = TwinTable()
    let name = TwinTable.name

    @Test("lives from creation over index, load, rows, flush and rename to its drop")
    func life() async throws {
        try await withTwin { twin, cluster in
            #expect(try await cluster.identity().version == "v2.4.0-twin")
            try await cluster.createDatabase("other")
            #expect(try await cluster.databases() == ["default", "other"])
            #expect(try await cluster.describe(name) == nil)

            try await cluster.create(table.collection)
            let made = try #require(try await cluster.describe(name))
            #expect(made.schema.fields == table.schema.fields)
            #expect(made.loadState == .notLoaded && made.indexes.isEmpty)
            #expect(made.partitions.map(\.name) == ["_default"])
            var error = await #expect(throws: StopoverError.self) { try await cluster.load(name) }
            #expect(error?.code == .indexMissing)
            try await cluster.createIndex(TwinTable.index, on: name)
            #expect(try await cluster.describe(name)?.indexes == [TwinTable.index])
            error = await #expect(throws: StopoverError.self) {
                try await cluster.count(table.rows())
            }
            #expect(error?.code == .collectionNotLoaded)
            try await cluster.load(name)
            #expect(try await cluster.describe(name)?.isLoaded == true)

            let ids = try await table.write((1...10).map { .int64($0) }, to: cluster)
            #expect(ids == .int64(Array(1...10)))
            #expect(try await cluster.count(table.rows()) == 10)
            let ticket = try await cluster.flush(name)
            #expect(ticket.segmentIDs.count == 1 && ticket.timestamp > 0)
            #expect(try await cluster.isFlushed(ticket, of: name))
            #expect(try await cluster.pinTimestamp() != nil)

            let moved = CollectionName(database: "other", collection: "moved")
            try await cluster.rename(name, to: moved)
            #expect(try await cluster.collections(in: "default").isEmpty)
            #expect(try await cluster.describe(moved)?.collectionID == made.collectionID)
            let late = await cluster.write(
                try table.batch([.int64(11)]), to: .init(collection: name, partition: nil),
                mode: .insert)
            guard case .fenced = late else { throw TwinTable.NotAcknowledged(outcome: late) }
            try await cluster.release(moved)
            #expect(try await cluster.describe(moved)?.loadState == .notLoaded)
            try await cluster.drop(moved)
            #expect(try await cluster.describe(moved) == nil)
            try await cluster.drop(moved)
        }
    }

    @Test(
        "answers in pages what was inserted, whatever the order it came in",
        arguments: [1, 7, 100, 16_384])
    func paging(limit: Int) async throws {
        try await withTwin { _, cluster in
            try await table.create(on: cluster)
            let keys: [PrimaryKey] = [.min, -5, 0, 3, 127, 128, 1 << 40, .max].map { .int64($0) }
            let batch = try table.batch(keys)
            for row in [5, 0, 7, 2, 1, 6, 4, 3] {
                let one = try cluster.codec.slice(batch, rows: row..<row + 1)
                _ = await cluster.write(
                    one, to: .init(collection: name, partition: nil), mode: .insert)
            }
            let pages = try await table.pages(limit: limit, from: cluster)
            #expect(pages.first?.firstKey == keys.first && pages.last?.lastKey == keys.last)
            var row = 0
            for page in pages {
                let expected = try cluster.codec.slice(batch, rows: row..<row + page.batch.rowCount)
                #expect(page.batch.columns == expected.columns)
                row += page.batch.rowCount
            }
            #expect(row == keys.count)
        }
    }

    @Test("takes every varchar key and gives it back in the order of its bytes")
    func varcharKeys() async throws {
        let table = TwinTable(keyType: .varchar)
        let texts = [
            "", "a", "a\"b", "a\\", "a\nb\r\t", "a'b", "é", "e\u{301}", "z", "👩‍👩‍👧", "nul\0byte",
            "id > \"x\" and id", "\u{7F}",
        ]
        let keys = texts.map { PrimaryKey.varchar($0) }.sorted()
        try await withTwin { _, cluster in
            try await table.create(on: cluster)
            let batch = try table.batch(keys)
            let ids = try await table.write(keys.reversed(), to: cluster)
            #expect(ids.count == keys.count)
            try await table.write(keys, mode: .upsert, to: cluster)
            for limit in [1, 4] {
                let pages = try await table.pages(limit: limit, from: cluster)
                #expect(pages.map(\.batch.rowCount).reduce(0, +) == keys.count)
                #expect(
                    pages.map(\.firstKey)
                        == stride(from: 0, to: keys.count, by: limit).map { keys[$0] })
                #expect(
                    pages[0].batch.columns
                        == (try cluster.codec.slice(batch, rows: 0..<limit)).columns)
            }
            for (index, key) in keys.enumerated() {
                let upTo = table.rows(KeyRange(through: key))
                #expect(try await cluster.count(upTo) == Int64(index + 1))
            }
        }
    }

    @Test("counts every copy of a key and answers it once, the latest")
    func duplicates() async throws {
        try await withTwin { _, cluster in
            try await table.create(on: cluster)
            try await table.write([.int64(1), .int64(2)], to: cluster)
            try await table.write([.int64(2), .int64(3)], mark: 9, to: cluster)
            #expect(try await cluster.count(table.rows()) == 4)
            #expect(try await cluster.count(table.rows(KeyRange(after: .int64(1)))) == 3)
            let page = try await table.page(from: cluster)
            #expect(page.batch.rowCount == 3)
            let second = try cluster.codec.slice(page.batch, rows: 1..<3)
            #expect(second.columns == (try table.batch([.int64(2), .int64(3)], mark: 9)).columns)
        }
    }

    @Test("replaces by Upsert every earlier copy, and no row of the same request")
    func upsert() async throws {
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            for _ in 0..<3 { try await table.write([.int64(1), .int64(2)], to: cluster) }
            let ids = try await table.write(
                [.int64(2), .int64(5)], mark: 4, mode: .upsert, to: cluster)
            #expect(ids == .int64([2, 5]))
            #expect(try await cluster.count(table.rows()) == 5)
            #expect(try await cluster.count(table.rows(KeyRange(after: .int64(1)))) == 2)
            try await table.write([.int64(5), .int64(5)], mode: .upsert, to: cluster)
            #expect(try await cluster.count(table.rows(KeyRange(after: .int64(2)))) == 2)
            #expect(try await table.page(from: cluster).batch.rowCount == 3)
            #expect(try twin.tally(of: name).rows == 3)
        }
    }

    @Test("keeps partitions apart, and refuses one that is not there")
    func partitions() async throws {
        try await withTwin { _, cluster in
            try await table.create(on: cluster, partitions: ["a", "b"])
            #expect(
                try await cluster.describe(name)?.partitions.map(\.name) == ["_default", "a", "b"])
            try await table.write([.int64(1), .int64(2)], mark: 1, partition: "a", to: cluster)
            try await table.write([.int64(2), .int64(3)], mark: 2, partition: "b", to: cluster)
            #expect(try await cluster.count(table.rows()) == 4)
            #expect(try await cluster.count(table.rows(partition: "a")) == 2)
            #expect(try await cluster.count(table.rows(partition: "_default")) == 0)
            let page = try await table.page(partition: "b", from: cluster)
            #expect(
                page.batch.columns == (try table.batch([.int64(2), .int64(3)], mark: 2)).columns)
            #expect(try await table.page(from: cluster).batch.rowCount == 3)
            let outcome = await cluster.write(
                try table.batch([.int64(1)]), to: .init(collection: name, partition: "c"),
                mode: .insert)
            guard case .rejected(let error) = outcome else {
                throw TwinTable.NotAcknowledged(outcome: outcome)
            }
            #expect(error.code == .partitionMissing)
        }
    }

    @Test(
        "makes contiguous keys itself where it is told to, and refuses a key column then",
        arguments: [DataType.int64, .varchar])
    func autoID(type: DataType) async throws {
        let table = TwinTable(keyType: type, isAutoID: true)
        try await withTwin { _, cluster in
            try await table.create(on: cluster)
            let given = [PrimaryKey](repeating: .int64(0), count: 100)
            let ids = try await table.write(given, to: cluster)
            let numbers: [Int64] =
                switch ids {
                case .int64(let ids): ids
                case .varchar(let ids): ids.compactMap { Int64($0) }
                }
            #expect(numbers == Array(numbers[0]..<numbers[0] + 100))
            let page = try await table.page(from: cluster)
            #expect(page.batch.rowCount == 100)
            #expect(Array(page.batch.columns[1...]) == (try table.batch(given)).columns)
            let withKeys = TwinTable(keyType: type)
            let outcome = await cluster.write(
                try withKeys.batch([type == .int64 ? .int64(7) : .varchar("7")]),
                to: .init(collection: name, partition: nil), mode: .insert)
            guard case .rejected = outcome else {
                throw TwinTable.NotAcknowledged(outcome: outcome)
            }
        }
    }
}
