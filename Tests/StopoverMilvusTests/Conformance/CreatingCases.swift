import MilvusProto
import StopoverCore

extension ConformanceCase {
    /// What is created is described back.
    static let describing: [ConformanceCase] = [
        ConformanceCase("describe: names and types of fields") { server in
            let table = ConformanceTable(server)
            try await table.create()
            let schema = try await table.describe().schema
            return schema.fields.map { field in
                "\(field.name) \(field.dataType)" + (field.isPrimaryKey ? " key" : "")
            }.joined(separator: ", ")
        },
        ConformanceCase("describe: max_length, dim and max_capacity") { server in
            var table = ConformanceTable(server)
            table.more = [
                ConformanceTable.field("text", .varchar, [("max_length", "77")]),
                ConformanceTable.field("list", .array, [("max_capacity", "9")]) {
                    $0.elementType = DataType.int32.rawValue
                },
            ]
            try await table.create()
            let schema = try await table.describe().schema
            return schema.fields.flatMap { field in
                field.typeParams.map { "\(field.name).\($0.key)=\($0.value)" }
            }.sorted().joined(separator: " ")
        },
        ConformanceCase("describe: a default value") { server in
            var table = ConformanceTable(server)
            table.more = [
                ConformanceTable.field("size", .int64) { $0.defaultValue.longData = 42 }
            ]
            try await table.create()
            let field = try await table.describe().schema.fields.last
            return "\(field?.name ?? "") \(field?.defaultValue.longData ?? 0)"
        },
        ConformanceCase("describe: a nullable field") { server in
            var table = ConformanceTable(server)
            table.more = [ConformanceTable.field("size", .int64) { $0.nullable = true }]
            try await table.create()
            let field = try await table.describe().schema.fields.last
            return field?.nullable == true ? "nullable" : "not nullable"
        },
        ConformanceCase("describe: a partition key and its partitions") { server in
            var table = ConformanceTable(server)
            table.more = [ConformanceTable.field("tenant", .int64) { $0.isPartitionKey = true }]
            try await table.create(partitions: 7)
            let described = try await table.describe()
            let key = described.schema.fields.filter(\.isPartitionKey).map(\.name)
            return "\(key.joined()), \(described.numPartitions) partitions"
        },
        ConformanceCase("describe: dynamic keys") { server in
            var table = ConformanceTable(server)
            table.hasDynamicKeys = true
            try await table.create()
            let schema = try await table.describe().schema
            return (schema.enableDynamicField ? "dynamic" : "not dynamic")
                + ", \(schema.fields.count) fields"
        },
        ConformanceCase("describe: properties") { server in
            var table = ConformanceTable(server)
            table.properties = [("collection.ttl.seconds", "3600")]
            try await table.create()
            let properties = try await table.describe().properties
            return properties.filter { $0.key.hasPrefix("collection.") }
                .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        },
        ConformanceCase("describe: Auto ID that the field alone asks for") { server in
            var table = ConformanceTable(server)
            table.isAutoID = true
            try await table.create()
            let schema = try await table.describe().schema
            return "field \(schema.fields[0].autoID), schema \(schema.autoID)"
        },
        ConformanceCase("describe: consistency level and shards") { server in
            let table = ConformanceTable(server)
            try await table.create()
            let described = try await table.describe()
            return "level \(described.consistencyLevel), \(described.shardsNum) shards"
        },
        ConformanceCase("describe: a missing collection") { server in
            try await server.outcome { _ = try await ConformanceTable(server).describe() }
        },
    ]

    static let creating: [ConformanceCase] = [
        ConformanceCase("create: the same again") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: another schema under a taken name") { server in
            var table = ConformanceTable(server)
            try await table.create()
            table.more = [ConformanceTable.field("other", .int64)]
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: a name that begins with a digit") { server in
            var table = ConformanceTable(server)
            table.name = "9" + table.name
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: a name with a hyphen") { server in
            try await server.outcome { try await ConformanceTable(server, "-a").create() }
        },
        ConformanceCase("create: a name of 255 bytes") { server in
            var table = ConformanceTable(server)
            table.name += String(repeating: "x", count: 255 - table.name.utf8.count)
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: a name of 256 bytes") { server in
            var table = ConformanceTable(server)
            table.name += String(repeating: "x", count: 256 - table.name.utf8.count)
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: two fields of one name") { server in
            var table = ConformanceTable(server)
            table.more = [ConformanceTable.field("number", .int64)]
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: a VARCHAR without max_length") { server in
            var table = ConformanceTable(server)
            table.more = [ConformanceTable.field("text", .varchar)]
            return try await server.outcome { try await table.create() }
        },
        ConformanceCase("create: no primary key") { server in
            let table = ConformanceTable(server)
            var schema = table.schema
            schema.fields[0].isPrimaryKey = false
            let bytes = try schema.serializedData()
            return try await server.outcome {
                try await server.perform(
                    "CreateCollection",
                    MilvusCreateCollectionRequest.with {
                        $0.collectionName = table.name
                        $0.schema = bytes
                    })
            }
        },
        ConformanceCase("drop: a missing collection") { server in
            try await server.outcome { try await ConformanceTable(server).drop() }
        },
        ConformanceCase("drop: and create again with another schema") { server in
            var table = ConformanceTable(server)
            try await table.create()
            try await table.drop()
            table.more = [ConformanceTable.field("other", .int64)]
            try await table.create()
            return "\(try await table.describe().schema.fields.count) fields"
        },
        ConformanceCase("create: loaded or not before any index") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await table.loadState()
        },
    ]

    static let renaming: [ConformanceCase] = [
        ConformanceCase("rename: describes under the new name, with its rows") { server in
            var table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.rename(to: server.name("_new"))
            table.name = server.name("_new")
            try await table.load()
            return try await table.rows("id > 0")
        },
        ConformanceCase("rename: to a taken name") { server in
            let table = ConformanceTable(server)
            let other = ConformanceTable(server, "_other")
            try await table.create()
            try await other.create()
            return try await server.outcome { try await table.rename(to: other.name) }
        },
        ConformanceCase("rename: to its own name") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await server.outcome { try await table.rename(to: table.name) }
        },
        ConformanceCase("rename: of a missing collection") { server in
            let table = ConformanceTable(server)
            return try await server.outcome { try await table.rename(to: server.name("_new")) }
        },
        ConformanceCase("rename: into another database") { server in
            let other = server.name("_db")
            try await server.perform(
                "CreateDatabase", MilvusCreateDatabaseRequest.with { $0.dbName = other })
            let table = ConformanceTable(server)
            try await table.create()
            try await table.rename(to: server.name("_new"), database: other)
            var moved = ConformanceTable(server, "_new")
            moved.server.database = other
            return try await server.outcome { _ = try await moved.describe() }
        },
        ConformanceCase("rename: into a missing database") { server in
            let table = ConformanceTable(server)
            try await table.create()
            return try await server.outcome {
                try await table.rename(to: server.name("_new"), database: server.name("_db"))
            }
        },
        ConformanceCase("rename: an Insert under the old name afterwards") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.rename(to: server.name("_new"))
            return try await server.outcome { try await table.insert([1]) }
        },
        ConformanceCase("rename: an Upsert under the old name afterwards") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.rename(to: server.name("_new"))
            return try await server.outcome { try await table.upsert([1]) }
        },
        ConformanceCase("rename: a loaded collection stays loaded") { server in
            var table = ConformanceTable(server)
            try await table.open()
            try await table.rename(to: server.name("_new"))
            table.name = server.name("_new")
            return try await table.loadState()
        },
    ]
}
