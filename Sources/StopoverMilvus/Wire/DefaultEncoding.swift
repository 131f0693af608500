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

/// Instants as servers write them in a TIMESTAMPTZ column: `2024-02-29T23:59:59.000001Z`.
enum InstantText {
    /// - Parameter microseconds: since 1970-01-01T00:00:00Z.
    /// - Returns: nil outside of the years 1 to 9999, which ISO 8601 cannot write in four digits.
    static func utc(microseconds: Int64) -> String? {
        let (days, ofDay) = floorDivision(microseconds, 86_400_000_000)
        let (year, month, day) = civil(daysSince1970: days)
        guard (1...9999).contains(year) else { return nil }
        let (seconds, fraction) = floorDivision(ofDay, 1_000_000)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
            .joined(separator: ":")
        return "\(date)T\(time)" + (fraction == 0 ? "Z" : ".\(padded(fraction, 6))Z")
    }

    /// The Gregorian date of a day, by eras of 400 years that begin in March, so that the leap day
    /// is the last of its year (Hinnant, `civil_from_days`).
    private static func civil(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivision(daysSince1970 + 719_468, 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func floorDivision(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
