import MilvusProto
import StopoverCore

/// Makes insertable columns from values: for generated and embedded data, where rows come from no
/// source cluster. By way of the generated messages; the engine's own path never does this.
public enum ColumnBuilder {
    public static func longs(_ name: String, _ values: [Int64]) throws -> Column {
        var data = MilvusFieldData()
        data.scalars.longData.data = values
        return try column(name, .int64, data)
    }

    public static func strings(_ name: String, _ values: [String]) throws -> Column {
        var data = MilvusFieldData()
        data.scalars.stringData.data = values
        return try column(name, .varchar, data)
    }

    /// Insert takes the values that there are, and a flag for each row: the compact form.
    public static func strings(_ name: String, nullable values: [String?]) throws -> Column {
        var data = MilvusFieldData()
        data.scalars.stringData.data = values.compactMap(\.self)
        data.validData = values.map { $0 != nil }
        return try column(name, .varchar, data)
    }

    /// Empty arrays are written with their type: a row without one kills Milvus 2.3.5.
    public static func stringArrays(_ name: String, _ values: [[String]]) throws -> Column {
        var data = MilvusFieldData()
        data.scalars.arrayData.elementType = DataType.varchar.rawValue
        data.scalars.arrayData.data = values.map { value in
            var row = MilvusScalarField()
            row.stringData.data = value
            return row
        }
        return try column(name, .array, data)
    }

    /// - Parameter values: row after row, `dimension` numbers each.
    public static func floatVectors(
        _ name: String, dimension: Int, _ values: [Float]
    ) throws -> Column {
        var data = MilvusFieldData()
        data.vectors.dim = Int64(dimension)
        data.vectors.floatVector.data = values
        return try column(name, .floatVector, data)
    }

    /// The dynamic keys of each row, a JSON object each, in UTF-8.
    public static func dynamicFields(_ objects: [[UInt8]]) throws -> Column {
        var data = MilvusFieldData()
        data.isDynamic = true
        data.scalars.jsonData.data = objects.map { .init($0) }
        return try column(CollectionSchema.dynamicFieldName, .json, data)
    }

    private static func column(
        _ name: String, _ type: DataType, _ data: MilvusFieldData
    ) throws -> Column {
        var data = data
        data.type = type.rawValue
        data.fieldName = name
        return Column(
            name: name, type: type, head: try data.serializedBytes(), payload: [], tail: [])
    }
}
