import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

/// The same promises on both real servers.
@Suite("A real cluster", .serialized)
struct RealServerTests {
    static let name = CollectionName(collection: "things")

    @Test(
        "is described, created, written, read, counted, renamed and dropped",
        arguments: RealServer.Kind.allCases)
    func wholeLife(_ kind: RealServer.Kind) async throws {
        try await RealServer.with(kind) { server in
            try await MilvusCluster.withCluster(server.endpoint) { cluster in
                try await check(cluster, kind)
            }
        }
    }

    private func check(_ cluster: MilvusCluster, _ kind: RealServer.Kind) async throws {
        let identity = try await cluster.identity()
        #expect(identity.kind == (kind == .lite3 ? .lite : .milvus))
        #expect(identity.numbers == (kind == .lite3 ? [3, 2, 2] : [2, 3, 5]))
        #expect(try await cluster.databases().contains("default"))
        #expect(try await cluster.describe(Self.name) == nil)
        #expect(try await cluster.pinTimestamp() == nil || kind == .standalone)

        // Create, and find back what was asked for.
        let asked = collection()
        try await cluster.create(asked)
        let made = try #require(try await cluster.describe(Self.name))
        #expect(made.schema.fields == asked.schema.fields)
        #expect(made.schema.isDynamicFieldEnabled)
        #expect(Set(made.partitions.map(\.name)) == ["_default", "left"])
        // Lite 3 calls a collection loaded that nobody loaded.
        #expect(made.isLoaded == (kind == .lite3))
        #expect(made.indexes.isEmpty)
        await #expect(throws: StopoverError.self) { try await cluster.create(asked) }

        // An index twice, then load.
        let index = IndexDescription(
            name: "v", field: "v", params: ["index_type": "AUTOINDEX", "metric_type": "L2"])
        try await cluster.createIndex(index, on: Self.name)
        try await cluster.createIndex(index, on: Self.name)
        try await cluster.loadWhole(Self.name)
        let loaded = try #require(try await cluster.describe(Self.name))
        #expect(loaded.isLoaded)
        #expect(loaded.indexes.map(\.metricType) == ["L2"])

        // Write with insert and upsert, read back in key order over several pages.
        let keys = Self.keys.shuffled()
        for (partition, part) in [("left", keys.prefix(4)), (nil, keys.dropFirst(4))] {
            let outcome = await cluster.write(
                try batch(Array(part)),
                to: InsertDestination(collection: Self.name, partition: partition), mode: .insert)
            guard case .acknowledged(.varchar(let ids)) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(ids.map { Array($0.utf8) } == part.map { Array($0.utf8) })
        }
        let upserted = await cluster.write(
            try batch([keys[5]]), to: InsertDestination(collection: Self.name, partition: nil),
            mode: .upsert)
        guard case .acknowledged = upserted else {
            Issue.record("\(upserted)")
            return
        }
        let rows = RowSelection(
            collection: Self.name, primaryKey: FieldSchema(name: "name", type: .varchar))
        #expect(try await cluster.count(rows) == Int64(keys.count))
        var left = rows
        left.partition = "left"
        #expect(try await cluster.count(left) == 4)
        for timestamp in [nil, try await cluster.pinTimestamp()] {
            let read = try await readAll(cluster, rows, made.schema.fields, timestamp)
            #expect(read == Self.keys.sorted().map { PrimaryKey.varchar($0) }.sorted())
        }
        // Every range by a bound, and its count.
        for key in Self.keys {
            var above = rows
            above.range = KeyRange(after: .varchar(key))
            let count = try await cluster.count(above)
            let below = Self.keys.filter { !above.range.contains(.varchar($0)) }.count
            #expect(count == Int64(keys.count - below), "\(key.debugDescription)")
        }

        // Durable, renamed, fenced, gone.
        let ticket = try await cluster.flush(Self.name)
        while try await !cluster.isFlushed(ticket, of: Self.name) {
            try await Task.sleep(for: .milliseconds(50))
        }
        try await cluster.release(Self.name)
        #expect(try await cluster.describe(Self.name)?.isLoaded == false)
        let renamed = CollectionName(collection: "renamed")
        try await cluster.rename(Self.name, to: renamed)
        #expect(try await cluster.describe(Self.name) == nil)
        let fenced = await cluster.write(
            try batch(["late"]), to: InsertDestination(collection: Self.name, partition: nil),
            mode: .insert)
        guard case .fenced = fenced else {
            Issue.record("\(fenced)")
            return
        }
        try await cluster.drop(renamed)
        try await cluster.drop(renamed)
        #expect(try await cluster.collections(in: "default") == [])

        try await databases(cluster)
    }

    /// 2.3.5 sends an HTTP/2 PING for nearly each of them, more than NIOHTTP2 bears by itself.
    @Test("answers hundreds of calls on one connection", arguments: RealServer.Kind.allCases)
    func manyCalls(_ kind: RealServer.Kind) async throws {
        try await RealServer.with(kind) { server in
            try await MilvusCluster.withCluster(server.endpoint, connections: 1) { cluster in
                for call in 0..<600 {
                    do { _ = try await cluster.databases() } catch {
                        Issue.record("call \(call): \(error)")
                        return
                    }
                }
            }
        }
    }

