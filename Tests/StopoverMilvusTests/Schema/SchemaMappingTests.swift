import Foundation
import MilvusProto
import StopoverCore
import SwiftProtobuf
import StopoverTesting
import Testing

@testable import StopoverMilvus

@Suite("A schema")
struct SchemaMappingTests {
    static let name = CollectionName(database: "d", collection: "c")

    @Test("comes back from the wire as it was, whatever is in it", arguments: 0..<200)
    func roundTrip(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let schema = random.schema()
        let message = try SchemaEncoding.message(
            CollectionDescription(name: Self.name, schema: schema))
        let bytes: [UInt8] = try message.serializedBytes()
        var back = try SchemaDecoding.schema(
            try MilvusCollectionSchema(serializedBytes: bytes), of: Self.name)
        #expect(back.encoded == bytes)
        back.encoded = []
        #expect(back == schema, "seed \(seed)")
    }

    @Test("keeps attributes that Stopover does not model")
    func unknownFields() throws {
        let described = try encoded(
            // 15 enable_namespace of the schema; 40 and 41 are of no server yet.
            .with {
                $0.name = "c"
                $0.fields = [
                    .with {
                        $0.name = "id"
                        $0.fieldID = 100
                        $0.isPrimaryKey = true
                        $0.dataType = 5
                        $0.state = 3
                        $0.typeParams = [.with { $0.key = "mmap.enabled" }]
                    }
                ]
                $0.functions = [
                    .with {
                        $0.name = "bm25"
                        $0.id = 7
                        $0.inputFieldIds = [1]
                        $0.outputFieldIds = [2]
                    }
                ]
            }, extra: [15 << 3, 1, 0xC2, 2, 2, 0x68, 0x69])
        let schema = try SchemaDecoding.schema(described, of: Self.name)
        let message = try SchemaEncoding.message(
            CollectionDescription(name: Self.name, schema: schema))
        #expect([UInt8](message.unknownFields.data) == [15 << 3, 1, 0xC2, 2, 2, 0x68, 0x69])
        // What belongs to the source alone is gone.
        #expect(message.fields[0].fieldID == 0 && message.fields[0].state == 0)
        #expect(message.functions[0].id == 0)
        #expect(message.functions[0].inputFieldIds.isEmpty)
        #expect(message.functions[0].outputFieldIds.isEmpty)
        #expect(message.fields[0].typeParams.map(\.key) == ["mmap.enabled"])
    }

    @Test("gives the default of a TIMESTAMPTZ as text, and reads it back however it is said")
    func instantDefault() throws {
        let instant = DefaultValue.timestamptz(1_709_251_199_000_001)
        var place = FieldSchema(name: "place", type: .geometry)
        place.defaultValue = .string("POINT (1 2)")
        var field = FieldSchema(name: "at", type: .timestamptz)
        field.defaultValue = instant
        let message = try SchemaEncoding.message(
            CollectionDescription(
                name: Self.name, schema: CollectionSchema(fields: [field, place])))
        #expect(message.fields[0].defaultValue.stringData == "2024-02-29T23:59:59.000001Z")
        #expect(message.fields[1].defaultValue.stringData == "POINT (1 2)")

        let said: [(inout MilvusValueField) -> Void] = [
            { $0.stringData = "2024-03-01T01:59:59.000001+02:00" },
            { $0.longData = 1_709_251_199_000_001 }, { $0.timestamptzData = 1_709_251_199_000_001 },
        ]
        for say in said {
            var described = message
            say(&described.fields[0].defaultValue)
            let schema = try SchemaDecoding.schema(described, of: Self.name)
            #expect(schema.fields.map(\.defaultValue) == [instant, .string("POINT (1 2)")])
        }
    }

    @Test("leaves the source's database and schema version behind")
    func sourceAlone() throws {
        // 8 dbName "src", 10 version 3.
        let described = try encoded(
            .with { $0.name = "c" }, extra: [0x42, 3, 0x73, 0x72, 0x63, 10 << 3, 3])
        let schema = try SchemaDecoding.schema(described, of: Self.name)
        let message = try SchemaEncoding.message(
            CollectionDescription(name: Self.name, schema: schema))
        #expect(message.unknownFields.data.isEmpty)
    }

    @Test("is made of the model's fields, in its order, under the collection's new name")
    func modelWins() throws {
        let described = MilvusCollectionSchema.with {
            $0.name = "old"
            $0.fields = ["a", "b", "c"].map { name in
                .with {
                    $0.name = name
                    $0.dataType = 5
                    $0.nullable = true
                    $0.autoID = true
                }
            }
        }
        var schema = try SchemaDecoding.schema(described, of: Self.name)
        schema.fields = [schema.fields[2], schema.fields[0], FieldSchema(name: "new", type: .bool)]
        schema.fields[0].isNullable = false
        schema.fields[1].isAutoID = false
        let message = try SchemaEncoding.message(
            CollectionDescription(name: Self.name, schema: schema))
        #expect(message.name == "c")
        #expect(message.fields.map(\.name) == ["c", "a", "new"])
        #expect(message.fields.map(\.nullable) == [false, true, false])
        #expect(message.fields.map(\.autoID) == [true, false, false])
    }

