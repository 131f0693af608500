import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverMilvus

@Suite("A reply")
struct RefusedReplyTests {
    private static func field(
        _ name: String, _ type: DataType, _ change: (inout FieldSchema) -> Void = { _ in }
    ) -> FieldSchema {
        var field = FieldSchema(name: name, type: type)
        field.isPrimaryKey = name == "k"
        change(&field)
        return field
    }

    private static func column(
        _ name: String, _ type: DataType, scalars: MilvusScalarField.OneOf_Data
    ) -> MilvusFieldData {
        MilvusFieldData.with {
            $0.type = type.rawValue
            $0.fieldName = name
            $0.scalars.data = scalars
        }
    }

    private static func keys(_ keys: Int64...) -> MilvusFieldData {
        column("k", .int64, scalars: .longData(.with { $0.data = keys }))
    }

    private static func keys(_ keys: String...) -> MilvusFieldData {
        column("k", .varchar, scalars: .stringData(.with { $0.data = keys }))
    }

    private static let noKeys = column("k", .int64, scalars: .longData(.init()))

    private static func ints(_ values: Int32...) -> MilvusFieldData {
        column("f", .int32, scalars: .intData(.with { $0.data = values }))
    }

    private static func vectors(_ values: [Float], dimension: Int64) -> MilvusFieldData {
        MilvusFieldData.with {
            $0.type = DataType.floatVector.rawValue
            $0.fieldName = "f"
            $0.vectors.dim = dimension
            $0.vectors.floatVector.data = values
        }
    }

    private func refusal(
        _ columns: [MilvusFieldData], asked: [FieldSchema]
    ) throws -> StopoverError.Code? {
        let reply = MilvusQueryResults.with { $0.fieldsData = columns }
        let bytes: [UInt8] = try reply.serializedBytes()
        do throws(StopoverError) {
            _ = try QueryReply.walk(bytes[...], asked: asked)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("whose keys do not ascend is refused as unsorted")
    func unsorted() throws {
        let int = [Self.field("k", .int64)]
        let text = [Self.field("k", .varchar)]
        #expect(try refusal([Self.keys(1, 3, 2)], asked: int) == .wireUnsorted)
        #expect(try refusal([Self.keys(1, -1)], asked: int) == .wireUnsorted)
        #expect(try refusal([Self.keys(-2, -1, 0, .max)], asked: int) == nil)
        #expect(try refusal([Self.keys("a", "c", "b")], asked: text) == .wireUnsorted)
        // By bytes: "é" as one character comes after "z", and after its own decomposition.
        #expect(try refusal([Self.keys("\u{E9}", "z")], asked: text) == .wireUnsorted)
        #expect(try refusal([Self.keys("", "a", "e\u{301}", "z", "\u{E9}")], asked: text) == nil)
        #expect(StopoverError.Code.wireUnsorted.rawValue == "STO-WIRE-UNSORTED")
    }

    @Test("with a key twice is refused as unsorted")
    func duplicates() throws {
        #expect(
            try refusal([Self.keys(1, 1)], asked: [Self.field("k", .int64)]) == .wireUnsorted)
        #expect(
            try refusal([Self.keys("a", "a")], asked: [Self.field("k", .varchar)])
                == .wireUnsorted)
    }

