import StopoverCore

extension ColumnForm {
    /// The bytes of a default among this column's values; nil when they cannot hold it: it is of
    /// another type, too large for it, or no value of such a type can be a default (arrays, vectors).
    func encoded(_ value: DefaultValue) -> [UInt8]? {
        switch (type, value) {
        case (.bool, .bool(let flag)): ColumnForm.varint(flag ? 1 : 0)
        case (.int8, .int(let number)): Int8(exactly: number).map { ColumnForm.varint(Int64($0)) }
        case (.int16, .int(let number)): Int16(exactly: number).map { ColumnForm.varint(Int64($0)) }
        case (.int32, .int(let number)), (.int64, .int(let number)):
            ColumnForm.varint(Int64(number))
        case (.int64, .long(let number)): ColumnForm.varint(number)
        case (.float, .float(let number)): ColumnForm.littleEndian(number.bitPattern)
        case (.double, .double(let number)): ColumnForm.littleEndian(number.bitPattern)
        case (.varchar, .string(let text)), (.text, .string(let text)), (.json, .string(let text)):
            ColumnForm.record(text.utf8)
        case (.json, .bytes(let bytes)): ColumnForm.record(bytes)
        case (.geometry, .string(let text)): dataField == 12 ? ColumnForm.record(text.utf8) : nil
        case (.geometry, .bytes(let bytes)): dataField == 10 ? ColumnForm.record(bytes) : nil
        case (.timestamptz, .string(let text)):
            layout == .records ? ColumnForm.record(text.utf8) : nil
        case (.timestamptz, .timestamptz(let microseconds)):
            if layout == .records {
                InstantText.utc(microseconds: microseconds).map { ColumnForm.record($0.utf8) }
            } else {
                ColumnForm.varint(microseconds)
            }
        default: nil
        }
    }

    private static func varint(_ number: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(varint: UInt64(bitPattern: number))
        return bytes
    }

    private static func record(_ value: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(field: 1, bytes: value)
        return bytes
    }

    private static func littleEndian(_ bits: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: bits.littleEndian) { Array($0) }
    }
}
