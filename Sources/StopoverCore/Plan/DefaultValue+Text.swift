extension DefaultValue {
    /// Why a text is no default of a field.
    enum Fault: Error, Hashable {
        /// Milvus has none for vectors, arrays, JSON and struct arrays, nor for TEXT (milvus.io,
        /// "Nullable & Default", "Text Field").
        case typeWithoutDefaults
        case notOfTheType
        case tooLong(limit: Int)

        func sentence(_ text: String, _ field: FieldSchema) -> String {
            let (value, type) = (text.debugDescription, field.type.milvusName)
            return switch self {
            case .typeWithoutDefaults: "Milvus has no defaults for fields of type \(type)"
            case .notOfTheType:
                "the default \(value) is no value of type \(type)\(Fault.example(field.type))"
            case .tooLong(let limit):
                "the default has \(text.utf8.count) bytes, and `max_length` is \(limit)"
            }
        }

        private static func example(_ type: DataType) -> String {
            switch type {
            case .timestamptz: ", as 2024-02-29T23:59:59.5Z or 2024-02-29T23:59:59+02:00"
            case .geometry: ", as POINT (1 2)"
            default: ""
            }
        }
    }

    /// A default as migration.yaml writes it, for a field.
    init(_ text: String, for field: FieldSchema) throws(Fault) {
        func parsed<Value>(_ value: Value?) throws(Fault) -> Value {
            guard let value else { throw .notOfTheType }
            return value
        }
        switch field.type {
        case .bool: self = .bool(try parsed(Bool(text)))
        case .int8: self = .int(Int32(try parsed(Int8(text))))
        case .int16: self = .int(Int32(try parsed(Int16(text))))
        case .int32: self = .int(try parsed(Int32(text)))
        case .int64: self = .long(try parsed(Int64(text)))
        case .float: self = .float(try parsed(Float(text).flatMap { $0.isFinite ? $0 : nil }))
        case .double: self = .double(try parsed(Double(text).flatMap { $0.isFinite ? $0 : nil }))
        case .varchar:
            guard field.holds(text) else { throw .tooLong(limit: field.maxLength ?? .max) }
            self = .string(text)
        case .timestamptz: self = .timestamptz(try parsed(InstantText.microseconds(text)))
        case .geometry:
            guard WellKnownText(text) != nil else { throw .notOfTheType }
            self = .string(text)
        case .array, .json, .text, .arrayOfVector, .arrayOfStruct, .structure, .binaryVector,
            .floatVector, .float16Vector, .bfloat16Vector, .sparseFloatVector, .int8Vector:
            throw .typeWithoutDefaults
        }
    }
}

extension FieldSchema {
    /// Bytes of the longest text, where there is a bound.
    var maxLength: Int? { typeParams["max_length"].flatMap { Int($0) } }

    func holds(_ text: String) -> Bool { text.utf8.count <= maxLength ?? .max }
}
