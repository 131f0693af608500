import MilvusProto
import StopoverCore

/// A value of a row; floats by their bits, so that NaN equals itself.
enum RowValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case float(UInt32)
    case double(UInt64)
    case bytes([UInt8])
    case list([RowValue])

    static func text(_ text: String) -> RowValue { .bytes(Array(text.utf8)) }
}

struct ReferenceError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// What columns mean to Milvus: decoded by swift-protobuf, value by value, slow and plain.
enum Reference {
    /// The rows of one column. Throws when its values are of another kind than its type, or are as
    /// many as neither its rows nor its rows that are not null.
    static func rows(_ column: MilvusFieldData, _ field: FieldSchema) throws -> [RowValue] {
        if field.type == .arrayOfStruct { return try structRows(column, field) }
        let values = try values(column, field)
        let flags = try flags(column)
        guard !flags.isEmpty else { return values }
        if values.count == flags.filter({ $0 }).count {
            var remaining = values[...]
            return flags.map { $0 ? remaining.removeFirst() : .null }
        }
        guard values.count == flags.count else {
            throw ReferenceError("\(values.count) values for \(flags.count) flags")
        }
        return zip(values, flags).map { $1 ? $0 : .null }
    }

    /// A flag a row, from whichever place has them.
    static func flags(_ column: MilvusFieldData) throws -> [Bool] {
        let inner =
            switch column.field {
            case .scalars(let scalars): scalars.validData
            case .vectors(let vectors): vectors.validData
            case .structArrays, nil: [Bool]()
            }
        guard !column.validData.isEmpty else { return inner }
        guard inner.isEmpty || inner == column.validData else {
            throw ReferenceError("two sets of flags that disagree")
        }
        return column.validData
    }

    static func values(_ column: MilvusFieldData, _ field: FieldSchema) throws -> [RowValue] {
        guard column.type == field.type.rawValue else { throw ReferenceError("another type") }
        switch column.field {
        case nil: return []
        case .structArrays: throw ReferenceError("structs")
        case .scalars(let scalars):
            guard let data = scalars.data else { return [] }
            return try scalar(data, field.type)
        case .vectors(let vectors):
            guard let data = vectors.data else { return [] }
            if case .vectorArray(let array) = data { return try vectorRows(array, field) }
            let dimension = vectors.dim == 0 ? field.dimension ?? 0 : Int(vectors.dim)
            return try vector(data, field.type, dimension)
        }
    }

    private static func scalar(
        _ data: MilvusScalarField.OneOf_Data, _ type: DataType
    ) throws -> [RowValue] {
        switch (data, type) {
        case (.boolData(let array), .bool): array.data.map { .bool($0) }
        case (.intData(let array), .int8), (.intData(let array), .int16),
            (.intData(let array), .int32):
            array.data.map { .int(Int64($0)) }
        case (.longData(let array), .int64): array.data.map { .int($0) }
        case (.timestamptzData(let array), .timestamptz): array.data.map { .int($0) }
        case (.floatData(let array), .float): array.data.map { .float($0.bitPattern) }
        case (.doubleData(let array), .double): array.data.map { .double($0.bitPattern) }
        case (.stringData(let array), .varchar), (.stringData(let array), .text),
            (.stringData(let array), .timestamptz):
            array.data.map { .text($0) }
        case (.jsonData(let array), .json): array.data.map { .bytes(Array($0)) }
        case (.geometryData(let array), .geometry): array.data.map { .bytes(Array($0)) }
        case (.geometryWktData(let array), .geometry): array.data.map { .text($0) }
        case (.arrayData(let array), .array):
            try array.data.map { row in
                guard let elements = row.data else { return .list([]) }
                return .list(try elementType(elements).map { try scalar(elements, $0) } ?? [])
            }
        default: throw ReferenceError("values that are not of type \(type)")
        }
    }

