import Foundation
import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverMilvus

@Suite("The schema of a struct array")
struct StructSchemaTests {
    private static let name = CollectionName(database: "d", collection: "c")

    /// As a server describes it, under the names that some servers leave as they store them.
    private static func described(stored: Bool = false) throws -> MilvusCollectionSchema {
        let names = stored ? ["chunks[text]", "chunks[vector]"] : ["text", "vector"]
        // 40 is of no server yet.
        let unknown: [UInt8] = [0xC0, 2, 7]
        var vector = MilvusFieldSchema.with {
            $0.fieldID = 103
            $0.name = names[1]
            $0.dataType = 106
            $0.elementType = 101
            $0.typeParams = [pair("dim", "4"), pair("max_capacity", "9")]
            $0.nullable = true
            $0.state = 1
        }
        try vector.merge(serializedBytes: unknown)
        return .with {
            $0.name = "c"
            $0.fields = [
                .with {
                    $0.name = "id"
                    $0.dataType = 5
                    $0.isPrimaryKey = true
                }
            ]
            $0.structArrayFields = [
                .with {
                    $0.fieldID = 101
                    $0.name = "chunks"
                    $0.description_p = "parts"
                    $0.nullable = true
                    $0.typeParams = [pair("mmap.enabled", "true")]
                    $0.fields = [
                        .with {
                            $0.fieldID = 102
                            $0.name = names[0]
                            $0.dataType = 22
                            $0.elementType = 21
                            $0.typeParams = [pair("max_length", "20"), pair("max_capacity", "9")]
                            $0.nullable = true
                        },
                        vector,
                    ]
                }
            ]
        }
    }

    private static func pair(_ key: String, _ value: String) -> MilvusKeyValuePair {
        .with {
            $0.key = key
            $0.value = value
        }
    }

    private static func encode(_ schema: CollectionSchema) throws -> MilvusCollectionSchema {
        try SchemaEncoding.message(CollectionDescription(name: name, schema: schema))
    }

    @Test("names its fields plainly, whichever way the server does", arguments: [false, true])
    func decoding(stored: Bool) throws {
        let schema = try SchemaDecoding.schema(Self.described(stored: stored), of: Self.name)
        let field = try #require(schema.field(named: "chunks"))
        #expect(field.type == .arrayOfStruct && field.isNullable && field.description == "parts")
        #expect(field.typeParams == ["mmap.enabled": "true"])
        #expect(field.structFields.map(\.name) == ["text", "vector"])
        #expect(field.structFields.map(\.type) == [.array, .arrayOfVector])
        #expect(field.structFields.map(\.elementType) == [.varchar, .floatVector])
        #expect(field.structFields[1].dimension == 4)
        #expect(field.structFields.map(\.isNullable) == [true, true])
    }

    @Test("goes to a target whole, but for what is the source's alone", arguments: [false, true])
    func encoding(stored: Bool) throws {
        let schema = try SchemaDecoding.schema(Self.described(stored: stored), of: Self.name)
        var expected = try Self.described().structArrayFields[0]
        expected.fieldID = 0
        for index in expected.fields.indices {
            expected.fields[index].fieldID = 0
            expected.fields[index].state = 0
        }
        // The attribute of a newer server is among what is equal.
        #expect(!expected.fields[1].unknownFields.data.isEmpty)
        #expect(try Self.encode(schema).structArrayFields == [expected])
    }

    @Test("follows the model: its name, its fields, and nullable throughout or not at all")
    func modelWins() throws {
        var schema = try SchemaDecoding.schema(Self.described(), of: Self.name)
        schema.fields[1].isNullable = false
        schema.fields[1].structFields.swapAt(0, 1)
        let message = try Self.encode(schema).structArrayFields[0]
        #expect(!message.nullable && message.fields.map(\.nullable) == [false, false])
        #expect(message.fields.map(\.name) == ["vector", "text"])
        #expect(message.fields[0].elementType == 101 && message.fields[1].elementType == 21)

        schema.fields[1].name = "parts"
        #expect(try Self.encode(schema).structArrayFields.map(\.name) == ["parts"])
        schema.fields.removeLast()
        #expect(try Self.encode(schema).structArrayFields.isEmpty)
    }

    @Test("with a type of a newer server is refused, the field named")
    func unknownType() throws {
        var described = try Self.described()
        described.structArrayFields[0].fields[0].elementType = 99
        let error = #expect(throws: StopoverError.self) {
            try SchemaDecoding.schema(described, of: Self.name)
        }
        #expect(error?.code == .unknownFieldType)
        #expect(error?.message.contains("text") == true)
    }

    @Test("is kept with the plan")
    func stored() throws {
        let schema = try SchemaDecoding.schema(Self.described(), of: Self.name)
        let data = try JSONEncoder().encode(schema)
        #expect(try JSONDecoder().decode(CollectionSchema.self, from: data) == schema)
    }

    @Test("is compared with what the target made of it, field by field")
    func comparison() throws {
        let schema = try SchemaDecoding.schema(Self.described(), of: Self.name)
        let asked = CollectionDescription(name: Self.name, schema: schema)
        func differences(_ change: (inout FieldSchema) -> Void) -> [String] {
            var made = asked
            change(&made.schema.fields[1])
            return SchemaComparison.differences(asked: asked, made: made)
        }
        #expect(differences { _ in }.isEmpty)
        #expect(differences { $0.structFields[1].description = "another" }.isEmpty)
        #expect(
            differences { $0.structFields[1].typeParams["dim"] = "8" }
                == [
                    "field chunks[vector], dim: asked Optional(\"4\"), made Optional(\"8\")"
                ])
        #expect(differences { $0.structFields[0].elementType = .int64 }.count == 1)
        #expect(differences { $0.isNullable = false }.count == 1)
        let dropped = differences { $0.structFields.removeLast() }
        #expect(dropped.count == 1 && dropped[0].hasPrefix("field chunks, fields:"))
    }
}
