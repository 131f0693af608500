import StopoverCore

/// A column in the making: of the values that the rows of a column of dynamic fields have under one
/// key.
struct PromotedColumn {
    let field: FieldSchema
    /// The key's name, in UTF-8: keys are told apart by their bytes, as servers do.
    let key: [UInt8]
    /// What the row that is walked has under the key, in its last place.
    var found: JSONMember?

    private let maximumBytes: Int?
    private let layout: ValueLayout
    private let dataField: Int
    private var payload: [UInt8] = []
    private var valid: [UInt8] = []

    /// nil when no JSON value can be of the field's type.
    init?(_ field: FieldSchema, rowCount: Int) {
        switch field.type {
        case .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .json: break
        default: return nil
        }
        guard let dataField = FieldLayout.emptyDataField(field.type),
            let layout = FieldLayout.layout(
                type: field.type, dataField: dataField, dimension: nil)
        else { return nil }
        self.field = field
        self.layout = layout
        self.dataField = dataField
        key = Array(field.name.utf8)
        maximumBytes = field.maximumBytes
        if field.isNullable { valid.reserveCapacity(rowCount) }
        payload.reserveCapacity(rowCount * field.type.payloadElementWidth)
    }

    /// The column of the rows so far.
    var column: Column {
        ColumnForm(
            name: field.name, type: field.type, layout: layout, dataField: dataField,
            valid: field.isNullable ? valid : nil
        ).column(payload[...])
    }

    /// Adds a row that has no value that fits: null, or zero where there are no nulls.
    mutating func appendNothing() {
        guard !field.isNullable else { return valid.append(0) }
        switch layout {
        case .varints: payload.append(0)
        case .fixed(let width): for _ in 0..<width { payload.append(0) }
        // The empty object: an empty text would be no JSON.
        case .records, .vectorRows, .structs:
            payload.append(field: 1, bytes: field.type == .json ? "{}".utf8 : "".utf8)
        }
    }

    /// Adds the row whose value was found, if one was.
    /// - Parameter row: the object that was walked.
    /// - Returns: why the value does not fit, as a clause; the row then has none.
    mutating func append(foundIn row: UnsafeBufferPointer<UInt8>) -> String? {
        guard let found else {
            appendNothing()
            return field.isNullable ? nil : "is missing, and the field is not nullable"
        }
        let value = UnsafeBufferPointer(rebasing: row[found.value])
        let kind = JSONKind(value)
        guard kind != .null else {
            appendNothing()
            return field.isNullable ? nil : "is null, and the field is not nullable"
        }
        let reason: String?
        switch (field.type, kind) {
        case (.bool, .boolean):
            payload.append(value[0] == UInt8(ascii: "t") ? 1 : 0)
            reason = nil
        case (.int8, .number): reason = append(JSONNumber(value), within: Int8.self)
        case (.int16, .number): reason = append(JSONNumber(value), within: Int16.self)
        case (.int32, .number): reason = append(JSONNumber(value), within: Int32.self)
        case (.int64, .number): reason = append(JSONNumber(value), within: Int64.self)
        case (.float, .number): reason = append(JSONNumber(value).float?.bitPattern)
        case (.double, .number): reason = append(JSONNumber(value).double?.bitPattern)
        case (.varchar, .text):
            let text = UnsafeBufferPointer(rebasing: value.dropFirst().dropLast())
            reason = append(text: text, hasEscapes: found.valueHasEscapes)
        case (.json, _):
            payload.append(field: 1, bytes: value)
            reason = nil
        default: reason = "is \(kind.rawValue) where \(field.type.milvusName) is wanted"
        }
        if reason != nil {
            appendNothing()
        } else if field.isNullable {
            valid.append(1)
        }
        return reason
    }

    private mutating func append<Number: FixedWidthInteger & SignedInteger>(
        _ number: JSONNumber, within type: Number.Type
    ) -> String? {
        var range: String { "\(Number.min.grouped) to \(Number.max.grouped)" }
        switch number.whole {
        case .fraction: return "is no whole number"
        case .outOfRange: return "is outside of \(range)"
        case .value(let whole):
            guard Number(exactly: whole) != nil else {
                return "is \(whole.grouped), outside of \(range)"
            }
            payload.append(varint: UInt64(bitPattern: whole))
            return nil
        }
    }

    /// - Parameter bits: nil for a number beyond the largest.
    private mutating func append<Bits: FixedWidthInteger>(_ bits: Bits?) -> String? {
        guard var bits else { return "is beyond the largest \(field.type.milvusName)" }
        for _ in 0..<MemoryLayout<Bits>.size {
            payload.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
        }
        return nil
    }

    /// - Parameter text: between its quotes.
    private mutating func append(
        text: UnsafeBufferPointer<UInt8>, hasEscapes: Bool
    ) -> String? {
        guard TextCheck.isUTF8(text) else { return "is not UTF-8" }
        guard hasEscapes else { return append(record: text) }
        var unescaped: [UInt8] = []
        guard JSONText.append(unescaped: text, to: &unescaped) else {
            return "has half of a surrogate pair, which stands for no character"
        }
        return append(record: unescaped)
    }

    private mutating func append(record text: some Collection<UInt8>) -> String? {
        if let maximumBytes, text.count > maximumBytes {
            return "is \(text.count.grouped) bytes long, of at most \(maximumBytes.grouped)"
        }
        payload.append(field: 1, bytes: text)
        return nil
    }
}

/// What a JSON value is, by its first byte.
private enum JSONKind: String {
    case null
    case boolean = "true or false"
    case number = "a number"
    case text = "a text"
    case object = "an object"
    case array = "an array"

    /// - Parameter value: walked by ``JSONWalk``.
    init(_ value: UnsafeBufferPointer<UInt8>) {
        self =
            switch value.first {
            case UInt8(ascii: "n"): .null
            case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
            case UInt8(ascii: "\""): .text
            case UInt8(ascii: "{"): .object
            case UInt8(ascii: "["): .array
            default: .number
            }
    }
}
