import StopoverCore

/// Which `oneof` may hold a type's values, and how they lie there.
enum FieldLayout {
    /// nil when values of this type do not stand in that field.
    static func layout(type: DataType, dataField: Int, dimension: UInt64?) -> ValueLayout? {
        switch (type, dataField) {
        case (.bool, 1), (.int8, 2), (.int16, 2), (.int32, 2), (.int64, 3), (.timestamptz, 11):
            return .varints
        case (.float, 4): return .fixed(width: 4)
        case (.double, 5): return .fixed(width: 8)
        // Newer servers write timestamps as ISO strings and geometry as WKT.
        case (.varchar, 6), (.text, 6), (.timestamptz, 6), (.array, 8), (.json, 9),
            (.geometry, 10), (.geometry, 12), (.sparseFloatVector, 6):
            return .records
        case (.floatVector, 2): return fixed(dimension, bits: 32)
        case (.binaryVector, 3): return fixed(dimension, bits: 1)
        case (.float16Vector, 4), (.bfloat16Vector, 5): return fixed(dimension, bits: 16)
        case (.int8Vector, 7): return fixed(dimension, bits: 8)
        case (.arrayOfVector, 8): return .vectorRows
        default: return nil
        }
    }

    /// The field that an empty column of a type is written with.
    static func emptyDataField(_ type: DataType) -> Int? {
        switch type {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: longs
        case .float: 4
        case .double: 5
        case .varchar, .text: 6
        case .array: 8
        case .json: 9
        case .geometry: 12
        case .timestamptz: 6
        case .floatVector: 2
        case .binaryVector: 3
        case .float16Vector: 4
        case .bfloat16Vector: 5
        case .sparseFloatVector: 6
        case .int8Vector: 7
        case .arrayOfVector: 8
        case .arrayOfStruct, .structure: nil
        }
    }

    /// Number of `FieldData.struct_arrays`, beside `scalars` 3 and `vectors` 4.
    static let structArrays = 8
    /// Number of the ScalarField's `oneof` that holds INT64 values.
    static let longs = 3

    /// Number of the ScalarField's `oneof` that holds an array's elements.
    static func elementField(_ type: DataType) -> Int? {
        switch type {
        case .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar: emptyDataField(type)
        default: nil
        }
    }

    /// Number of the VectorField's `oneof` that holds the vectors of an ARRAY_OF_VECTOR's row; nil
    /// for sparse ones, which no server takes there (vectorArrayElementWidth in the proxy).
    static func vectorElementField(_ type: DataType) -> Int? {
        switch type {
        case .floatVector, .binaryVector, .float16Vector, .bfloat16Vector, .int8Vector:
            emptyDataField(type)
        default: nil
        }
    }

    private static func fixed(_ dimension: UInt64?, bits: Int) -> ValueLayout? {
        guard let dimension, dimension <= 1 << 20 else { return nil }
        return .fixed(width: (Int(dimension) * bits + 7) / 8)
    }
}
