extension DefaultValue {
    /// A default as migration.yaml writes it, for a field.
    /// - Returns: nil when the text is no value of the field's type, or the type has no defaults
    ///   (vectors, arrays and JSON: Milvus takes none).
    init?(_ text: String, for field: FieldSchema) {
        switch field.type {
        case .bool:
            guard let value = Bool(text) else { return nil }
            self = .bool(value)
        case .int8:
            guard let value = Int8(text) else { return nil }
            self = .int(Int32(value))
        case .int16:
            guard let value = Int16(text) else { return nil }
            self = .int(Int32(value))
        case .int32:
            guard let value = Int32(text) else { return nil }
            self = .int(value)
        case .int64:
            guard let value = Int64(text) else { return nil }
            self = .long(value)
        case .float:
            guard let value = Float(text), value.isFinite else { return nil }
            self = .float(value)
        case .double:
            guard let value = Double(text), value.isFinite else { return nil }
            self = .double(value)
        case .varchar, .text:
            let limit = field.typeParams["max_length"].flatMap { Int($0) }
            guard text.utf8.count <= limit ?? .max else { return nil }
            self = .string(text)
        default: return nil
        }
    }
}
