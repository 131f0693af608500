import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverMilvus

/// Messages written by hand: `1A:(0A:7879)` is tag 1A, a length, and what is between the brackets.
enum Hex {
    /// The bytes of pairs of hex digits; `tag:( … )` and `tag:'text'` are length-delimited fields.
    static func bytes(_ text: String) throws -> [UInt8] {
        var rest = text[...]
        let bytes = try message(&rest)
        guard rest.isEmpty else { throw ReferenceError("unbalanced: \(rest)") }
        return bytes
    }

    static func digits(_ type: DataType) -> String {
        let digits = String(type.rawValue, radix: 16)
        return digits.count == 1 ? "0\(digits)" : digits
    }

    private static func message(_ rest: inout Substring) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let character = rest.first, character != ")" {
            if character.isWhitespace {
                rest.removeFirst()
            } else if rest.hasPrefix(":(") {
                rest.removeFirst(2)
                let inner = try message(&rest)
                guard rest.popFirst() == ")" else { throw ReferenceError("no end") }
                bytes.append(varint: UInt64(inner.count))
                bytes += inner
            } else if rest.hasPrefix(":'") {
                rest.removeFirst(2)
                let inner = Array(rest.prefix { $0 != "'" }.utf8)
                rest = rest.drop { $0 != "'" }.dropFirst()
                bytes.append(varint: UInt64(inner.count))
                bytes += inner
            } else {
                guard let byte = UInt8(rest.prefix(2), radix: 16) else {
                    throw ReferenceError("no hex: \(rest)")
                }
                bytes.append(byte)
                rest.removeFirst(2)
            }
        }
        return bytes
    }
}

/// Two rows, or as many as flags say, of one column beside a key.
enum TypedColumn {
    static let key = {
        var key = FieldSchema(name: "k", type: .int64)
        key.isPrimaryKey = true
        return key
    }()

    /// What a column of a reply becomes, beside a key column of `rowCount` rows.
    static func batch(
        _ column: String, as field: FieldSchema, rowCount: Int = 2
    ) throws -> Batch {
        let keys = (1...rowCount).map { "0\($0)" }.joined()
        let keyColumn = "0805 12:'k' 1A:(1A:(0A:(\(keys))))"
        let reply = try Hex.bytes("12:(\(column)) 12:(\(keyColumn))")
        return try #require(try QueryReply.walk(reply[...], asked: [key, field]).page).batch
    }

    static func sent(
        _ column: String, as field: FieldSchema, rowCount: Int = 2
    ) throws -> [UInt8] {
        let batch = try batch(column, as: field, rowCount: rowCount)
        // It is also what the normal form reads back as, and what a target decodes.
        let form = try ColumnForm(parsing: batch.columns[1])
        #expect(form.column(batch.columns[1].payload) == batch.columns[1])
        _ = try Delivery.rows(batch, [key, field])
        let column = batch.columns[1]
        return column.head + column.payload + column.tail
    }

    static func field(_ type: DataType, element: DataType? = nil, dim: Int? = nil) -> FieldSchema {
        var field = FieldSchema(name: "f", type: type)
        field.elementType = element
        if let dim { field.typeParams["dim"] = String(dim) }
        return field
    }
}

@Suite("A column of a newer type")
struct NewTypesTests {
    /// Type, dimension, a null's placeholder first, and the same without it, both with flags 0 1.
    static let dense: [(DataType, Int?, String, String)] = [
        (.geometry, nil, "1A:(52:(0A:(00) 0A:(01AB)))", "1A:(52:(0A:(01AB)))"),
        (
            .geometry, nil, "1A:(62:(0A:() 0A:'POINT (1 2)'))", "1A:(62:(0A:'POINT (1 2)'))"
        ),
        (.text, nil, "1A:(32:(0A:() 0A:'long'))", "1A:(32:(0A:'long'))"),
        (
            .timestamptz, nil, "1A:(32:(0A:() 0A:'2025-01-02T03:04:05Z'))",
            "1A:(32:(0A:'2025-01-02T03:04:05Z'))"
        ),
        (.timestamptz, nil, "1A:(5A:(0A:(00 8001)))", "1A:(5A:(0A:(8001)))"),
        (.int8Vector, 3, "22:(0803 3A:(000000 7F80FF))", "22:(0803 3A:(7F80FF))"),
        (.bfloat16Vector, 2, "22:(0802 2A:(00000000 803F00C0))", "22:(0802 2A:(803F00C0))"),
        (.float16Vector, 2, "22:(0802 22:(00000000 003C00C0))", "22:(0802 22:(003C00C0))"),
        (.binaryVector, 16, "22:(0810 1A:(0000 A55A))", "22:(0810 1A:(A55A))"),
        (
            .floatVector, 1, "22:(0801 12:(0A:(00000000 0000803F)))",
            "22:(0801 12:(0A:(0000803F)))"
        ),
        (
            .sparseFloatVector, nil, "22:(32:(0A:() 0A:(01000000 0000803F) 1002))",
            "22:(32:(0A:(01000000 0000803F) 1002))"
        ),
    ]

