import StopoverCore
import StopoverTesting
import Testing

@testable import StopoverMilvus

@Suite("A column of keys")
struct KeyColumnTests {
    private let codec = FieldDataCodec()

    @Test("that is made here reads back, whatever the numbers")
    func numbers() throws {
        let numbers: [Int64] = [.min, -1, 0, 1, 127, 128, 1 << 40, .max]
        let column = codec.int64s(numbers, named: "id")
        #expect(column.name == "id" && column.type == .int64)
        #expect(try codec.keys(in: column) == numbers.map { .int64($0) })
        // What servers read: the official layout.
        let made = try ColumnBuilder.longs("id", numbers)
        #expect(column.head + column.payload + column.tail == made.head)
    }

    @Test("of texts gives its keys in row order")
    func texts() throws {
        let texts = ["", "a", "quote \" and \\ and\nline", "\u{1F600}", "a"]
        let reply = try ColumnBuilder.strings("id", texts)
        let field = FieldSchema(name: "id", type: .varchar)
        let column = try ColumnWalk.walk(ColumnWalk.Parts(reply.head[...]), as: field).column
        #expect(try codec.keys(in: column) == texts.map { .varchar($0) })
    }

    @Test("that holds no keys is refused")
    func others() throws {
        let vectors = try ColumnBuilder.floatVectors("v", dimension: 2, [1, 2])
        var field = FieldSchema(name: "v", type: .floatVector)
        field.typeParams["dim"] = "2"
        let column = try ColumnWalk.walk(ColumnWalk.Parts(vectors.head[...]), as: field).column
        #expect(throws: StopoverError.self) { try codec.keys(in: column) }
    }
}
