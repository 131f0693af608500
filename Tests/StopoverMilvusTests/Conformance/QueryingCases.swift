import MilvusProto
import StopoverCore

@testable import StopoverMilvus

extension ConformanceCase {
    static let querying: [ConformanceCase] = [
        ConformanceCase("query: pages with `iterator`, to an empty one") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([5, 1, 4, 2, 3])
            var pages: [String] = []
            var last: Int64 = 0
            repeat {
                let keys = try await table.query("id > \(last)", limit: 2).keys
                pages.append(keys.joined(separator: " "))
                guard let key = keys.last.flatMap({ Int64($0) }) else { break }
                last = key
            } while pages.count < 9
            return pages.joined(separator: " | ")
        },
        ConformanceCase("query: an empty page has no rows in any column") { server in
            let table = ConformanceTable(server)
            try await table.open()
            let reply = try await table.query("id > 0")
            return "\(reply.keys.count) keys, \(reply.longs("number").count) numbers"
        },
        ConformanceCase("query: a range, open below and closed above") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3, 4, 5])
            return try await table.rows("id > 2 and id <= 4")
        },
        ConformanceCase("query: ranges joined by `or`") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3, 4, 5])
            return try await table.rows("((id > 0 and id <= 1) or (id > 4)) and (id <= 5)")
        },
        ConformanceCase("query: a list of keys, some missing") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3])
            return try await table.rows("id in [3, 1, 9]")
        },
        ConformanceCase("query: one key") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3])
            return try await table.rows("id == 2")
        },
        ConformanceCase("query: by another field") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1], number: 7)
            try await table.insert([2], number: 8)
            return try await server.answer { try await table.rows("number == 8") }
        },
        ConformanceCase("query: count(*) with an expression") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3])
            return "\(try await table.count("id > 1"))"
        },
        ConformanceCase("query: count(*) without an expression") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2, 3])
            return "\(try await table.count(""))"
        },
        ConformanceCase("query: count(*) without an expression is that with one") { server in
            let table = ConformanceTable(server)
            try await table.open()
            var differences: [String] = []
            func compare(_ moment: String) async throws {
                let (bare, filtered) = (try await table.count(""), try await table.count("id > 0"))
                if bare != filtered { differences.append("\(moment): \(bare), \(filtered)") }
            }
            try await table.insert([1, 2, 3, 4])
            try await compare("inserted")
            try await table.insert([2, 3])
            try await compare("doubled")
            try await table.delete("id in [3]")
            try await compare("deleted")
            try await table.upsert([4])
            try await compare("upserted")
            try await table.flush()
            try await compare("flushed")
            return differences.isEmpty ? "always" : differences.joined(separator: "; ")
        },
        ConformanceCase("query: rows, unloaded") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.release()
            return try await server.answer { try await table.rows("id > 0") }
        },
        ConformanceCase("query: count(*), unloaded") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.release()
            return try await server.answer { "\(try await table.count())" }
        },
        ConformanceCase("query: a missing collection") { server in
            try await server.answer { try await ConformanceTable(server).rows("id > 0") }
        },
        ConformanceCase("query: a field that the collection does not have") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            return try await server.answer {
                ConformanceTable.words(
                    try await table.query("id > 0", fields: ["id", "other"]).keys)
            }
        },
        ConformanceCase("query: an expression that cannot be read") { server in
            let table = ConformanceTable(server)
            try await table.open()
            return try await server.answer { try await table.rows("id >") }
        },
        ConformanceCase("query: a limit above the window") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            return try await server.answer { try await table.rows("id > 0", limit: 16_385) }
        },
        ConformanceCase("query: the greatest limit of the window") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            return try await server.answer { try await table.rows("id > 0", limit: 16_384) }
        },
        ConformanceCase("query: no expression, with a limit") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([2, 1])
            return try await server.answer { try await table.rows("", limit: 10) }
        },
        ConformanceCase("query: no expression and no limit") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            return try await server.answer { try await table.rows("", limit: nil) }
        },
        ConformanceCase("query: a named partition") { server in
            let table = try await partitioned(server)
            return try await table.rows("id > 0", partitions: ["p"])
        },
        ConformanceCase("query: all partitions, in the order of keys") { server in
            let table = try await partitioned(server)
            // Page by page: the first one of 2.3.5 may be short of rows that the next one has.
            var keys: [String] = []
            while let last = try await table.query("id > \(keys.last ?? "0")").keys.nilIfEmpty {
                keys += last
            }
            return ConformanceTable.words(keys)
        },
        ConformanceCase("query: count(*) of a named partition") { server in
            let table = try await partitioned(server)
            return "\(try await table.count("id > 0", partitions: ["p"]))"
        },
        ConformanceCase("query: count(*) of a named partition without an expression") { server in
            let table = try await partitioned(server)
            return "\(try await table.count("", partitions: ["p"]))"
        },
        ConformanceCase("query: a missing partition") { server in
            let table = ConformanceTable(server)
            try await table.open()
            return try await server.answer {
                try await table.rows("id > 0", partitions: ["nowhere"])
            }
        },
        ConformanceCase("query: one dynamic key") { server in
            let table = try await dynamic(server)
            let reply = try await table.query("id > 0", fields: ["id", "a"])
            return dynamicKeys(reply)
        },
        ConformanceCase("query: `$meta` that was not asked for") { server in
            let table = try await dynamic(server)
            return dynamicKeys(try await table.query("id > 0", fields: ["id"]))
        },
        ConformanceCase("query: vectors") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1, 2])
            let reply = try await table.query("id > 0", fields: ["id", "vector"])
            let vectors = reply.fieldsData.first { $0.fieldName == "vector" }?.vectors
            return "dim \(vectors?.dim ?? 0): \(vectors?.floatVector.data ?? [])"
        },
        ConformanceCase("query: a key that was not asked for comes too") { server in
            let table = ConformanceTable(server)
            try await table.open()
            try await table.insert([1])
            return ConformanceTable.words(
                try await table.query("id > 0", fields: ["number"]).keys)
        },
    ]

    /// 1 and 4 in `p`, 2 and 3 beside it.
    private static func partitioned(_ server: ConformanceServer) async throws -> ConformanceTable {
        let table = ConformanceTable(server)
        try await table.create()
        try await table.createPartition("p")
        try await table.index()
        try await table.load()
        try await table.insert([1, 4], partition: "p")
        try await table.insert([3, 2])
        return table
    }

    /// One row with the dynamic keys `a` and `b`.
    private static func dynamic(_ server: ConformanceServer) async throws -> ConformanceTable {
        var table = ConformanceTable(server)
        table.hasDynamicKeys = true
        try await table.open()
        try await table.insert([1]) { request in
            request.fieldsData.append(
                .with {
                    $0.type = DataType.json.rawValue
                    $0.isDynamic = true
                    $0.scalars.jsonData.data = [.init("{\"a\":1,\"b\":2}".utf8)]
                })
        }
        return table
    }

    private static func dynamicKeys(_ reply: MilvusQueryResults) -> String {
        guard let column = reply.fieldsData.first(where: \.isDynamic) else { return "no $meta" }
        return String(decoding: column.scalars.jsonData.data.first ?? .init(), as: UTF8.self)
            .filter { $0 != " " }
    }

    // MARK: Keys

    static let queryingKeys: [ConformanceCase] =
        [
            ("a quote", "a\"b"), ("a backslash", "a\\b"), ("a newline", "a\nb"),
            ("an emoji", "a👍b"), ("an apostrophe", "a'b"), ("a tab", "a\tb"), ("nothing", ""),
            ("a NUL", "a\u{0}b"),
        ].map { words, key in
            ConformanceCase("keys: a text with \(words), found and passed by") { server in
                var table = ConformanceTable(server)
                table.keyType = .varchar
                try await table.open()
                try await table.insert(texts: [key, "zzz"])
                let literal = try KeyExpression.quoted(Array(key.utf8))
                return try await table.rows("id in [\(literal)]") + ", behind it "
                    + (try await table.rows("id > \(literal)"))
            }
        }
        + [
            ConformanceCase("keys: texts in the order of their bytes") { server in
                var table = ConformanceTable(server)
                table.keyType = .varchar
                try await table.open()
                try await table.insert(texts: ["b", "B", "é", "", "a", "👍", "aa"])
                return try await table.rows("id >= \"\"")
            },
            ConformanceCase("keys: numbers below zero, in order") { server in
                let table = ConformanceTable(server)
                try await table.open()
                try await table.insert([3, -1, 0, -7])
                return try await table.rows("id > -5") + ", all "
                    + (try await table.rows("id <= \(Int64.max)"))
            },
            ConformanceCase("keys: INT64_MIN is read behind no other") { server in
                let table = ConformanceTable(server)
                try await table.open()
                try await table.insert([.min, .min + 1, 0])
                return try await table.rows("id <= \(Int64.max)")
            },
            ConformanceCase("keys: INT64_MIN as a literal") { server in
                let table = ConformanceTable(server)
                try await table.open()
                try await table.insert([.min, 0])
                return try await server.answer { try await table.rows("id > \(Int64.min)") }
            },
            ConformanceCase("keys: up to INT64_MIN without that literal") { server in
                let table = ConformanceTable(server)
                try await table.open()
                try await table.insert([.min, .min + 1, 0])
                return try await table.rows("id < \(Int64.min + 1)")
            },
            ConformanceCase("keys: INT64_MAX, counted") { server in
                let table = ConformanceTable(server)
                try await table.open()
                try await table.insert([0, .max])
                return "\(try await table.count("id <= \(Int64.max)"))"
            },
            ConformanceCase("keys: INT64_MAX, read") { server in
                let table = ConformanceTable(server)
                try await table.open()
                try await table.insert([0, .max])
                return try await table.rows("id > \(Int64.max - 1)")
            },
        ]
}

extension Array {
    fileprivate var nilIfEmpty: Self? { isEmpty ? nil : self }
}
