/// The field types of Milvus, by the numbers they have on the wire.
public enum DataType: Int32, Sendable, Codable, CaseIterable {
    case bool = 1
    case int8 = 2
    case int16 = 3
    case int32 = 4
    case int64 = 5
    case float = 10
    case double = 11
    case varchar = 21
    case array = 22
    case json = 23
    case geometry = 24
    case text = 25
    case timestamptz = 26
    case binaryVector = 100
    case floatVector = 101
    case float16Vector = 102
    case bfloat16Vector = 103
    case sparseFloatVector = 104
    case int8Vector = 105
    case arrayOfVector = 106
    case arrayOfStruct = 200
    case structure = 201

    public var isVector: Bool { (100..<200).contains(rawValue) }

    /// As the Milvus documentation writes it, for messages and tables.
    public var milvusName: String {
        switch self {
        case .bool: "BOOL"
        case .int8: "INT8"
        case .int16: "INT16"
        case .int32: "INT32"
        case .int64: "INT64"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .varchar: "VARCHAR"
        case .array: "ARRAY"
        case .json: "JSON"
        case .geometry: "GEOMETRY"
        case .text: "TEXT"
        case .timestamptz: "TIMESTAMPTZ"
        case .binaryVector: "BINARY_VECTOR"
        case .floatVector: "FLOAT_VECTOR"
        case .float16Vector: "FLOAT16_VECTOR"
        case .bfloat16Vector: "BFLOAT16_VECTOR"
        case .sparseFloatVector: "SPARSE_FLOAT_VECTOR"
        case .int8Vector: "INT8_VECTOR"
        case .arrayOfVector: "ARRAY_OF_VECTOR"
        case .arrayOfStruct: "ARRAY_OF_STRUCT"
        case .structure: "STRUCT"
        }
    }

    /// Width in bytes of one packed element in the payload of a column, 1 where the payload is
    /// not an array of fixed-width numbers. The spool splits wider elements into byte planes.
    public var payloadElementWidth: Int {
        switch self {
        case .float, .floatVector: 4
        case .double: 8
        case .float16Vector, .bfloat16Vector: 2
        default: 1
        }
    }
}
