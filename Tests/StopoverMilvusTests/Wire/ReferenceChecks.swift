import StopoverCore

/// What a field can hold, told value by value, slowly, and in other words than ``ColumnCheck``.
enum ReferenceChecks {
    /// - Parameter dimension: of the column, which may be another than the field's.
    static func fits(_ value: RowValue, _ field: FieldSchema, dimension: Int?) -> Bool {
        if value == .null { return field.isNullable || field.defaultValue != nil }
        switch field.type {
        case .int8, .int16, .int32: return isInteger(value, field.type)
        case .float, .double: return isFinite(value)
        case .floatVector:
            return dimension == field.dimension && value.elements.allSatisfy(isFinite)
        case .float16Vector:
            return dimension == field.dimension
                && pairs(value.rawBytes).allSatisfy { Float16(bitPattern: $0).isFinite }
        case .bfloat16Vector:
            return dimension == field.dimension
                && pairs(value.rawBytes).allSatisfy {
                    Float(bitPattern: UInt32($0) << 16).isFinite
                }
        case .binaryVector, .int8Vector: return dimension == field.dimension
        case .sparseFloatVector: return isSparse(value.rawBytes)
        case .varchar, .text: return isText(value, field)
        case .geometry, .timestamptz:
            guard case .bytes(let bytes) = value else { return true }
            return bytes.first == 0xFF || String(validating: bytes, as: UTF8.self) != nil
        case .json: return isJSON(value.rawBytes, field)
        case .array: return isArray(value, field)
        default: return true
        }
    }

    private static func isInteger(_ value: RowValue, _ type: DataType) -> Bool {
        guard case .int(let number) = value else { return false }
        return switch type {
        case .int8: Int8(exactly: number) != nil
        case .int16: Int16(exactly: number) != nil
        default: Int32(exactly: number) != nil
        }
    }

    private static func isFinite(_ value: RowValue) -> Bool {
        switch value {
        case .float(let bits): Float(bitPattern: bits).isFinite
        case .double(let bits): Double(bitPattern: bits).isFinite
        default: false
        }
    }

    private static func pairs(_ bytes: [UInt8]) -> [UInt16] {
        stride(from: 0, to: bytes.count, by: 2).map {
            UInt16(bytes[$0]) + UInt16(bytes[$0 + 1]) * 256
        }
    }

    private static func isText(_ value: RowValue, _ field: FieldSchema) -> Bool {
        let limit = field.typeParams["max_length"].flatMap { Int($0) } ?? .max
        guard String(validating: value.rawBytes, as: UTF8.self) != nil else { return false }
        return value.rawBytes.count <= limit
    }

    private static func isArray(_ value: RowValue, _ field: FieldSchema) -> Bool {
        let capacity = field.typeParams["max_capacity"].flatMap { Int($0) } ?? .max
        guard value.elements.count <= capacity else { return false }
        return value.elements.allSatisfy { element in
            switch field.elementType {
            case .varchar?: isText(element, field)
            case .int8?, .int16?, .int32?: isInteger(element, field.elementType ?? .int32)
            default: true
            }
        }
    }

    private static func isSparse(_ bytes: [UInt8]) -> Bool {
        guard bytes.count % 8 == 0 else { return false }
        let numbers = stride(from: 0, to: bytes.count, by: 4).map { start in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32($1 * 8) }
        }
        let indexes = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
        let values = stride(from: 1, to: numbers.count, by: 2).map {
            Float(bitPattern: numbers[$0])
        }
        return indexes == Set(indexes).sorted() && !indexes.contains(.max)
            && values.allSatisfy { $0.isFinite && !($0 < 0) }
    }

    private static func isJSON(_ bytes: [UInt8], _ field: FieldSchema) -> Bool {
        guard bytes.count <= 65_536, let text = String(validating: bytes, as: UTF8.self),
            let json = ReferenceJSON.parse(text)
        else { return false }
        guard field.isDynamic else { return true }
        guard case .object(let keys) = json else { return false }
        return !keys.contains("$meta")
    }
}

/// RFC 8259 by recursive descent.
struct ReferenceJSON {
    enum Kind {
        /// Keys as written, escapes and all.
        case object([String])
        case other
    }

    private struct NoJSON: Error {}
    private var rest: Substring.UnicodeScalarView

    /// nil when the text is no JSON.
    static func parse(_ text: String) -> Kind? {
        var parser = ReferenceJSON(rest: Substring(text).unicodeScalars)
        guard let kind = try? parser.value() else { return nil }
        parser.space()
        return parser.rest.isEmpty ? kind : nil
    }

    private mutating func value() throws -> Kind {
        space()
        switch rest.first {
        case "{"?: return .object(try object())
        case "["?:
            rest.removeFirst()
            try list(until: "]") { parser in _ = try parser.value() }
        case "\""?: _ = try string()
        case "t"?: try word("true")
        case "f"?: try word("false")
        case "n"?: try word("null")
        default:
            let pattern = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/.matchingSemantics(
                .unicodeScalar)
            guard let match = Substring(rest).prefixMatch(of: pattern) else { throw NoJSON() }
            rest = rest[match.range.upperBound...]
        }
        return .other
    }

    private mutating func object() throws -> [String] {
        rest.removeFirst()
        var keys: [String] = []
        try list(until: "}") { parser in
            parser.space()
            keys.append(try parser.string())
            parser.space()
            try parser.word(":")
            _ = try parser.value()
        }
        return keys
    }

    private mutating func list(
        until end: Unicode.Scalar, _ item: (inout ReferenceJSON) throws -> Void
    ) throws {
        space()
        if rest.first == end { return _ = rest.removeFirst() }
        while true {
            try item(&self)
            space()
            guard let next = rest.popFirst() else { throw NoJSON() }
            if next == end { return }
            guard next == "," else { throw NoJSON() }
        }
    }

    private mutating func string() throws -> String {
        try word("\"")
        var text = ""
        while let scalar = rest.popFirst() {
            if scalar == "\"" { return text }
            guard scalar.value >= 0x20 else { throw NoJSON() }
            text.unicodeScalars.append(scalar)
            guard scalar == "\\" else { continue }
            guard let escaped = rest.popFirst(), "\"\\/bfnrtu".unicodeScalars.contains(escaped)
            else { throw NoJSON() }
            text.unicodeScalars.append(escaped)
            guard escaped == "u" else { continue }
            for _ in 0..<4 {
                guard let digit = rest.popFirst(), digit.properties.isASCIIHexDigit else {
                    throw NoJSON()
                }
                text.unicodeScalars.append(digit)
            }
        }
        throw NoJSON()
    }

    private mutating func word(_ word: String) throws {
        for scalar in word.unicodeScalars {
            guard rest.popFirst() == scalar else { throw NoJSON() }
        }
    }

    private mutating func space() {
        while let first = rest.first, " \n\r\t".unicodeScalars.contains(first) {
            rest.removeFirst()
        }
    }
}
