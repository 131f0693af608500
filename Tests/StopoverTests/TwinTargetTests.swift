import Foundation
import StopoverMilvus
import StopoverTesting
import Testing

@testable import StopoverCore

/// Our own server as the target, which does in one migration what no real server here does on request:
/// goes down and forgets what it acknowledged, takes half of a request, and limits the rate.
@Suite("A target that restarts, forgets, takes halves and limits the rate")
struct TwinTargetTests {
    private static let rows: Int64 = 60_000
    private static let shape = MilvusTwin.Generated(rows: rows)
    private static let name = CollectionName(collection: "rows")

    private static let rules = [
        "Insert call 3 restart 0.4", "Insert call 9 apply-then-fail deadline-exceeded",
        "Insert every 5 part-then-fail unavailable", "Insert call 17 restart 0.4",
        "Flush call 2 restart 0.4", "Upsert call 2 part-then-fail unavailable",
        "Upsert call 4 restart 0.2", "Delete call 1 apply-then-fail unavailable",
        "RenameCollection call 1 apply-then-fail unavailable",
        "CreateIndex call 1 restart 0.3",
    ]

    @Test("gets every row once", arguments: ["keep", "regenerate"])
    func once(autoID: String) async throws {
        let tool = try Tool()
        var options = MilvusTwin.Options()
        options.generated = [Self.name: Self.shape]
        let target = try Dialogue(
            Clone.binary("milvus-twin"),
            ["--seed", "7", "--write-bytes-per-second", "400000"]
                + Self.rules.flatMap { ["--rule", $0] })
        let uri = try #require(target.greeting["uri"] as? String)
        let titles = try await MilvusTwin.with(options) { source in
            let file = try tool.migration(
                """
                source: {uri: "\(source.uri)"}
                target: {uri: "\(uri)"}
                collections: [{source: rows, auto_id: \(autoID)}]
                limits: {page: 64KiB, write_timeout_seconds: 2}
                """)
            var ended = try await tool.run(["run", file, "--job", "job"])
            // What the tool asks for where it gives up is the same command again.
            for _ in 0..<5 where ended.status == 1 {
                ended = try await tool.run(["run", file, "--job", "job"])
            }
            #expect(ended.status == 0, "\(ended)")
            return try await self.titles(on: source.endpoint)
        }
        let counts = try target.ask("calm")
        print("\(autoID): \(counts)")
        #expect((counts["restarts"] as? Int ?? 0) >= 3, "\(counts)")
        #expect((counts["lostRows"] as? Int ?? 0) > 0, "\(counts)")
        #expect((counts["rateRefusals"] as? Int ?? 0) > 0, "\(counts)")
        _ = try target.ask("limit writes off")

        let tally = try #require(target.ask("tally default.rows")["tally"] as? [String: Any])
        let expected = MilvusTwin.expectedTally(rows: Self.rows)
        #expect(tally["rows"] as? Int == Int(expected.rows), "\(tally)")
        if autoID == "keep" {
            let columns = try #require(tally["columns"] as? [String: String])
            #expect(columns == expected.columns.mapValues { String($0, radix: 16) })
        }
        let port = try #require(URL(string: uri)?.port)
        // As many rows as there are titles, and each of them: every row is there once.
        let arrived = try await self.titles(on: .init(host: "127.0.0.1", port: port))
        #expect(titles.count == Int(Self.rows) && arrived.sorted() == titles.sorted())
    }

