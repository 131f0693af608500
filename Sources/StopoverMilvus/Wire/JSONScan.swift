import StopoverCore

/// Tells whether bytes are one JSON value (RFC 8259), without making anything of it. Used again and
/// again, so that its memory of open brackets is made once.
struct JSONScan {
    /// Go's `encoding/json` refuses what is nested deeper; servers parse with it or its like.
    static let maximumDepth = 10_000

    /// Of the value that was scanned last.
    private(set) var isObject = false
    /// Whether that object has a key `$meta`, written without escapes.
    private(set) var namesDynamicField = false

    /// Brackets that are open, true for an object.
    private var open: [Bool] = []
    private var position = 0

    /// - Parameter bytes: UTF-8, which is not checked here.
    /// - Returns: the place of the first byte that does not belong, their count when they end too
    ///   early, nil when they are a JSON value.
    mutating func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        position = 0
        isObject = false
        namesDynamicField = false
        open.removeAll(keepingCapacity: true)
        return scan(bytes) ? nil : min(position, bytes.count)
    }

    private mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        skipSpace(bytes)
        isObject = position < bytes.count && bytes[position] == UInt8(ascii: "{")
        while true {
            // A value begins here; brackets with something in them leave it open.
            guard let isWhole = begin(bytes) else { return false }
            guard isWhole else { continue }
            while true {
                skipSpace(bytes)
                guard let inObject = open.last else { return position == bytes.count }
                guard position < bytes.count else { return false }
                switch bytes[position] {
                case UInt8(ascii: "}") where inObject, UInt8(ascii: "]") where !inObject:
                    position += 1
                    open.removeLast()
                    continue
                case UInt8(ascii: ","):
                    position += 1
                    if inObject, !key(bytes) { return false }
                default: return false
                }
                break
            }
        }
    }

    /// Reads a value that is no bracket, or an empty pair of them, and returns true; or enters a
    /// bracket up to its first value, and returns false. nil when there is no value.
    private mutating func begin(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool? {
        skipSpace(bytes)
        guard position < bytes.count else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""): return string(bytes) ? true : nil
        case UInt8(ascii: "{"):
            guard open.count < JSONScan.maximumDepth else { return nil }
            guard !empty(bytes, UInt8(ascii: "}")) else { return true }
            open.append(true)
            return key(bytes) ? false : nil
        case UInt8(ascii: "["):
            guard open.count < JSONScan.maximumDepth else { return nil }
            guard !empty(bytes, UInt8(ascii: "]")) else { return true }
            open.append(false)
            return false
        case UInt8(ascii: "t"): return literal("true", bytes) ? true : nil
        case UInt8(ascii: "f"): return literal("false", bytes) ? true : nil
        case UInt8(ascii: "n"): return literal("null", bytes) ? true : nil
        default: return number(bytes) ? true : nil
        }
    }

    /// Passes an opening bracket, and the closing one where nothing stands between.
    private mutating func empty(_ bytes: UnsafeBufferPointer<UInt8>, _ closing: UInt8) -> Bool {
        position += 1
        skipSpace(bytes)
        guard position < bytes.count, bytes[position] == closing else { return false }
        position += 1
        return true
    }

    private mutating func key(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        skipSpace(bytes)
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return false }
        let start = position
        guard string(bytes) else { return false }
        if open.count == 1, isObject {
            namesDynamicField =
                namesDynamicField
                || bytes[start + 1..<position - 1].elementsEqual(
                    CollectionSchema.dynamicFieldName.utf8)
        }
        skipSpace(bytes)
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return false }
        position += 1
        return true
    }

    // MARK: Parts without brackets

    private mutating func string(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        // In a local, which stays in a register: most bytes of a document are passed here.
        var place = position + 1
        while place < bytes.count {
            let byte = bytes[place]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                place += 1
                continue
            }
            position = place
            guard byte >= 0x20 else { return false }
            position += 1
            if byte == UInt8(ascii: "\"") { return true }
            guard escape(bytes) else { return false }
            place = position
        }
        position = place
        return false
    }

    /// What follows a backslash. Halves of surrogate pairs are taken, as Go takes them.
    private mutating func escape(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
            return true
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard position < bytes.count, JSONScan.isHexadecimal(bytes[position]) else {
                    return false
                }
                position += 1
            }
            return true
        default: return false
        }
    }

    private mutating func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        skip(bytes, UInt8(ascii: "-"))
        if !skip(bytes, UInt8(ascii: "0")), !digits(bytes) { return false }
        if skip(bytes, UInt8(ascii: ".")), !digits(bytes) { return false }
        if skip(bytes, UInt8(ascii: "e")) || skip(bytes, UInt8(ascii: "E")) {
            if !skip(bytes, UInt8(ascii: "-")) { skip(bytes, UInt8(ascii: "+")) }
            return digits(bytes)
        }
        return true
    }

    /// One digit or more.
    private mutating func digits(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= bytes[position] {
            position += 1
        }
        return position > start
    }

    private mutating func literal(
        _ text: StaticString, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        for offset in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[offset] else {
                return false
            }
            position += 1
        }
        return true
    }

    @discardableResult
    private mutating func skip(_ bytes: UnsafeBufferPointer<UInt8>, _ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace(_ bytes: UnsafeBufferPointer<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
