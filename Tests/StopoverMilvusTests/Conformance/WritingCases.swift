import MilvusProto
import StopoverCore

extension ConformanceCase {
    static let inserting: [ConformanceCase] = [
        ConformanceCase("insert: answers keys in the order of rows, and counts them") { server in
            let table = ConformanceTable(server)
            try await table.open()
            let reply = try await table.insert([5, 3, 9])
            return "\(reply.ids.words); \(reply.insertCnt) inserted"
        },
        ConformanceCase("insert: answers text keys in the order of rows") { server in
            var table = ConformanceTable(server)
            table.keyType = .varchar
            try await table.open()
            return try await table.insert(texts: ["b", "", "a"]).ids.words
        },
        ConformanceCase("insert: keys of Auto ID follow one another") { server in
            var table = ConformanceTable(server)
            table.isAutoID = true
            try await table.open()
            let ids = try await table.insert([0, 0, 0, 0]).ids.intID.data
            let isContiguous = zip(ids, ids.dropFirst()).allSatisfy { $0 + 1 == $1 }
            return "\(ids.count) keys, " + (isContiguous ? "contiguous" : "not contiguous")
        },
        ConformanceCase("insert: two requests of Auto ID have no key in common") { server in
            var table = ConformanceTable(server)
            table.isAutoID = true
            try await table.open()
            let first = try await table.insert([0, 0, 0]).ids.intID.data
            let second = try await table.insert([0, 0, 0]).ids.intID.data
            return "\(Set(first + second).count) keys"
        },
        ConformanceCase("insert: a key given to Auto ID") { server in
            var table = ConformanceTable(server)
            table.isAutoID = true
            try await table.open()
            return try await server.outcome {
                try await table.insert([11]) {
                    $0.fieldsData.append(ConformanceTable.longs("id", [11]))
                }
            }
        },
        ConformanceCase("insert: an existing key, counted") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.insert([2, 3])
            return "\(try await table.count())"
        },
        ConformanceCase("insert: an existing key, read") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.insert([2, 3])
            return try await table.rows("id > 0")
        },
        ConformanceCase("insert: into an unloaded collection") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.index()
            let inserted = try await server.outcome { try await table.insert([1, 2]) }
            try await table.load()
            return inserted + ", " + (try await table.rows("id > 0"))
        },
        ConformanceCase("insert: dynamic keys, read back") { server in
            var table = ConformanceTable(server)
            table.hasDynamicKeys = true
            try await table.open()
            try await table.insert([1]) { request in
                request.fieldsData.append(
                    .with {
                        $0.type = DataType.json.rawValue
                        $0.isDynamic = true
                        $0.scalars.jsonData.data = [.init("{\"a\":1}".utf8)]
                    })
            }
            let reply = try await table.query("id > 0", fields: ["id", "$meta"])
            let column = reply.fieldsData.first(where: \.isDynamic)
            let text = String(
                decoding: column?.scalars.jsonData.data.first ?? .init(), as: UTF8.self)
            return text.filter { $0 != " " }
        },
        ConformanceCase("insert: dynamic keys left out are an empty object") { server in
            var table = ConformanceTable(server)
            table.hasDynamicKeys = true
            try await table.open()
            try await table.insert([1])
            let reply = try await table.query("id > 0", fields: ["id", "$meta"])
            let column = reply.fieldsData.first(where: \.isDynamic)
            return String(decoding: column?.scalars.jsonData.data.first ?? .init(), as: UTF8.self)
        },
        ConformanceCase("insert: columns in another order than the schema") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2], number: 7) { $0.fieldsData.reverse() }
            return "\(try await table.query("id > 0").longs("number"))"
        },
    ]

    /// A request that does not fit its collection.
    private static func spoiled(
        _ name: String, more: [MilvusFieldSchema] = [],
        _ spoil: @escaping @Sendable (inout MilvusInsertRequest) -> Void
    ) -> ConformanceCase {
        ConformanceCase("insert: " + name) { server in
            var table = ConformanceTable(server)
            table.more = more
            try await table.open()
            let outcome = try await server.outcome { try await table.insert([1, 2], spoil) }
            return outcome + ", \(try await table.count()) rows"
        }
    }

    private static let text = ConformanceTable.field("text", .varchar, [("max_length", "4")])

    static let insertingBadly: [ConformanceCase] = [
        spoiled("a missing column") { $0.fieldsData.removeLast() },
        spoiled("a missing key column") { $0.fieldsData.removeFirst() },
        spoiled("a column that the collection does not have") {
            $0.fieldsData.append(ConformanceTable.longs("other", [1, 2]))
        },
        spoiled("vectors of another dimension") {
            $0.fieldsData[1].vectors.dim = 3
            $0.fieldsData[1].vectors.floatVector.data = [1, 2, 3, 4, 5, 6]
        },
        spoiled("a vector's last element is missing") {
            $0.fieldsData[1].vectors.floatVector.data.removeLast()
        },
        // Texts where numbers are expected are no case: 2.3.5 acknowledges them, and dies.
        spoiled("a column with a value less") {
            $0.fieldsData[2] = ConformanceTable.longs("number", [1])
        },
        spoiled("num_rows above the rows") { $0.numRows = 3 },
        spoiled("num_rows below the rows") { $0.numRows = 1 },
        spoiled("no rows") {
            $0.numRows = 0
            for index in $0.fieldsData.indices { $0.fieldsData[index].field = nil }
        },
        spoiled("a text of max_length", more: [text]) {
            $0.fieldsData.append(ConformanceTable.texts("text", ["abcd", ""]))
        },
        spoiled("a text longer than max_length", more: [text]) {
            $0.fieldsData.append(ConformanceTable.texts("text", ["abcd", "abcde"]))
        },
        spoiled("a text of too many bytes and not too many characters", more: [text]) {
            $0.fieldsData.append(ConformanceTable.texts("text", ["ab", "éééé"]))
        },
        spoiled("null where it is not allowed", more: [text]) {
            $0.fieldsData.append(ConformanceTable.texts("text", ["abcd"]))
            $0.fieldsData[3].validData = [true, false]
        },
        spoiled("into a missing partition") { $0.partitionName = "nowhere" },
        spoiled("into a missing collection") { $0.collectionName += "_nowhere" },
        spoiled("into a missing database") { $0.dbName = "nowhere" },
    ]

    static let upserting: [ConformanceCase] = [
        ConformanceCase("upsert: replaces, and adds what is not there") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2], number: 1)
            try await table.upsert([2, 3], number: 5)
            let reply = try await table.query("id > 0")
            return "\(reply.keys) \(reply.longs("number")), \(try await table.count()) counted"
        },
        ConformanceCase("upsert: answers keys in the order of rows, and counts them") { server in
            let table = ConformanceTable(server)
            try await table.open()
            let reply = try await table.upsert([5, 3])
            return "\(reply.ids.words); \(max(reply.upsertCnt, reply.insertCnt)) written"
        },
        ConformanceCase("upsert: the same twice") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.upsert([1, 2])
            try await table.upsert([1, 2])
            return "\(try await table.count())"
        },
        ConformanceCase("upsert: into an unloaded collection") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.index()
            try await table.insert([1, 2])
            let upserted = try await server.outcome { try await table.upsert([2, 3]) }
            try await table.load()
            return upserted + ", " + (try await table.rows("id > 0"))
        },
        ConformanceCase("upsert: a key twice in one request") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.upsert([4, 4])
            return "\(try await table.count())"
        },
        ConformanceCase("upsert: a key of another partition") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.createPartition("p")
            try await table.index()
            try await table.load()
            try await table.insert([1], partition: "p")
            try await table.upsert([1])
            return "\(try await table.count())"
        },
        ConformanceCase("upsert: with a key, on Auto ID") { server in
            var table = ConformanceTable(server)
            table.isAutoID = true
            try await table.open()
            return try await server.outcome {
                try await table.upsert([11]) {
                    $0.fieldsData.append(ConformanceTable.longs("id", [11]))
                }
            }
        },
        ConformanceCase("upsert: without a key, on Auto ID") { server in
            var table = ConformanceTable(server)
            table.isAutoID = true
            try await table.open()
            return try await server.outcome { try await table.upsert([0]) }
        },
        ConformanceCase("upsert: a text key") { server in
            var table = ConformanceTable(server)
            table.keyType = .varchar
            try await table.open()
            try await table.insert(texts: ["a", "b"])
            try await table.upsert([0, 0]) {
                $0.fieldsData[0] = ConformanceTable.texts("id", ["b", "c"])
            }
            return try await table.rows("id >= \"\"")
        },
    ]

    static let deleting: [ConformanceCase] = [
        ConformanceCase("delete: by keys") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3, 4])
            try await table.delete("id in [2, 3]")
            return try await table.rows("id > 0") + ", \(try await table.count()) counted"
        },
        ConformanceCase("delete: every copy of a key") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            try await table.insert([2])
            try await table.delete("id in [2]")
            return "\(try await table.count())"
        },
        ConformanceCase("delete: missing keys") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            let deleted = try await server.outcome { try await table.delete("id in [8, 9]") }
            return deleted + ", " + (try await table.rows("id > 0"))
        },
        ConformanceCase("delete: by keys, unloaded") { server in
            let table = ConformanceTable(server)
            try await table.create()
            try await table.index()
            try await table.insert([1, 2])
            let deleted = try await server.outcome { try await table.delete("id in [2]") }
            try await table.load()
            return deleted + ", " + (try await table.rows("id > 0"))
        },
        ConformanceCase("delete: by a range of keys") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3])
            let deleted = try await server.outcome { try await table.delete("id > 1") }
            return deleted + ", " + (try await table.rows("id > 0"))
        },
        ConformanceCase("delete: by another field") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2], number: 7)
            let deleted = try await server.outcome { try await table.delete("number == 7") }
            return deleted + ", " + (try await table.rows("id > 0"))
        },
        ConformanceCase("delete: and insert the key again") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2], number: 1)
            try await table.delete("id in [2]")
            try await table.insert([2], number: 2)
            let reply = try await table.query("id > 0")
            return "\(reply.keys) \(reply.longs("number")), \(try await table.count()) counted"
        },
        ConformanceCase("delete: in a missing collection") { server in
            try await server.outcome { try await ConformanceTable(server).delete("id in [1]") }
        },
    ]
}
