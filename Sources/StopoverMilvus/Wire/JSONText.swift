/// Strings and numbers of JSON, from their bytes.
enum JSONText {
    /// What stands between the quotes of a string, its escapes resolved. Half a surrogate pair
    /// becomes U+FFFD, as Go reads it.
    /// - Parameter raw: of a string that ``JSONScan`` took.
    static func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        guard raw.contains(UInt8(ascii: "\\")) else { return Array(raw) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var position = 0
        while position < raw.count {
            let byte = raw[position]
            guard byte == UInt8(ascii: "\\"), position + 1 < raw.count else {
                bytes.append(byte)
                position += 1
                continue
            }
            let escape = raw[position + 1]
            position += 2
            switch escape {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "u"): bytes += scalar(raw, &position)
            default: bytes.append(escape)
            }
        }
        return bytes
    }

    /// The code point after `\u`, and the second half of its pair where one follows.
    private static func scalar(
        _ raw: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) -> [UInt8] {
        let first = unit(raw, &position)
        var code = first
        if (0xD800..<0xDC00).contains(first), position + 1 < raw.count,
            raw[position] == UInt8(ascii: "\\"), raw[position + 1] == UInt8(ascii: "u")
        {
            var next = position + 2
            let second = unit(raw, &next)
            if (0xDC00..<0xE000).contains(second) {
                code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
                position = next
            }
        }
        return Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
    }

    private static func unit(_ raw: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 where position < raw.count {
            let digit = Character(Unicode.Scalar(raw[position])).hexDigitValue ?? 0
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    /// A number that is whole, exactly; nil for a fraction and beyond INT64. `1.0` and `1e3` are
    /// whole, as far as a double tells them exactly.
    static func whole(_ raw: UnsafeBufferPointer<UInt8>) -> Int64? {
        let text = String(decoding: raw, as: UTF8.self)
        if let value = Int64(text) { return value }
        guard text.contains(where: { $0 == "." || $0 == "e" || $0 == "E" }),
            let value = Double(text), value.magnitude <= 0x1p53
        else { return nil }
        return Int64(exactly: value)
    }

    /// JSON of a floating-point number that can be read back; JSON has no NaN and no infinities.
    static func text(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String {
        if value.isNaN { return "\"NaN\"" }
        if value.isInfinite { return value < 0 ? "\"-Infinity\"" : "\"Infinity\"" }
        return value.description
    }
}