    /// A type whose values the array's elements are.
    static func elementType(_ data: MilvusScalarField.OneOf_Data) throws -> DataType? {
        switch data {
        case .boolData: .bool
        case .intData: .int32
        case .longData: .int64
        case .floatData: .float
        case .doubleData: .double
        case .stringData: .varchar
        default: throw ReferenceError("an array of elements that arrays cannot have")
        }
    }

    static func vector(
        _ data: MilvusVectorField.OneOf_Data, _ type: DataType, _ dimension: Int
    ) throws -> [RowValue] {
        switch (data, type) {
        case (.floatVector(let array), .floatVector):
            try cut(array.data, dimension).map { .list($0.map { .float($0.bitPattern) }) }
        case (.binaryVector(let data), .binaryVector):
            try cut(Array(data), (dimension + 7) / 8).map { .bytes($0) }
        case (.float16Vector(let data), .float16Vector),
            (.bfloat16Vector(let data), .bfloat16Vector):
            try cut(Array(data), dimension * 2).map { .bytes($0) }
        case (.int8Vector(let data), .int8Vector):
            try cut(Array(data), dimension).map { .bytes($0) }
        case (.sparseFloatVector(let array), .sparseFloatVector):
            array.contents.map { .bytes(Array($0)) }
        default: throw ReferenceError("values that are not of type \(type)")
        }
    }

    private static func cut<Element>(_ values: [Element], _ width: Int) throws -> [[Element]] {
        guard !values.isEmpty else { return [] }
        guard width > 0, values.count % width == 0 else {
            throw ReferenceError("\(values.count) elements are no vectors of \(width)")
        }
        return stride(from: 0, to: values.count, by: width).map {
            Array(values[$0..<($0 + width)])
        }
    }
}

extension Reference {
    /// The rows of the asked columns, by name. A nameless dynamic column is the one asked for.
    static func rows(
        _ columns: [MilvusFieldData], asked fields: [FieldSchema]
    ) throws -> [String: [RowValue]] {
        var rows: [String: [RowValue]] = [:]
        for column in columns {
            guard let field = asked(column.fieldName, column.isDynamic, fields) else { continue }
            guard rows[field.name] == nil else { throw ReferenceError("a column given twice") }
            rows[field.name] = try Reference.rows(column, field)
        }
        return rows
    }

    static func asked(_ name: String, _ isDynamic: Bool, _ fields: [FieldSchema]) -> FieldSchema? {
        fields.first { name.utf8.elementsEqual($0.name.utf8) }
            ?? (isDynamic && name.isEmpty ? fields.first(where: \.isDynamic) : nil)
    }

    /// What an Insert wants beyond meaning the same: one place for flags, compact values, arrays
    /// that say their type, and no id.
    static func normalFormFault(_ column: MilvusFieldData, _ field: FieldSchema) throws -> String? {
        if column.fieldID != 0 { return "field_id" }
        if column.isDynamic != field.isDynamic { return "is_dynamic" }
        if column.fieldName != field.name { return "name" }
        if try !flags(column).isEmpty {
            if column.validData.isEmpty { return "flags in the inner place" }
            let present = column.validData.filter { $0 }.count
            if try values(column, field).count != present { return "dense values" }
        }
        switch column.field {
        case .structArrays(let structs): return try structFault(structs, field)
        case .vectors(let vectors) where field.type == .arrayOfVector:
            return vectorRowsFault(vectors, field)
        case .scalars(let scalars) where !scalars.validData.isEmpty: return "inner flags"
        case .vectors(let vectors) where !vectors.validData.isEmpty: return "inner flags"
        case .vectors(let vectors) where field.dimension.map { $0 != vectors.dim } ?? false:
            return "dimension"
        case .scalars(let scalars):
            guard case .arrayData(let array)? = scalars.data else { return nil }
            if array.elementType != field.elementType?.rawValue { return "element type" }
            return array.data.contains { $0.data == nil } ? "an untyped array row" : nil
        default: return nil
        }
    }
}
