import MilvusProto
import StopoverCore

extension ConformanceCase {
    static let indexing: [ConformanceCase] = [
        ConformanceCase("index: the same again") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.index()
            return try await server.outcome { try await table.index() }
        },
        ConformanceCase("index: another one on the same field") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.index("L2")
            return try await server.outcome { try await table.index("COSINE") }
        },
        ConformanceCase("index: on a missing field") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await server.outcome { try await table.index(on: "other") }
        },
        ConformanceCase("index: described") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.index("COSINE")
            return try await indexes(of: table)
        },
        ConformanceCase("index: none, described") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await server.answer { try await indexes(of: table) }
        },
        ConformanceCase("index: of a missing collection, described") { server in
            try await server.answer { try await indexes(of: ConformanceTable(server)) }
        },
        ConformanceCase("index: in a missing collection") { server in
            try await server.outcome { try await ConformanceTable(server).index() }
        },
    ]

    private static func indexes(of table: ConformanceTable) async throws -> String {
        let reply = try await table.server.call(
            "DescribeIndex",
            MilvusDescribeIndexRequest.with {
                $0.dbName = table.server.database
                $0.collectionName = table.name
            }, as: MilvusDescribeIndexResponse.self)
        return reply.indexDescriptions.map { index in
            let params = index.params.filter { ["index_type", "metric_type"].contains($0.key) }
                .map(\.value).sorted()
            return "\(index.fieldName) \(params.joined(separator: " "))"
        }.joined(separator: ", ")
    }

    static let loading: [ConformanceCase] = [
        ConformanceCase("load: without an index") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await server.outcome { try await table.load() }
        },
        ConformanceCase("load: twice") { server in
            let table = ConformanceTable(server)
            try await table.open()
            return try await server.outcome { try await table.load() }
        },
        ConformanceCase("load: a missing collection") { server in
            try await server.outcome { try await ConformanceTable(server).load() }
        },
        ConformanceCase("load: state of a missing collection") { server in
            try await server.answer { try await ConformanceTable(server).loadState() }
        },
        ConformanceCase("load: state after release") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.release()
            return try await table.loadState()
        },
        ConformanceCase("load: state of a partition of a loaded collection") { server in
            let table = ConformanceTable(server)
            try await table.open()
            return try await table.loadState(partitions: ["_default"])
        },
        ConformanceCase("load: state of a missing partition") { server in
            let table = ConformanceTable(server)
            try await table.open()
            return try await server.answer { try await table.loadState(partitions: ["nowhere"]) }
        },
        ConformanceCase("load: rows are there again after release and load") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.release()
            try await table.load()
            return try await table.rows("id > 0")
        },
    ]

    static let flushing: [ConformanceCase] = [
        ConformanceCase("flush: ends, and the rows are there") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.flush()
            return try await table.rows("id > 0")
        },
        ConformanceCase("flush: a collection without rows") { server in
            let table = ConformanceTable(server)
            try await table.open()
            return try await server.outcome { try await table.flush() }
        },
        ConformanceCase("flush: a missing collection") { server in
            try await server.outcome { try await ConformanceTable(server).flush() }
        },
        ConformanceCase("flush: state of nothing") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            return try await table.isFlushed(MilvusFlushResponse()) ? "flushed" : "not flushed"
        },
        ConformanceCase("statistics: before a flush") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            return try await table.statistics()
        },
        ConformanceCase("statistics: after a flush") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.flush()
            return try await table.statistics()
        },
        ConformanceCase("statistics: after a flush, a delete and a flush") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3])
            try await table.flush()
            try await table.delete("id in [2]")
            try await table.flush()
            return "\(try await table.statistics()), \(try await table.count()) counted"
        },
    ]

    // MARK: Partitions, databases, aliases

    static let names: [ConformanceCase] = [
        ConformanceCase("partitions: in the order in which they were made") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.createPartition("b")
            try await table.createPartition("a")
            return try await partitions(of: table)
        },
        ConformanceCase("partitions: the same again") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.createPartition("a")
            return try await server.outcome { try await table.createPartition("a") }
        },
        ConformanceCase("partitions: by hand beside a partition key") { server in
            var table = ConformanceTable(server)
            table.more = [ConformanceTable.field("tenant", .int64) { $0.isPartitionKey = true }]
            let keyed = table
            try await keyed.create(partitions: 3)
            return try await server.outcome { try await keyed.createPartition("a") }
        },
        ConformanceCase("partitions: of a missing collection") { server in
            try await server.answer { try await partitions(of: ConformanceTable(server)) }
        },
        ConformanceCase("databases: created and listed") { server in
            let name = server.name("_db")
            try await createDatabase(name, server)
            let all = try await server.call(
                "ListDatabases", MilvusListDatabasesRequest(), as: MilvusListDatabasesResponse.self
            ).dbNames
            return all.contains(name) && all.contains("default") ? "listed" : "missing"
        },
        ConformanceCase("databases: created again") { server in
            try await createDatabase(server.name("_db"), server)
            return try await server.outcome { try await createDatabase(server.name("_db"), server) }
        },
        ConformanceCase("databases: a name that begins with a digit") { server in
            try await server.outcome { try await createDatabase("9" + server.name("_db"), server) }
        },
        ConformanceCase("databases: collections of a missing one") { server in
            try await server.answer { try await collections(in: "nowhere", server) }
        },
        ConformanceCase("databases: a collection of the same name in two") { server in
            try await createDatabase(server.name("_db"), server)
            let table = ConformanceTable(server)
            var other = table
            other.server.database = server.name("_db")
            try await table.open()
            try await other.open()
            try await table.insert([1])
            try await other.insert([2, 3])
            return try await table.rows("id > 0") + "; " + (try await other.rows("id > 0"))
        },
        ConformanceCase("databases: a missing one, described") { server in
            var table = ConformanceTable(server)
            table.server.database = "nowhere"
            return try await server.outcome { [table] in _ = try await table.describe() }
        },
        ConformanceCase("aliases: created and listed") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await createAlias(of: table)
            let reply = try await server.call(
                "ListAliases",
                MilvusListAliasesRequest.with { $0.collectionName = table.name },
                as: MilvusListAliasesResponse.self)
            return "\(reply.aliases.map { $0.dropFirst(table.name.count) })"
        },
        ConformanceCase("aliases: described with the collection") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await createAlias(of: table)
            return "\(try await table.describe().aliases.map { $0.dropFirst(table.name.count) })"
        },
        ConformanceCase("aliases: rows are read by one") { server in
            var table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await createAlias(of: table)
            table.name += "_alias"
            return try await table.rows("id > 0")
        },
        ConformanceCase("aliases: with the name of a collection") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await ConformanceTable(server, "_alias").create()
            return try await server.outcome { try await createAlias(of: table) }
        },
        ConformanceCase("aliases: the same for another collection") { server in
            let table = ConformanceTable(server)
            let other = ConformanceTable(server, "_other")
            try await table.create()
            try await other.create()
            try await createAlias(of: table)
            return try await server.outcome {
                try await createAlias(table.name + "_alias", of: other)
            }
        },
        ConformanceCase("aliases: a collection with the name of one") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await createAlias(of: table)
            return try await server.outcome {
                try await ConformanceTable(server, "_alias").create()
            }
        },
        ConformanceCase("aliases: a rename to the name of one") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await createAlias(of: table)
            return try await server.outcome { try await table.rename(to: table.name + "_alias") }
        },
    ]

    private static func partitions(of table: ConformanceTable) async throws -> String {
        try await table.server.call(
            "ShowPartitions",
            MilvusShowPartitionsRequest.with {
                $0.dbName = table.server.database
                $0.collectionName = table.name
            }, as: MilvusShowPartitionsResponse.self
        ).partitionNames.joined(separator: " ")
    }

    private static func createDatabase(_ name: String, _ server: ConformanceServer) async throws {
        try await server.perform(
            "CreateDatabase", MilvusCreateDatabaseRequest.with { $0.dbName = name })
    }

    private static func collections(
        in database: String, _ server: ConformanceServer
    ) async throws -> String {
        try await server.call(
            "ShowCollections", MilvusShowCollectionsRequest.with { $0.dbName = database },
            as: MilvusShowCollectionsResponse.self
        ).collectionNames.joined(separator: " ")
    }

    private static func createAlias(
        _ alias: String? = nil, of table: ConformanceTable
    ) async throws {
        try await table.server.perform(
            "CreateAlias",
            MilvusCreateAliasRequest.with {
                $0.dbName = table.server.database
                $0.collectionName = table.name
                $0.alias = alias ?? table.name + "_alias"
            })
    }
}
