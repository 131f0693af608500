import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@Suite("Twin: a tally")
struct TwinTallyTests {
    let source = CollectionName(collection: "source")
    let target = CollectionName(collection: "target")

    private func options(_ shape: MilvusTwin.Generated, _ store: MilvusTwin.Store)
        -> MilvusTwin.Options
    {
        var options = MilvusTwin.Options()
        options.generated = [source: shape]
        options.store = store
        return options
    }

    @Test(
        "of a generated collection is the tally of its copy, whoever computes it",
        arguments: MilvusTwin.Generated.Keys.allCases, [1, 7, 8])
    func copied(keys: MilvusTwin.Generated.Keys, dim: Int) async throws {
        let rows: Int64 = 20_011
        let expected = MilvusTwin.expectedTally(rows: rows, dim: dim, keys: keys)
        for store in MilvusTwin.Store.allCases {
            let shape = MilvusTwin.Generated(rows: rows, dimension: dim, keys: keys)
            try await withTwin(options(shape, store)) { twin, cluster in
                var collection = try #require(try await cluster.describe(source))
                #expect(collection.isLoaded)
                let fields = collection.schema.fields
                #expect(fields[1].dimension == dim)
                collection.name = target
                try await cluster.create(collection)
                try await copy(fields, source, to: target, over: cluster, pageRows: 4096)
                #expect(try twin.tally(of: target) == expected)
                #expect(try twin.tally(of: source) == expected)
            }
        }
    }

    @Test(
        "of parts adds up to that of the whole, and shows a row that is missing, doubled or changed"
    )
    func adds() async throws {
        let whole = MilvusTwin.expectedTally(rows: 1000)
        var sum = MilvusTwin.Tally()
        for start in stride(from: Int64(0), to: 1000, by: 300) {
            sum += MilvusTwin.expectedTally(rows: 1000, range: start..<start + 300)
        }
        #expect(sum == whole)
        #expect(MilvusTwin.expectedTally(rows: 999).columns != whole.columns)
        sum += MilvusTwin.expectedTally(rows: 1000, range: 5..<6)
        #expect(sum.rows == 1001 && sum.columns != whole.columns)
        #expect(Set(whole.columns.values).count == 4)
        let table = TwinTable()
        try await withTwin { twin, cluster in
            try await table.create(on: cluster)
            try await table.write([.int64(1)], to: cluster)
            let before = try twin.tally(of: TwinTable.name)
            try await table.write([.int64(1)], mark: 1, mode: .upsert, to: cluster)
            let after = try twin.tally(of: TwinTable.name)
            #expect(
                before.rows == after.rows && before.columns["vector"] != after.columns["vector"])
        }
    }

    @Test("counts all of its rows or none, and refuses what only rows could answer")
    func counts() async throws {
        let table = TwinTable()
        var options = MilvusTwin.Options()
        options.store = .tally
        try await withTwin(options) { twin, cluster in
            try await table.create(on: cluster, partitions: ["a"])
            try await table.write((1...5).map { .int64($0) }, to: cluster)
            try await table.write((6...7).map { .int64($0) }, partition: "a", to: cluster)
            #expect(try await cluster.count(table.rows()) == 7)
            #expect(try await cluster.count(table.rows(partition: "a")) == 2)
            #expect(try await cluster.count(table.rows(KeyRange(after: .int64(7)))) == 0)
            #expect(try await cluster.count(table.rows(KeyRange(through: .int64(5)))) == 5)
            await #expect(throws: StopoverError.self) {
                try await cluster.count(table.rows(KeyRange(after: .int64(2))))
            }
            await #expect(throws: StopoverError.self) { try await table.page(from: cluster) }
            let tally = try twin.tally(of: TwinTable.name)
            #expect(tally.least == .int64(1) && tally.greatest == .int64(7))
        }
    }

    @Test(
        "of a generated collection goes with counts and ranges that agree with its pages",
        arguments: MilvusTwin.Generated.Keys.allCases)
    func ranges(keys: MilvusTwin.Generated.Keys) async throws {
        let shape = MilvusTwin.Generated(rows: 1_000_000_000, keys: keys)
        try await withTwin(options(shape, .tally)) { _, cluster in
            let fields = try #require(try await cluster.describe(source)).schema.fields
            func key(_ row: Int64) -> PrimaryKey {
                guard keys == .varchar else { return .int64(row) }
                let digits = String(row)
                return .varchar("k" + String(repeating: "0", count: 12 - digits.count) + digits)
            }
            func rows(_ range: KeyRange) -> RowSelection {
                RowSelection(collection: source, primaryKey: fields[0], range: range)
            }
            #expect(try await cluster.count(rows(.all)) == 1_000_000_000)
            #expect(try await cluster.count(rows(KeyRange(after: key(999_999_990)))) == 9)
            #expect(
                try await cluster.count(rows(KeyRange(after: key(5), through: key(5_000_005))))
                    == 5_000_000)
            let page = try await cluster.page(
                PageRequest(
                    rows: rows(KeyRange(after: key(123_456_788))), fields: fields.reversed(),
                    rowLimit: 100, timestamp: nil))
            #expect(page.firstKey == key(123_456_789) && page.lastKey == key(123_456_888))
            #expect(page.batch.columns.map(\.name) == ["title", "bucket", "vector", "id"])
            #expect(page.batch.columns[0].payload.count == 1400)
            let end = try await cluster.page(
                PageRequest(
                    rows: rows(KeyRange(after: key(999_999_999))), fields: fields, rowLimit: 100,
                    timestamp: nil))
            #expect(end.batch.rowCount == 0)
        }
    }
}
