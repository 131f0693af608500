import MilvusProto
import StopoverCore
import StopoverTesting
import SwiftProtobuf
import Testing

/// What Milvus refuses of the types that no real server here holds, and of values that are whole on
/// the wire (validate_util.go and ValidateStructArrayField in its proxy).
@Suite("Twin: a value or schema that Milvus refuses")
struct TwinTypeTests {
    private static func pair(_ key: String, _ value: String) -> MilvusKeyValuePair {
        .with {
            $0.key = key
            $0.value = value
        }
    }

    private static func field(
        _ name: String, _ type: DataType, _ element: DataType? = nil,
        _ params: [(String, String)] = []
    ) -> MilvusFieldSchema {
        .with {
            $0.name = name
            $0.dataType = type.rawValue
            $0.elementType = element?.rawValue ?? 0
            $0.isPrimaryKey = name == "id"
            $0.typeParams = params.map { pair($0.0, $0.1) }
        }
    }

    private static let schema = MilvusCollectionSchema.with {
        $0.name = "typed"
        $0.fields = [
            field("id", .int64), field("small", .int8), field("number", .float),
            field("json", .json), field("weights", .sparseFloatVector),
            field("tags", .array, .int16, [("max_capacity", "2")]),
        ]
        $0.structArrayFields = [
            .with {
                $0.name = "parts"
                $0.fields = [
                    field(
                        "text", .array, .varchar, [("max_capacity", "3"), ("max_length", "4")]),
                    field("point", .arrayOfVector, .floatVector, [("dim", "2")]),
                ]
            }
        ]
    }

    private func create(_ twin: MilvusTwin, _ schema: MilvusCollectionSchema) throws -> Int32 {
        let request = try MilvusCreateCollectionRequest.with {
            $0.collectionName = schema.name
            $0.schema = try schema.serializedBytes()
        }
        return try MilvusStatus(
            serializedBytes: twin.answer("CreateCollection", request.serializedBytes())
        ).code
    }

    /// One row: two structs.
    private let row = MilvusInsertRequest.with {
        func column(
            _ name: String, _ type: DataType, _ fill: (inout MilvusFieldData) -> Void
        ) -> MilvusFieldData {
            .with {
                $0.type = type.rawValue
                $0.fieldName = name
                fill(&$0)
            }
        }
        $0.collectionName = "typed"
        $0.numRows = 1
        $0.fieldsData = [
            column("id", .int64) { $0.scalars.longData.data = [1] },
            column("small", .int8) { $0.scalars.intData.data = [-128] },
            column("number", .float) { $0.scalars.floatData.data = [-0.0] },
            column("json", .json) { $0.scalars.jsonData.data = [.init("{}".utf8)] },
            column("weights", .sparseFloatVector) {
                $0.vectors.sparseFloatVector.contents = [.init([1, 0, 0, 0, 0, 0, 128, 63])]
            },
            column("tags", .array) {
                $0.scalars.arrayData.data = [.with { $0.intData.data = [-32768, 7] }]
            },
            column("parts", .arrayOfStruct) {
                $0.structArrays.fields = [
                    column("text", .array) {
                        $0.scalars.arrayData.data = [.with { $0.stringData.data = ["a", "b"] }]
                    },
                    column("point", .arrayOfVector) {
                        $0.vectors.dim = 2
                        $0.vectors.vectorArray.data = [
                            .with { $0.floatVector.data = [1, 2, 3, 4] }
                        ]
                    },
                ]
            },
        ]
    }

    @Test("is refused, where the same row without the fault is taken")
    func values() throws {
        let twin = try MilvusTwin()
        #expect(try create(twin, Self.schema) == 0)
        func code(_ request: MilvusInsertRequest) throws -> Int32 {
            try MilvusMutationResult(
                serializedBytes: twin.answer("Insert", request.serializedBytes())
            ).status.code
        }
        #expect(try code(row) == 0)
        let spoils: [(String, (inout [MilvusFieldData]) -> Void)] = [
            ("an int8 of 128", { $0[1].scalars.intData.data = [128] }),
            ("a NaN", { $0[2].scalars.floatData.data = [.nan] }),
            ("an infinity", { $0[2].scalars.floatData.data = [-.infinity] }),
            ("a long JSON", { $0[3].scalars.jsonData.data = [.init(count: 65_537)] }),
            ("half a weight", { $0[4].vectors.sparseFloatVector.contents[0].removeLast() }),
            ("a negative weight", { $0[4].vectors.sparseFloatVector.contents[0][7] = 191 }),
            (
                "one index twice",
                {
                    $0[4].vectors.sparseFloatVector.contents[0].append(contentsOf: [
                        1, 0, 0, 0, 0, 0, 0, 0,
                    ])
                }
            ),
            (
                "three of two elements",
                { $0[5].scalars.arrayData.data[0].intData.data = [1, 2, 3] }
            ),
            ("an int16 of 40000", { $0[5].scalars.arrayData.data[0].intData.data = [40_000] }),
            (
                "elements of another type",
                { $0[5].scalars.arrayData.data[0] = .with { $0.longData.data = [1] } }
            ),
            ("a sub-field less", { $0[6].structArrays.fields.removeLast() }),
            (
                "a sub-field twice",
                { $0[6].structArrays.fields.append($0[6].structArrays.fields[0]) }
            ),
            ("a stored name", { $0[6].structArrays.fields[0].fieldName = "parts[text]" }),
            (
                "a struct less in a sub-field",
                {
                    $0[6].structArrays.fields[1].vectors.vectorArray.data[0].floatVector.data = [
                        1, 2,
                    ]
                }
            ),
            (
                "half a vector",
                { $0[6].structArrays.fields[1].vectors.vectorArray.data[0].floatVector.data = [1] }
            ),
            (
                "an untyped row of vectors",
                { $0[6].structArrays.fields[1].vectors.vectorArray.data[0].data = nil }
            ),
            (
                "a long text",
                {
                    $0[6].structArrays.fields[0].scalars.arrayData.data[0].stringData.data[0] =
                        "abcde"
                }
            ),
            ("a null", { $0[6].structArrays.fields[0].validData = [false] }),
            ("flags of the struct", { $0[6].validData = [true] }),
            ("no struct array", { $0.removeLast() }),
        ]
        for (what, spoil) in spoils {
            var request = row
            spoil(&request.fieldsData)
            #expect(try code(request) != 0, "\(what)")
        }
    }

    @Test("is refused, where the same schema without the fault is taken")
    func schemas() throws {
        let twin = try MilvusTwin()
        let spoils: [(String, (inout MilvusCollectionSchema) -> Void)] = [
            ("no sub-fields", { $0.structArrayFields[0].fields = [] }),
            ("a stored name", { $0.structArrayFields[0].fields[0].name = "parts[text]" }),
            ("a nullable sub-field", { $0.structArrayFields[0].fields[0].nullable = true }),
            ("a sub-field that is no array", { $0.structArrayFields[0].fields[0].dataType = 21 }),
            ("sparse elements", { $0.structArrayFields[0].fields[1].elementType = 104 }),
            ("vectors without a dimension", { $0.structArrayFields[0].fields[1].typeParams = [] }),
            ("an array of vectors by itself", { $0.fields[1].dataType = 106 }),
            ("a struct array as a field", { $0.fields[1].dataType = 200 }),
            ("one name twice", { $0.structArrayFields.append($0.structArrayFields[0]) }),
        ]
        for (what, spoil) in spoils {
            var schema = Self.schema
            spoil(&schema)
            #expect(try create(twin, schema) != 0, "\(what)")
        }
        #expect(try create(twin, Self.schema) == 0)
    }
}
