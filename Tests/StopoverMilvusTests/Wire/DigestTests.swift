import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("The digests of a column's rows")
struct DigestTests {
    static let groups = 0..<20
    private let codec = FieldDataCodec()
    private static let digestSeed: UInt64 = 0xC0FFEE

    @Test("are the same however the rows are encoded, and others for other rows", arguments: groups)
    func encodings(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 100) { seed throws in
            var random = WireRandom(seed: seed)
            let field = NastyRows.field(random.pick(NastyRows.types), &random)
            let rows = NastyRows.rows(field, &random)
            guard !rows.isEmpty else { return }
            let first = try digests(field, rows, &random)
            #expect(first.count == rows.count, "seed \(seed)")
            #expect(try digests(field, rows, &random) == first, "\(field.type), seed \(seed)")
            // Two texts of JSON, and two orders of a sparse vector, may say the same.
            guard ![.json, .sparseFloatVector].contains(field.type) else { return }
            let said = rows.map { canonical($0, field) }
            for left in rows.indices {
                for right in rows.indices.dropFirst(left) {
                    #expect(
                        (said[left] == said[right]) == (first[left] == first[right]),
                        "\(field.type): \(said[left]), \(said[right]), seed \(seed)")
                }
            }
        }
    }

    private func digests(
        _ field: FieldSchema, _ rows: [RowValue], _ random: inout WireRandom
    ) throws -> [UInt64] {
        try codec.digests(
            of: GeneratedColumn.column(field, rows, &random), rowCount: rows.count,
            seed: Self.digestSeed)
    }

    /// Small integers are 32 bits on the wire, and every NaN of a scalar is one.
    private func canonical(_ value: RowValue, _ field: FieldSchema) -> RowValue {
        let isSmall = [.int8, .int16, .int32].contains(field.elementType ?? field.type)
        switch value {
        case .float(let bits) where !field.type.isVector && Float(bitPattern: bits).isNaN:
            return .float(Float.nan.bitPattern)
        case .double(let bits) where Double(bitPattern: bits).isNaN:
            return .double(Double.nan.bitPattern)
        case .int(let number) where isSmall:
            return .int(Int64(Int32(truncatingIfNeeded: number)))
        case .list(let values): return .list(values.map { canonical($0, field) })
        default: return value
        }
    }

    @Test("take a null for no value that there is")
    func null() throws {
        var random = WireRandom(seed: 1)
        let zeros: [(DataType, RowValue)] = [
            (DataType.varchar, RowValue.text("")), (.int64, .int(0)), (.double, .double(0)),
            (.bool, .bool(false)), (.json, .bytes(Array("null".utf8))), (.array, .list([])),
        ]
        for (type, zero) in zeros {
            var field = FieldSchema(name: "f", type: type)
            field.isNullable = true
            if type == .array { field.elementType = .int64 }
            let digests = try digests(field, [.null, zero, .null], &random)
            #expect(digests[0] == digests[2] && digests[0] != digests[1], "\(type)")
        }
    }

    @Test("follow the seed")
    func seed() throws {
        var random = WireRandom(seed: 1)
        let field = FieldSchema(name: "f", type: .int64)
        let column = try GeneratedColumn.column(field, [.int(1)], &random)
        #expect(
            try codec.digests(of: column, rowCount: 1, seed: 1)
                != codec.digests(of: column, rowCount: 1, seed: 2))
    }

    @Test("refuse a column of other rows")
    func wrongCount() throws {
        var random = WireRandom(seed: 1)
        for type in [DataType.int64, .varchar, .double] {
            let field = FieldSchema(name: "f", type: type)
            let values: [RowValue] =
                type == .varchar
                ? [.text("a"), .text("b")]
                : type == .int64
                    ? [.int(1), .int(2)]
                    : [.double(1), .double(2)]
            let column = try GeneratedColumn.column(field, values, &random)
            for rowCount in [1, 3] {
                #expect(throws: StopoverError.self) {
                    try codec.digests(of: column, rowCount: rowCount, seed: 1)
                }
            }
        }
    }

    // MARK: JSON

    private func json(_ text: String) -> UInt64 {
        var digest = JSONDigest(seed: 7)
        return Array(text.utf8).withUnsafeBufferPointer { digest.digest($0) }
    }

    @Test(
        "are the same for JSON that says the same",
        arguments: [
            (#"{"a":1,"b":[true,null]}"#, #" { "b" : [ true , null ] , "a" : 1 } "#),
            (#"{"a":2.50}"#, #"{"a":2.5}"#), (#"{"a":25e-1}"#, #"{"a":2.5}"#),
            (#"{"é":"ü"}"#, #"{"\u00e9":"\u00FC"}"#), (#"["\/"]"#, #"["/"]"#),
            (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("[-0]", "[0]"),
            (#"{"a":{"x":1,"y":[{}]}}"#, #"{"a":{"y":[{}],"x":1}}"#), (#""😀""#, #""\ud83d\ude00""#),
            ("123456789012345678901234567890", " 123456789012345678901234567890"),
        ])
    func sameJSON(_ left: String, _ right: String) {
        #expect(json(left) == json(right))
    }

    @Test("are different for JSON that says something else")
    func otherJSON() {
        let texts = [
            "1", "1.0", "true", #""1""#, "null", "[]", "{}", "[1]", "[[1]]", #"{"a":1}"#,
            #"{"a":1.0}"#,
            #"{"a":null}"#, #"{"a":{}}"#, #"{"a":[]}"#, "[1,2]", "[2,1]", "0", "-0.0", "0.0",
            #""""#,
            #"{"a":1,"b":2}"#, #"{"a":2,"b":1}"#, "not json", "", "9007199254740993",
            "9007199254740992", #"{"a":{"b":1}}"#, #"{"a":[{"b":1}]}"#, "[null]", "[false]", "-1",
        ]
        let digests = Set(texts.map(json))
        #expect(digests.count == texts.count)
    }

    @Test("are taken of JSON of any depth")
    func depth() {
        let deep = String(repeating: "[", count: 9_000) + String(repeating: "]", count: 9_000)
        let deeper = String(repeating: "[", count: 9_001) + String(repeating: "]", count: 9_001)
        #expect(json(deep) != json(deeper))
    }
}
