import Foundation

/// Texts of JSON, out of their escapes and into them.
enum JSONText {
    /// Appends what a text says.
    /// - Parameter text: the bytes between its quotes, walked by ``JSONWalk``.
    /// - Returns: false when it has half of a surrogate pair, which stands for no character; U+FFFD
    ///   is in its place, as Go has it.
    static func append(
        unescaped text: UnsafeBufferPointer<UInt8>, to result: inout [UInt8]
    ) -> Bool {
        var isWhole = true
        var position = 0
        while position < text.count {
            let byte = text[position]
            guard byte == UInt8(ascii: "\\"), position + 1 < text.count else {
                result.append(byte)
                position += 1
                continue
            }
            position += 2
            switch text[position - 1] {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                let scalar = scalar(text, &position)
                if scalar == nil { isWhole = false }
                result += Array(String(scalar ?? "\u{FFFD}").utf8)
            case let escaped: result.append(escaped)
            }
        }
        return isWhole
    }

    /// The character of the four digits at `position`, or of a pair of such escapes; nil, past the
    /// first, for a half without the other.
    private static func scalar(
        _ text: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) -> Unicode.Scalar? {
        let unit = unit(text, position)
        position = min(position + 4, text.count)
        guard let unit else { return nil }
        guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(unit) }
        guard position + 6 <= text.count, text[position] == UInt8(ascii: "\\"),
            text[position + 1] == UInt8(ascii: "u"),
            let trail = self.unit(text, position + 2), UTF16.isTrailSurrogate(trail)
        else { return nil }
        position += 6
        return UTF16.decode(UTF16.EncodedScalar([unit, trail]))
    }

    private static func unit(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> UInt16? {
        guard position + 4 <= text.count else { return nil }
        var unit: UInt16 = 0
        for offset in 0..<4 {
            guard let nibble = nibble(text[position + offset]) else { return nil }
            unit = unit << 4 | UInt16(nibble)
        }
        return unit
    }

    /// The value of a hexadecimal digit.
    static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Writing JSON.
extension [UInt8] {
    /// A text in quotes. What stands in no line of text is escaped, the rest is as it is.
    /// - Parameter text: UTF-8.
    mutating func append(jsonText text: some Collection<UInt8>) {
        append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x0A: self += "\\n".utf8
            case 0x0D: self += "\\r".utf8
            case 0x09: self += "\\t".utf8
            case ..<0x20, 0x7F:
                self += "\\u00".utf8
                append(hexadecimal: byte >> 4)
                append(hexadecimal: byte & 0xF)
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(hexadecimal nibble: UInt8) {
        append(nibble + (nibble < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
    }

    /// Bytes that are no text, as `{"base64":"…"}` (RFC 4648, with padding).
    mutating func append(jsonBytes bytes: some Collection<UInt8>) {
        self += #"{"base64":"\#(Data(bytes).base64EncodedString())"}"#.utf8
    }
}