    @Test("hides the dynamic field, which the server makes itself")
    func dynamicField() throws {
        let described = MilvusCollectionSchema.with {
            $0.enableDynamicField = true
            $0.fields = [
                .with {
                    $0.name = "$meta"
                    $0.isDynamic = true
                    $0.dataType = 23
                }
            ]
        }
        let schema = try SchemaDecoding.schema(described, of: Self.name)
        #expect(schema.fields.isEmpty)
        #expect(schema.isDynamicFieldEnabled)
        let message = try SchemaEncoding.message(
            CollectionDescription(name: Self.name, schema: schema))
        #expect(message.fields.isEmpty && message.enableDynamicField)
    }

    @Test("with a type of a newer server is refused, the field named", arguments: [true, false])
    func unknownType(isElement: Bool) {
        let described = MilvusCollectionSchema.with {
            $0.fields = [
                .with {
                    $0.name = "hologram"
                    $0.dataType = isElement ? 22 : 99
                    $0.elementType = isElement ? 99 : 0
                }
            ]
        }
        let error = #expect(throws: StopoverError.self) {
            try SchemaDecoding.schema(described, of: Self.name)
        }
        #expect(error?.code == .unknownFieldType)
        #expect(error?.message.contains("hologram") == true)
        #expect(error?.message.contains("99") == true)
    }

    @Test("says when its rows lie outside of Milvus")
    func external() throws {
        let ordinary = try encoded(.with { $0.name = "c" }, extra: [0x5A, 0])
        #expect(!ordinary.isExternal)
        let external = try encoded(.with { $0.name = "c" }, extra: [0x5A, 2, 0x73, 0x33])
        #expect(external.isExternal)
    }

    @Test(
        "is read without harm when its rest is damaged",
        arguments: [
            [0xFF], [0x5A, 0x7F], [0x5A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
            [0x5B], [0x5D, 1], [0x59, 1],
        ] as [[UInt8]])
    func damaged(_ bytes: [UInt8]) {
        #expect(TopLevelFields(bytes).fields.isEmpty)
        #expect(TopLevelFields(bytes).without([11]) == bytes)
    }

    private func encoded(
        _ message: MilvusCollectionSchema, extra: [UInt8]
    ) throws -> MilvusCollectionSchema {
        let bytes: [UInt8] = try message.serializedBytes()
        return try MilvusCollectionSchema(serializedBytes: bytes + extra)
    }
}

extension SeededRandom {
    mutating func chance() -> Bool { Bool.random(using: &self) }

    mutating func text() -> String {
        ["", "a", "dim", "with space", "é👍", "\"", "x.y"].randomElement(using: &self) ?? ""
    }

    mutating func dictionary() -> [String: String] {
        var values: [String: String] = [:]
        for _ in 0..<Int.random(in: 0...3, using: &self) { values[text()] = text() }
        return values
    }

    mutating func defaultValue() -> DefaultValue? {
        let values: [DefaultValue?] = [
            nil, .bool(false), .bool(true), .int(-3), .long(.min), .float(-0.5), .double(1e300),
            .string(""), .string("x"), .bytes([]), .bytes([0, 255]), .timestamptz(7),
        ]
        return values.randomElement(using: &self) ?? nil
    }

    mutating func schema() -> CollectionSchema {
        let fields = (0..<Int.random(in: 0...6, using: &self)).map { index in
            let types = DataType.allCases.filter { $0 != .arrayOfStruct }
            var field = FieldSchema(
                name: "f\(index)", type: types.randomElement(using: &self) ?? .int64)
            field.description = text()
            field.isPrimaryKey = chance()
            field.isAutoID = chance()
            field.isNullable = chance()
            field.isPartitionKey = chance()
            field.isClusteringKey = chance()
            field.isFunctionOutput = chance()
            field.elementType = chance() ? types.randomElement(using: &self) : nil
            field.typeParams = dictionary()
            field.defaultValue = defaultValue()
            // Read back as microseconds, however it was given.
            if field.type == .timestamptz, case .long? = field.defaultValue {
                field.defaultValue = .timestamptz(.min)
            }
            return field
        }
        var schema = CollectionSchema(fields: fields)
        schema.description = text()
        schema.isDynamicFieldEnabled = chance()
        schema.properties = dictionary()
        schema.functions = (0..<Int.random(in: 0...2, using: &self)).map { index in
            FunctionSchema(
                name: "fn\(index)", type: Int32.random(in: 0...3, using: &self),
                inputFields: [text()], outputFields: [text(), text()], params: dictionary())
        }
        return schema
    }
}
