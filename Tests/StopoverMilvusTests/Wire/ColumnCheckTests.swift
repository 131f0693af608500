import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("A column that is held against a field of the target")
struct ColumnCheckTests {
    static let groups = 0..<40
    private let codec = FieldDataCodec()

    @Test("names exactly the rows that do not fit", arguments: groups)
    func violations(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 100) { seed throws in try check(seed: seed) }
    }

    private func check(seed: UInt64) throws {
        var random = WireRandom(seed: seed)
        let field = NastyRows.field(random.pick(NastyRows.types), &random)
        let rows = NastyRows.rows(field, &random)
        let column = try GeneratedColumn.column(field, rows, &random)
        let about = Comment(rawValue: "\(field.type), seed \(seed)")
        // What swift-protobuf can decode is what was meant: not all is UTF-8, nor of 32 bits.
        if let decoded = try? GeneratedColumn.rows(column, field), !field.holdsIntegers {
            #expect(decoded == rows, about)
        }

        var wanted = field
        wanted.name = "on the target"
        if field.dimension != nil, random.chance(10) { wanted.typeParams["dim"] = "999" }
        let violations = try codec.violations(in: column, of: wanted, rowCount: rows.count)
        let expected = rows.indices.filter {
            !ReferenceChecks.fits(rows[$0], wanted, dimension: field.dimension)
        }
        #expect(violations.map(\.row) == expected, about)
        for violation in violations {
            #expect(violation.field == "on the target")
            #expect(violation.reason.contains(" "), about)
        }
    }

    // MARK: What is said

    private func reasons(
        _ type: DataType, _ rows: [RowValue], _ change: (inout FieldSchema) -> Void = { _ in }
    ) throws -> [String] {
        var random = WireRandom(seed: 1)
        var field = FieldSchema(name: "f", type: type)
        change(&field)
        let column = try GeneratedColumn.column(field, rows, &random)
        let violations = try codec.violations(in: column, of: field, rowCount: rows.count)
        return violations.map { "\($0.row) \($0.reason)" }
    }

    @Test("says how long a text is, and how long it may be, in bytes")
    func lengths() throws {
        let long = RowValue.text(String(repeating: "é", count: 2_001))
        let fits = RowValue.text(String(repeating: "é", count: 2_000))
        #expect(
            try reasons(.varchar, [fits, long, .bytes([0xC3])]) {
                $0.typeParams["max_length"] = "4000"
            } == ["1 is 4,002 bytes long, of at most 4,000", "2 is not UTF-8"])
        #expect(try reasons(.text, [fits, long]).isEmpty)
    }

    @Test("takes keys that the server makes itself at any length, and others not")
    func keys() throws {
        for isAutoID in [false, true] {
            let found = try reasons(.varchar, [.text("abc"), .text("abcd")]) {
                $0.isPrimaryKey = true
                $0.isAutoID = isAutoID
                $0.typeParams["max_length"] = "3"
            }
            #expect(found == (isAutoID ? [] : ["1 is 4 bytes long, of at most 3"]))
        }
    }

    @Test("says which number of a vector is not finite")
    func floats() throws {
        let one = RowValue.float(Float(1).bitPattern)
        let infinite = RowValue.float((-Float.infinity).bitPattern)
        let notANumber = RowValue.float(Float.nan.bitPattern)
        #expect(
            try reasons(
                .floatVector,
                [.list([one, one]), .list([one, notANumber]), .list([infinite, one])]
            ) { $0.typeParams["dim"] = "2" }
                == [
                    "1 is NaN at position 1, counted from 0",
                    "2 is infinite at position 0, counted from 0",
                ])
        #expect(try reasons(.float, [one, notANumber, infinite]) == ["1 is NaN", "2 is infinite"])
        #expect(
            try reasons(.bfloat16Vector, [.bytes([0x80, 0x7F, 0, 0, 0x81, 0xFF])]) {
                $0.typeParams["dim"] = "3"
            } == ["0 is infinite at position 0, counted from 0"])
        #expect(
            try reasons(.float16Vector, [.bytes([0, 0, 1, 0x7C])]) { $0.typeParams["dim"] = "2" }
                == ["0 is NaN at position 1, counted from 0"])
        #expect(
            try reasons(.double, [.double(Double.nan.bitPattern), .double(0)]) == ["0 is NaN"])
    }

    @Test("says which index of a sparse row is wrong")
    func sparse() throws {
        func row(_ pairs: (UInt32, Float)...) -> RowValue {
            .bytes(pairs.flatMap { $0.littleEndianBytes + $1.bitPattern.littleEndianBytes })
        }
        #expect(
            try reasons(
                .sparseFloatVector,
                [
                    row(), row((0, 0), (.max - 1, 1)), row((7, 1), (7, 1)), row((.max, 1)),
                    row((1_000, -1)), row((1, .nan)), .bytes([1, 2, 3]), row((3, -0.0)),
                ])
                == [
                    "2 has index 7 where 8 or more must follow",
                    "3 has index 4,294,967,295, which servers reserve",
                    "4 is -1.0 at index 1,000", "5 is nan at index 1",
                    "6 is 3 bytes long, which is no multiple of 8",
                ])
    }

    @Test("says how many elements an array has, and which is wrong")
    func arrays() throws {
        #expect(
            try reasons(
                .array, [.list([.int(1)]), .list([.int(1), .int(2), .int(3)]), .list([.int(300)])]
            ) {
                $0.elementType = .int8
                $0.typeParams["max_capacity"] = "2"
            } == [
                "1 has 3 elements, of at most 2",
                "2 is 300, outside of -128 to 127 (element 0, counted from 0)",
            ])
        #expect(
            try reasons(.array, [.list([.text("a"), .text("bcd")]), .list([.bytes([0xFF])])]) {
                $0.elementType = .varchar
                $0.typeParams["max_length"] = "2"
            } == [
                "0 is 3 bytes long, of at most 2 (element 1, counted from 0)",
                "1 is not UTF-8 (element 0, counted from 0)",
            ])
        // Go servers take it.
        let notANumber = RowValue.list([.float(Float.nan.bitPattern)])
        #expect(try reasons(.array, [notANumber]) { $0.elementType = .float }.isEmpty)
    }

    @Test("finds array rows that say no type, or another, which a page never holds")
    func untypedArrays() throws {
        let form = ColumnForm(
            name: "f", type: .array, layout: .records, dataField: 8, second: 5)
        // No field; int64s 1 and 2; a string.
        let payload: [UInt8] = [
            0x0A, 0, 0x0A, 6, 0x1A, 4, 0x0A, 2, 1, 2, 0x0A, 5, 0x32, 3, 10, 1, 97,
        ]
        var field = FieldSchema(name: "f", type: .array)
        field.elementType = .int64
        let violations = try codec.violations(
            in: form.column(payload[...]), of: field, rowCount: 3)
        #expect(
            violations.map { "\($0.row) \($0.reason)" } == [
                "0 does not say the type of its elements",
                "2 has elements of another type (field 6)",
            ])
    }

    @Test("refuses nulls where the field takes none and has no default to put there")
    func nulls() throws {
        #expect(try reasons(.int64, [.null, .int(1), .null]) == ["0 is null", "2 is null"])
        #expect(try reasons(.int64, [.null, .int(1)]) { $0.isNullable = true }.isEmpty)
        #expect(try reasons(.int64, [.null, .int(1)]) { $0.defaultValue = .long(4) }.isEmpty)
        // Nulls have no value: those behind them keep their rows.
        #expect(
            try reasons(.int8, [.null, .int(1), .null, .int(200)]) { $0.isNullable = true }
                == ["3 is 200, outside of -128 to 127"])
    }

    @Test("says of what dimension vectors are")
    func dimensions() throws {
        var random = WireRandom(seed: 1)
        var field = FieldSchema(name: "f", type: .binaryVector)
        field.typeParams["dim"] = "16"
        field.isNullable = true
        let column = try GeneratedColumn.column(field, [.null, .bytes([1, 2])], &random)
        field.typeParams["dim"] = "1024"
        let violations = try codec.violations(in: column, of: field, rowCount: 2)
        #expect(
            violations == [
                RowViolation(row: 1, field: "f", reason: "has 16 dimensions instead of 1,024")
            ])
    }

    @Test("is refused whole when it is of another type than the field")
    func otherType() throws {
        var random = WireRandom(seed: 1)
        let column = try GeneratedColumn.column(
            FieldSchema(name: "f", type: .int64), [.int(1)], &random)
        #expect(throws: StopoverError.self) {
            try codec.violations(
                in: column, of: FieldSchema(name: "f", type: .varchar), rowCount: 1)
        }
    }

    // MARK: JSON

    @Test("takes JSON up to 65,536 bytes")
    func jsonSize() throws {
        func text(_ count: Int) -> RowValue {
            .text("\"" + String(repeating: "x", count: count - 2) + "\"")
        }
        #expect(
            try reasons(.json, [text(65_536), text(65_537)])
                == ["1 is 65,537 bytes long, of at most 65,536"])
    }

    @Test("says where JSON ceases to be JSON, and what a dynamic row must be")
    func jsonReasons() throws {
        #expect(
            try reasons(
                .json,
                [
                    .text("{\"a\": nul}"), .text(""), .text("[1"), .text("1 2"),
                    .bytes([0x22, 0xFF]),
                ])
                == [
                    "0 is not JSON: byte 9, counted from 0, is out of place",
                    "1 is not JSON: it ends within a value",
                    "2 is not JSON: it ends within a value",
                    "3 is not JSON: byte 2, counted from 0, is out of place", "4 is not UTF-8",
                ])
        #expect(
            try reasons(
                .json,
                [
                    .text(" {} "), .text("[]"), .text("{\"$meta\":1}"),
                    .text("{\"a\":{\"$meta\":1}}"),
                    .text("[{\"$meta\":1}]"),
                ]
            ) { $0.isDynamic = true }
                == [
                    "1 is no JSON object", "2 has a key $meta, which servers reserve",
                    "4 is no JSON object",
                ])
    }

    @Test(
        "takes what RFC 8259 calls JSON",
        arguments: [
            "0", "-0", "-0.0e-0", "123456789012345678901234567890", "1E400", "[]", "{}", " [ ] ",
            "{ }", "[[[]]]", "{\"\":\"\"}", "{\"a\":1,\"a\":2}", "\"\\uD83D\\uDE00\"",
            "\"\\ud800\"",
            "\"\u{7F}\"", "\"\u{2028}\"", "\t\r\n null", "[1,[2,{\"x\":[true,false,null]}]]",
        ])
    func json(_ text: String) throws {
        #expect(try reasons(.json, [.text(text)]).isEmpty)
        #expect(ReferenceJSON.parse(text) != nil)
    }

    @Test(
        "takes nothing else for JSON",
        arguments: [
            "", " ", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1.e1", "0x1", "NaN",
            "Infinity", "-Infinity", "True", "nul", "nulll", "'a'", "\"", "\"\\\"", "\"\\x\"",
            "\"\\u12G4\"", "\"\\u12\"", "\"\n\"", "\"\u{0}\"", "\"\u{1F}\"", "[", "]", "[,]",
            "[1,]", "[1 2]",
            "[1}", "{", "}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}",
            "{\"a\" 1}", "{\"a\":1]", "{}{}", "[] []", "// x\n1", "\u{FEFF}1", "\u{A0}1",
        ])
    func noJSON(_ text: String) throws {
        #expect(try reasons(.json, [.text(text)]).count == 1)
        #expect(ReferenceJSON.parse(text) == nil)
    }

    @Test("takes JSON nested as deep as Go servers parse it, and no deeper")
    func jsonDepth() throws {
        func nested(_ depth: Int) -> RowValue {
            .text(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        }
        let deepest = JSONWalk.maximumDepth
        #expect(try reasons(.json, [nested(deepest), nested(deepest + 1)]).map(\.first) == ["1"])
    }
}

extension FieldSchema {
    /// Numbers that may be cut to 32 bits when they are decoded.
    fileprivate var holdsIntegers: Bool {
        [.int8, .int16, .int32].contains(elementType ?? type)
    }
}
