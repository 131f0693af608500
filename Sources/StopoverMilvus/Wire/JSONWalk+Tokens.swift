/// Parts of JSON without brackets.
extension JSONWalk {
    /// From an opening quote to behind the closing one, 8 bytes at a time where none of them is
    /// special; true when there are escapes.
    mutating func text() throws(JSONFault) -> Bool {
        let words = UnsafeRawBufferPointer(bytes)
        let count = bytes.count
        var hasEscapes = false
        var place = position + 1
        while true {
            while place + 8 <= count {
                let word = UInt64(
                    littleEndian: words.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                let special = JSONWalk.specials(word)
                guard special == 0 else {
                    place += special.trailingZeroBitCount / 8
                    break
                }
                place += 8
            }
            guard place < count else {
                position = count
                throw fault
            }
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") {
                position = place + 1
                return hasEscapes
            }
            position = place
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try escape()
                place = position
            } else {
                guard byte >= 0x20 else { throw fault }
                place += 1
            }
        }
    }

    /// The high bit of the first byte, from the low end, that is a quote, a backslash or a control
    /// character; bits above it may be wrong.
    private static func specials(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let found =
            (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
            | (word &- (ones &* 0x20)) & ~word
        return found & (ones &* 0x80)
    }

    /// From a backslash to behind what it escapes. Halves of surrogate pairs are taken, as Go takes
    /// them.
    private mutating func escape() throws(JSONFault) {
        position += 1
        guard position < bytes.count else { throw fault }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard position < bytes.count, JSONText.nibble(bytes[position]) != nil else {
                    throw fault
                }
                position += 1
            }
        default: throw fault
        }
    }

    mutating func number() throws(JSONFault) {
        skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try digits() }
        if skip(UInt8(ascii: ".")) { try digits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "-")) { skip(UInt8(ascii: "+")) }
            try digits()
        }
    }

    /// One digit or more.
    private mutating func digits() throws(JSONFault) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= bytes[position] {
            position += 1
        }
        guard position > start else { throw fault }
    }

    mutating func literal(_ text: StaticString) throws(JSONFault) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard skip(text.utf8Start[offset]) else { throw fault }
        }
    }

    @discardableResult
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }
}