    @Test("without a column that was asked for, or with one twice, is refused as malformed")
    func missing() throws {
        let asked = [Self.field("k", .int64), Self.field("f", .int32)]
        #expect(try refusal([Self.keys(1)], asked: asked) == .wireMalformed)
        #expect(try refusal([Self.ints(1)], asked: asked) == .wireMalformed)
        #expect(
            try refusal([Self.keys(1), Self.ints(1), Self.ints(1)], asked: asked)
                == .wireMalformed)
        #expect(StopoverError.Code.wireMalformed.rawValue == "STO-WIRE-MALFORMED")
    }

    @Test("whose columns have other names is no empty page: it would end the range")
    func otherNames() throws {
        #expect(
            try refusal([Self.ints(1)], asked: [Self.field("k", .int64)]) == .wireMalformed)
        #expect(try refusal([Self.ints()], asked: [Self.field("k", .int64)]) == nil)
        #expect(try refusal([], asked: [Self.field("k", .int64)]) == nil)
    }

    @Test(
        "with a column of another type is refused as malformed",
        arguments: DataType.allCases.filter { $0 != .int32 })
    func wrongType(_ type: DataType) throws {
        let asked = [Self.field("k", .int64), Self.field("f", type)]
        #expect(try refusal([Self.keys(1), Self.ints(1)], asked: asked) == .wireMalformed)
        // Of the type that it says, with values of another.
        var column = Self.ints(1)
        column.type = type.rawValue
        if ![.int8, .int16].contains(type) {
            #expect(try refusal([Self.keys(1), column], asked: asked) == .wireMalformed)
        }
    }

    @Test("with vectors of another dimension is refused as malformed")
    func dimension() throws {
        let asked = [
            Self.field("k", .int64), Self.field("f", .floatVector) { $0.typeParams["dim"] = "2" },
        ]
        func refusal(_ column: MilvusFieldData) throws -> StopoverError.Code? {
            try self.refusal([Self.keys(1), column], asked: asked)
        }
        #expect(try refusal(Self.vectors([1, 2], dimension: 2)) == nil)
        #expect(try refusal(Self.vectors([1, 2], dimension: 0)) == nil)
        #expect(try refusal(Self.vectors([1, 2, 3], dimension: 3)) == .wireMalformed)
        #expect(try refusal(Self.vectors([1, 2, 3], dimension: 2)) == .wireMalformed)
        #expect(try refusal(Self.vectors([1, 2], dimension: -2)) == .wireMalformed)
        // A schema that says nothing sensible is no reason to trap.
        let senseless = Self.field("f", .floatVector) { $0.typeParams["dim"] = "-1" }
        #expect(
            try self.refusal(
                [Self.keys(1), Self.vectors([1], dimension: 0)],
                asked: [Self.field("k", .int64), senseless]) == .wireMalformed)
    }

    @Test("whose columns have different numbers of rows is refused as malformed")
    func rowCounts() throws {
        let asked = [Self.field("k", .int64), Self.field("f", .int32)]
        #expect(try refusal([Self.keys(1, 2), Self.ints(1)], asked: asked) == .wireMalformed)
        #expect(try refusal([Self.noKeys, Self.ints(1)], asked: asked) == .wireMalformed)
        #expect(try refusal([Self.keys(1), Self.ints()], asked: asked) == .wireMalformed)
        var flagged = Self.ints(1)
        flagged.validData = [true, true]
        #expect(try refusal([Self.keys(1, 2), flagged], asked: asked) == .wireMalformed)
        #expect(try refusal([Self.keys(1), flagged], asked: asked) == .wireMalformed)
        flagged.validData = [true, false]
        #expect(try refusal([Self.keys(1, 2), flagged], asked: asked) == nil)
    }

    @Test("with a null among its keys, or without a key asked for, is refused as malformed")
    func keys() throws {
        var nullKey = Self.keys(1)
        nullKey.validData = [true, false]
        #expect(try refusal([nullKey], asked: [Self.field("k", .int64)]) == .wireMalformed)
        #expect(try refusal([Self.ints(1)], asked: [Self.field("f", .int32)]) == .wireMalformed)
    }

    @Test("that says an error keeps it, whatever status follows")
    func statusTwice() throws {
        let bytes = WireWriter.message {
            $0.message(1) { $0.varint(3, 65535) }
            $0.message(1) { $0.text(2, "why") }
        }
        let reply = try QueryReply.walk(bytes[...], asked: [])
        #expect(reply.status.code == 65535 && reply.status.reason == "why")
        #expect(reply.page == nil)
        #expect(try MutationReply.walk(bytes[...]).status.code == 65535)
    }

    @Test("with half a number in each of two runs is refused as malformed")
    func halves() throws {
        let key = RefusedReplyTests.field("k", .int64)
        let bytes = WireWriter.message {
            $0.message(2) {
                $0.varint(1, 5)
                $0.text(2, "k")
                $0.message(3) {
                    $0.message(3) {
                        $0.bytes(1, [0x80])
                        $0.bytes(1, [0x01])
                    }
                }
            }
        }
        #expect(throws: StopoverError.self) { try QueryReply.walk(bytes[...], asked: [key]) }
    }
}
