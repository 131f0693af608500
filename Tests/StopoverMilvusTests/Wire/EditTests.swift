import MilvusProto
import StopoverCore
import Testing

@testable import StopoverMilvus

/// The edits of milvus-protocol.md, section 1, byte by byte.
@Suite("A column on its way to an Insert")
struct EditTests {
    private static let key = {
        var key = FieldSchema(name: "k", type: .int64)
        key.isPrimaryKey = true
        return key
    }()
    /// type 5, "k", long_data with 1 and 2.
    private static let keyColumn: [UInt8] = [
        0x08, 5, 0x12, 1, 0x6B, 0x1A, 6, 0x1A, 4, 0x0A, 2, 1, 2,
    ]

    /// What a column of a reply becomes, beside a key column of two rows.
    private func edited(_ column: [UInt8], as field: FieldSchema) throws -> [UInt8] {
        let page = try #require(
            try QueryReply.walk(
                reply(column, EditTests.keyColumn)[...], asked: [EditTests.key, field]
            ).page)
        #expect(page.batch.columns[0].bytes == EditTests.keyColumn)
        return page.batch.columns[1].bytes
    }

    private func reply(_ columns: [UInt8]...) -> [UInt8] {
        WireWriter.message { for column in columns { $0.bytes(2, column) } }
    }

    private func field(_ type: DataType, element: DataType? = nil) -> FieldSchema {
        var field = FieldSchema(name: "f", type: type)
        field.elementType = element
        return field
    }

    @Test("loses its field_id, which a target could take for its own key (edit 1)")
    func fieldID() throws {
        let column: [UInt8] = [
            0x08, 4, 0x12, 1, 0x66, 0x1A, 6, 0x12, 4, 0x0A, 2, 7, 8, 0x28, 100,
        ]
        #expect(try edited(column, as: field(.int32)) == Array(column.dropLast(2)))
    }

    @Test(
        "says the type of its empty array rows (edit 2)",
        arguments: [
            (DataType.bool, UInt8(0x0A)), (.int8, 0x12), (.int16, 0x12), (.int32, 0x12),
            (.int64, 0x1A), (.float, 0x22), (.double, 0x2A), (.varchar, 0x32),
        ])
    func emptyArrayRows(_ element: DataType, _ tag: UInt8) throws {
        let type = UInt8(element.rawValue)
        // Two empty rows, the second of which already says its type.
        let column: [UInt8] = [
            0x08, 22, 0x12, 1, 0x66, 0x1A, 10, 0x42, 8, 0x0A, 0, 0x0A, 2, tag, 0, 0x10, type,
        ]
        let expected: [UInt8] = [
            0x08, 22, 0x12, 1, 0x66, 0x1A, 12, 0x42, 10, 0x0A, 2, tag, 0, 0x0A, 2, tag, 0, 0x10,
            type,
        ]
        #expect(try edited(column, as: field(.array, element: element)) == expected)
    }

    @Test("drops the placeholders at its nulls' places (edit 3)")
    func denseNulls() throws {
        var nullable = field(.varchar)
        nullable.isNullable = true
        let dense: [UInt8] = [
            0x08, 21, 0x12, 1, 0x66, 0x1A, 7, 0x32, 5, 0x0A, 0, 0x0A, 1, 0x78, 0x3A, 2, 0, 1,
        ]
        let compact: [UInt8] = [
            0x08, 21, 0x12, 1, 0x66, 0x1A, 5, 0x32, 3, 0x0A, 1, 0x78, 0x3A, 2, 0, 1,
        ]
        #expect(try edited(dense, as: nullable) == compact)
        #expect(try edited(compact, as: nullable) == compact)
    }

    @Test("is the slice of the reply that it was when nothing among its values changes")
    func noCopy() throws {
        let column: [UInt8] = [0x08, 4, 0x12, 1, 0x66, 0x1A, 6, 0x12, 4, 0x0A, 2, 7, 8]
        let bytes = reply(EditTests.keyColumn, column)
        let page = try QueryReply.walk(bytes[...], asked: [EditTests.key, field(.int32)]).page
        #expect(page?.batch.columns[1].payload.endIndex == bytes.endIndex)
    }

    @Test("gets a flag a row where a default value wants them (edit 4)")
    func flags() throws {
        let column = Column(
            name: "f", type: .int32, head: [0x08, 4, 0x12, 1, 0x66, 0x1A, 6, 0x12, 4, 0x0A, 2],
            payload: [7, 8], tail: [])
        let flagged = FieldDataCodec().allValid(column, rowCount: 2)
        #expect(flagged.bytes == column.bytes + [0x3A, 2, 1, 1])
        #expect(FieldDataCodec().allValid(flagged, rowCount: 2) == flagged)
    }

    @Test("has its flags outside, wherever they were (edit 5)")
    func innerFlags() throws {
        let expected: [UInt8] = [
            0x08, 4, 0x12, 1, 0x66, 0x1A, 5, 0x12, 3, 0x0A, 1, 7, 0x3A, 2, 1, 0,
        ]
        let inner: [UInt8] = [
            0x08, 4, 0x12, 1, 0x66, 0x1A, 10, 0x12, 3, 0x0A, 1, 7, 0x8A, 1, 2, 1, 0,
        ]
        var nullable = field(.int32)
        nullable.isNullable = true
        #expect(try edited(inner, as: nullable) == expected)
        #expect(try edited(inner + [0x3A, 2, 1, 0], as: nullable) == expected)
        #expect(throws: StopoverError.self) {
            try edited(inner + [0x3A, 2, 0, 1], as: nullable)
        }

        var vector = field(.int8Vector)
        vector.typeParams["dim"] = "2"
        #expect(
            try edited(
                [0x08, 105, 0x12, 1, 0x66, 0x22, 10, 0x08, 2, 0x3A, 2, 5, 6, 0x4A, 2, 0, 1],
                as: vector)
                == [0x08, 105, 0x12, 1, 0x66, 0x22, 6, 0x08, 2, 0x3A, 2, 5, 6, 0x3A, 2, 0, 1])
    }

    @Test("stays dynamic when it was asked for, and is left out when it was not (edit 6)")
    func dynamic() throws {
        var meta = FieldSchema(name: "$meta", type: .json)
        meta.isDynamic = true
        let head: [UInt8] = [0x08, 23, 0x12, 5, 0x24, 0x6D, 0x65, 0x74, 0x61]
        let data: [UInt8] = [0x1A, 10, 0x4A, 8, 0x0A, 2, 0x7B, 0x7D, 0x0A, 2, 0x7B, 0x7D]
        #expect(try edited(head + data, as: meta) == head + data + [0x30, 1])
        #expect(try edited(head + data + [0x30, 1], as: meta) == head + data + [0x30, 1])
        // Some servers leave out its name.
        #expect(try edited([0x08, 23] + data + [0x30, 1], as: meta) == head + data + [0x30, 1])

        let bytes = reply(head + data + [0x30, 1], EditTests.keyColumn)
        let page = try QueryReply.walk(bytes[...], asked: [EditTests.key]).page
        #expect(page?.batch.columns.map(\.name) == ["k"])
    }

    @Test("stands where it was asked for, in whatever order the server sent it (edit 8)")
    func order() throws {
        let column: [UInt8] = [0x08, 4, 0x12, 1, 0x66, 0x1A, 6, 0x12, 4, 0x0A, 2, 7, 8]
        let fields = [field(.int32), EditTests.key]
        for bytes in [reply(column, EditTests.keyColumn), reply(EditTests.keyColumn, column)] {
            let page = try #require(try QueryReply.walk(bytes[...], asked: fields).page)
            #expect(page.batch.columns.map(\.bytes) == [column, EditTests.keyColumn])
            #expect(
                Delivery.bytes(page.batch)
                    == [0x12, 2, 0x64, 0x62, 0x1A, 1, 0x63, 0x22, 1, 0x70]
                    + [0x2A, 13] + column + [0x2A, 13] + EditTests.keyColumn + [0x38, 2])
        }
    }
}

extension Column {
    fileprivate var bytes: [UInt8] { head + payload + tail }
}
