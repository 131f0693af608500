import StopoverCore

@testable import StopoverMilvus

/// What a field gets of an object, by way of text.
enum SlowPromotion {
    /// nil for a value that does not fit.
    static func value(_ object: GeneratedObject?, _ field: FieldSchema) -> RowValue? {
        guard let member = object?.member(field.name), member.value != .null else {
            return field.isNullable ? .null : nil
        }
        switch (field.type, member.value) {
        case (.bool, .bool(let flag)): return .bool(flag)
        case (.json, _): return .text(member.written)
        case (.varchar, .text(let text)):
            let maximum = field.typeParams["max_length"].flatMap { Int($0) } ?? .max
            return text.utf8.count <= maximum ? .text(text) : nil
        case (.float, .number(let number)):
            return Float(number).flatMap { $0.isFinite ? .float($0.bitPattern) : nil }
        case (.double, .number(let number)):
            return Double(number).flatMap { $0.isFinite ? .double($0.bitPattern) : nil }
        case (.int8, .number(let number)): return whole(number, in: Int8.self)
        case (.int16, .number(let number)): return whole(number, in: Int16.self)
        case (.int32, .number(let number)): return whole(number, in: Int32.self)
        case (.int64, .number(let number)): return whole(number, in: Int64.self)
        default: return nil
        }
    }

    static func nothing(_ field: FieldSchema) -> RowValue {
        if field.isNullable { return .null }
        return switch field.type {
        case .bool: .bool(false)
        case .float: .float(0)
        case .double: .double(0)
        case .varchar: .bytes([])
        case .json: .text("{}")
        default: .int(0)
        }
    }

    private static func whole<Number: FixedWidthInteger>(
        _ number: String, in type: Number.Type
    ) -> RowValue? {
        whole(number).flatMap { Number($0) }.map { .int(Int64($0)) }
    }

    /// The digits of a number without a point or an exponent; nil for a fraction.
    private static func whole(_ number: String) -> String? {
        let isNegative = number.hasPrefix("-")
        let parts = number.lowercased().drop { $0 == "-" }.split(separator: "e")
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let point = parts[0].split(separator: ".")
        let fraction = point.count > 1 ? String(point[1]) : ""
        var digits = String(point[0]) + fraction
        let shift = exponent - fraction.count
        if shift >= 0 {
            digits += String(repeating: "0", count: shift)
        } else {
            digits = String(repeating: "0", count: -shift) + digits
            guard digits.suffix(-shift).allSatisfy({ $0 == "0" }) else { return nil }
            digits.removeLast(-shift)
        }
        let significant = digits.drop { $0 == "0" }
        return significant.isEmpty ? "0" : (isNegative ? "-" : "") + significant
    }
}