    @Test(
        "that names keys of another type ends the job by name", arguments: ["keep", "regenerate"])
    func keyTypes(autoID: String) async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [Self.name: MilvusTwin.Generated(rows: 1_000)]
        var into = MilvusTwin.Options()
        into.behaviour = .fault(.distort(.idType), of: "Insert")
        try await MilvusTwin.with(from) { [into] source in
            try await MilvusTwin.with(into) { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    collections: [{source: rows, auto_id: \(autoID)}]
                    """)
                let ended = try await tool.run(["run", file, "--job", "job"])
                #expect(ended.status == 1 && ended.errors.contains("STO-LOAD-KEY-TYPE"), "\(ended)")
            }
        }
    }

    /// What somebody else does to the collection that is being filled.
    enum Meddling: CaseIterable {
        case dropped
        /// Dropped, and another one made of the same name, with one field.
        case another
    }

    /// Nor does the next run take what is there for the whole.
    @Test(
        "whose unfinished collection somebody else drops or replaces ends the job, and publishes nothing",
        arguments: Meddling.allCases)
    func meddled(_ meddling: Meddling) async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [Self.name: Self.shape]
        try await MilvusTwin.with(from) { source in
            try await MilvusTwin.with() { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    collections: [{source: rows}]
                    limits: {page: 64KiB, read_rows_per_second: 10000, write_timeout_seconds: 2}
                    """)
                let run = try tool.start(["run", file, "--job", "job"])
                try await MilvusCluster.withCluster(target.endpoint) { cluster in
                    while target.calls(of: "Insert") < 2 {
                        try #require(run.isRunning)
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    let names = try await cluster.collections(in: "default")
                    let staging = CollectionName(collection: try #require(names.first))
                    try await cluster.drop(staging)
                    if meddling == .another {
                        var key = FieldSchema(name: "id", type: .int64)
                        key.isPrimaryKey = true
                        try await cluster.create(
                            CollectionDescription(
                                name: staging, schema: CollectionSchema(fields: [key])))
                    }
                    let ended = try await run.ended()
                    #expect(ended.status == 1, "\(ended)")
                    let code =
                        meddling == .dropped
                        ? "STO-COLLECTION-MISSING" : "STO-REQUEST-REFUSED"
                    #expect(ended.errors.contains(code), "\(ended)")
                    let again = try await tool.run(["run", file, "--job", "job"])
                    #expect(again.status != 0, "\(again)")
                    #expect(try await !cluster.collections(in: "default").contains("rows"))
                }
            }
        }
    }

    @Test("is filled from a source that gives no timestamps, and the counts hold it")
    func noTimestamps() async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [Self.name: Self.shape]
        from.unknownMethods = ["AllocTimestamp"]
        var into = MilvusTwin.Options()
        into.store = .tally
        try await MilvusTwin.with(from) { [into] source in
            try await MilvusTwin.with(into) { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    verify: counts
                    """)
                let ended = try await tool.run(["run", file, "--job", "job"])
                #expect(ended.status == 0, "\(ended)")
                #expect(
                    try target.tally(of: Self.name) == MilvusTwin.expectedTally(rows: Self.rows))
            }
        }
    }

    /// What the rows of the collection hold, every copy that can be read; they are made of the row's
    /// number. Copies that cannot be read are found by the count.
    private func titles(on endpoint: MilvusEndpoint) async throws -> [PrimaryKey] {
        try await MilvusCluster.withCluster(endpoint) { cluster in
            try await cluster.load(Self.name)
            let described = try await cluster.describe(Self.name)
            let schema = try #require(described).schema
            let key = try #require(schema.fields.first { $0.isPrimaryKey })
            let title = try #require(schema.fields.first { $0.name == "title" })
            var titles: [PrimaryKey] = []
            var last: PrimaryKey?
            while true {
                let rows = RowSelection(
                    collection: Self.name, primaryKey: key, range: KeyRange(after: last))
                let page = try await cluster.page(
                    PageRequest(
                        rows: rows, fields: [key, title], rowLimit: 10_000, timestamp: nil))
                guard page.batch.rowCount > 0 else { break }
                last = page.lastKey
                titles += try cluster.codec.keys(in: page.batch.columns[1])
            }
            let every = RowSelection(collection: Self.name, primaryKey: key, range: .all)
            #expect(try await cluster.count(every) == Int64(titles.count))
            return titles
        }
    }
}