    @Test("a server that is killed with no request under way is noticed to be lost")
    func loss() async throws {
        try await RealServer.with(.lite3) { server in
            try await MilvusCluster.withCluster(server.endpoint) { cluster in
                _ = try await cluster.databases()
                let (stream, mark) = AsyncStream.makeStream(of: Void.self)
                cluster.losses.watch { mark.finish() }
                try await server.control("kill")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { for await _ in stream {} }
                    group.addTask {
                        try await Task.sleep(for: .seconds(20))
                        Issue.record("no loss was told of")
                        mark.finish()
                    }
                    try await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private func databases(_ cluster: MilvusCluster) async throws {
        try await cluster.createDatabase("other")
        #expect(try await cluster.databases().sorted() == ["default", "other"])
        #expect(try await cluster.collections(in: "other") == [])
        var elsewhere = collection()
        elsewhere.name.database = "other"
        try await cluster.create(elsewhere)
        #expect(try await cluster.collections(in: "other") == ["things"])
        #expect(try await cluster.collections(in: "default") == [])
        let missing = await #expect(throws: StopoverError.self) {
            try await cluster.collections(in: "nowhere")
        }
        #expect(missing?.code == .databaseMissing)
        #expect(
            try await cluster.describe(CollectionName(database: "nowhere", collection: "x")) == nil)
    }

    @Test(
        "never loses a key at the ends of INT64, but for the greatest on 2.3.5",
        arguments: RealServer.Kind.allCases)
    func integerKeys(_ kind: RealServer.Kind) async throws {
        try await RealServer.with(kind) { server in
            try await MilvusCluster.withCluster(server.endpoint) { cluster in
                let keys: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
                var asked = collection()
                asked.schema.fields = [
                    FieldSchema(name: "name", type: .int64), asked.schema.fields[1],
                ]
                asked.schema.fields[0].isPrimaryKey = true
                asked.schema.isDynamicFieldEnabled = false
                try await cluster.create(asked)
                try await cluster.createIndex(
                    IndexDescription(
                        name: "v", field: "v",
                        params: ["index_type": "AUTOINDEX", "metric_type": "L2"]), on: Self.name)
                try await cluster.loadWhole(Self.name)
                let batch = Batch(
                    rowCount: keys.count,
                    columns: [
                        try ColumnBuilder.longs("name", keys), try vectors(rowCount: keys.count),
                    ])
                let outcome = await cluster.write(
                    batch, to: InsertDestination(collection: Self.name, partition: nil),
                    mode: .insert)
                guard case .acknowledged(.int64(keys)) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                let rows = RowSelection(
                    collection: Self.name, primaryKey: FieldSchema(name: "name", type: .int64))
                #expect(try await cluster.count(rows) == 7)
                let read = try await readAll(cluster, rows, asked.schema.fields, nil)
                let readable = kind == .lite3 ? keys : keys.dropLast()
                #expect(read == readable.map(PrimaryKey.int64))
                var rest = rows
                rest.range = KeyRange(after: .int64(.max - 1))
                #expect(try await cluster.count(rest) == 1)
                var least = rows
                least.range = KeyRange(through: .int64(.min))
                #expect(try await cluster.count(least) == 1)
                least.range = KeyRange(after: .int64(.min))
                #expect(try await cluster.count(least) == 6)
            }
        }
    }

    // MARK: Rows

    static let keys = [
        "", "a", "b\0c", "\"'\\n", "é", "e\u{301}", "👩‍👩‍👧‍👦", "\0", "\u{FFFF}", "tab\t", "line\n",
        "\r\n",
        "ends \\",
    ]

    private func collection() -> CollectionDescription {
        var key = FieldSchema(name: "name", type: .varchar)
        key.isPrimaryKey = true
        key.typeParams = ["max_length": "200"]
        var vector = FieldSchema(name: "v", type: .floatVector)
        vector.typeParams = ["dim": "4"]
        var schema = CollectionSchema(fields: [key, vector])
        schema.isDynamicFieldEnabled = true
        var collection = CollectionDescription(name: Self.name, schema: schema)
        collection.partitions = ["_default", "left"].map {
            PartitionDescription(name: $0, loadState: .notLoaded)
        }
        return collection
    }

    private func vectors(rowCount: Int) throws -> Column {
        try ColumnBuilder.floatVectors(
            "v", dimension: 4, [Float](repeating: 0.5, count: 4 * rowCount))
    }

    private func batch(_ keys: [String]) throws -> Batch {
        return Batch(
            rowCount: keys.count,
            columns: [
                try ColumnBuilder.strings("name", keys), try vectors(rowCount: keys.count),
                try ColumnBuilder.dynamicFields(keys.map { _ in Array("{\"color\": 1}".utf8) }),
            ])
    }

    /// By pages of five, until one is empty.
    private func readAll(
        _ cluster: MilvusCluster, _ selection: RowSelection, _ fields: [FieldSchema],
        _ timestamp: PinnedTimestamp?
    ) async throws -> [PrimaryKey] {
        var keys: [PrimaryKey] = []
        var rows = selection
        while true {
            let page = try await cluster.page(
                PageRequest(rows: rows, fields: fields, rowLimit: 5, timestamp: timestamp))
            guard let last = page.lastKey else { return keys }
            #expect(page.batch.columns.count == fields.count)
            for column in page.batch.columns where column.name == "name" {
                let data = try MilvusFieldData(
                    serializedBytes: column.head + column.payload + column.tail)
                keys += data.scalars.longData.data.map(PrimaryKey.int64)
                keys += data.scalars.stringData.data.map { PrimaryKey.varchar($0) }
            }
            rows.range.after = last
        }
    }
}