    @Test("holds a null as a flag without a value, in whichever way it came", arguments: dense)
    func nullable(
        _ type: DataType, _ dimension: Int?, _ dense: String, _ compact: String
    ) throws {
        var field = TypedColumn.field(type, dim: dimension)
        field.isNullable = true
        let head = "08\(Hex.digits(type)) 12:'f'"
        let expected = try Hex.bytes("\(head) \(compact) 3A:(0001)")
        // 28 65 is its field_id.
        #expect(try TypedColumn.sent("\(head) \(dense) 2865 3A:(0001)", as: field) == expected)
        #expect(try TypedColumn.sent("\(head) \(compact) 2865 3A:(0001)", as: field) == expected)
        // Without flags there are as many rows as values.
        let plain = try TypedColumn.sent("\(head) \(dense)", as: field)
        #expect(plain == (try Hex.bytes("\(head) \(dense)")))
        // A value too few.
        #expect(throws: StopoverError.self) {
            try TypedColumn.sent("\(head) \(compact) 3A:(0101)", as: field)
        }
        #expect(throws: StopoverError.self) {
            try TypedColumn.sent("\(head) \(compact)", as: field)
        }
    }

    @Test("that is null throughout keeps its flags and its dimension", arguments: dense)
    func allNull(_ type: DataType, _ dimension: Int?, _ dense: String, _ compact: String) throws {
        var field = TypedColumn.field(type, dim: dimension)
        field.isNullable = true
        let column = "08\(Hex.digits(type)) 12:'f' 3A:(0000)"
        let batch = try TypedColumn.batch(column, as: field)
        #expect(try ColumnForm(parsing: batch.columns[1]).valid == [0, 0])
        #expect(batch.columns[1].payload.isEmpty)
        #expect(try Delivery.rows(batch, [TypedColumn.key, field])["f"] == [.null, .null])
    }

    /// Element type, a row with elements and one without; the empty row's tag.
    static let elements: [(DataType, String, String)] = [
        (.bool, "0A:(0A:(0001))", "0A00"),
        (.int8, "12:(0A:(7F 80FFFFFFFFFFFFFFFF01))", "1200"),
        (.int16, "12:(0A:(FFFF01))", "1200"), (.int32, "12:(0A:(00))", "1200"),
        (.int64, "1A:(0A:(FFFFFFFFFFFFFFFFFF01))", "1A00"),
        (.float, "22:(0A:(0000C07F 000080FF))", "2200"),
        (.double, "2A:(0A:(000000000000F07F))", "2A00"), (.varchar, "32:(0A:() 0A:'é')", "3200"),
    ]

    @Test(
        "of arrays is passed on as it is, but for empty arrays without a type", arguments: elements)
    func arrays(_ element: DataType, _ full: String, _ empty: String) throws {
        let field = TypedColumn.field(.array, element: element)
        let tail = "10\(Hex.digits(element))"
        let sent = try TypedColumn.sent(
            "0816 12:'f' 1A:(42:(0A:(\(full)) 0A:() 0A:(\(empty)) \(tail))) 2866", as: field,
            rowCount: 3)
        #expect(
            sent
                == (try Hex.bytes(
                    "0816 12:'f' 1A:(42:(0A:(\(full)) 0A:(\(empty)) 0A:(\(empty)) \(tail)))")))
        #expect(throws: StopoverError.self, "elements of another type") {
            try TypedColumn.sent("0816 12:'f' 1A:(42:(0A:(4A:(0A:(7B7D))) 0A:()))", as: field)
        }
    }

    /// Element type, dimension, a row of two vectors, the tag of its data.
    static let vectors: [(DataType, Int, String, String)] = [
        (.floatVector, 1, "12:(0A:(0000803F 00000040))", "1200"),
        (.binaryVector, 8, "1A:(A55A)", "1A00"), (.float16Vector, 1, "22:(003C 0040)", "2200"),
        (.bfloat16Vector, 1, "2A:(803F 0040)", "2A00"), (.int8Vector, 2, "3A:(0102 FEFF)", "3A00"),
    ]

    @Test("of arrays of vectors says type and dimension, of its empty rows too", arguments: vectors)
    func vectorArrays(
        _ element: DataType, _ dimension: Int, _ full: String, _ empty: String
    ) throws {
        let field = TypedColumn.field(.arrayOfVector, element: element, dim: dimension)
        let dim = "080\(dimension)"
        let type = Hex.digits(element)
        // Dimension and type are left out, said, and in another place.
        let expected = try Hex.bytes(
            "086A 12:'f' 22:(\(dim) 42:(\(dim) 12:(\(dim) \(full)) 12:(\(dim) \(empty)) "
                + "18\(type)))")
        for rows in [
            "12:(\(dim) \(full)) 12:(\(dim) \(empty))", "12:(\(dim) \(full)) 12:()",
            "\(dim) 12:(\(dim) \(full)) 12:(\(dim)) 18\(type)",
            "12:(\(dim) \(full)) 18\(type) 12:(\(dim)) \(dim)",
        ] {
            #expect(
                try TypedColumn.sent("086A 12:'f' 22:(42:(\(rows))) 2866", as: field) == expected)
        }
        for damaged in [
            "12:(\(full) 00)", "12:(0805 \(full))", "12:(\(full) 4A:(0001))", "0805 12:(\(full))",
            "12:(\(full) \(full))", "12:(0A:(0A:(01)))", "0A:(\(full))",
        ] {
            #expect(throws: StopoverError.self, "\(damaged)") {
                try TypedColumn.sent(
                    "086A 12:'f' 22:(\(dim) 42:(12:(\(full)) \(damaged)))", as: field)
            }
        }
    }
}
