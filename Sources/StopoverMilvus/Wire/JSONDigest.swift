import StopoverCore

/// What a JSON text says, as a number: the same whatever its blanks, the order of its keys, its escapes
/// and the digits that a double is written with; another where an integer became a double (`1`, `1.0`),
/// a boolean a number, or null something. Of a key that comes twice the last value counts, as in
/// Milvus. A loop and not a recursion, as ``JSONWalk``.
struct JSONDigest {
    private enum Kind: UInt64 {
        case null = 1
        case yes, no, integer, double, beyondDouble, text, array, object, noJSON
    }

    private struct Frame {
        /// Where its items begin.
        var start: Int
        var isObject: Bool
        /// Of the value that is read next.
        var key: UInt64 = 0
    }

    private struct Item {
        var key: UInt64
        var value: UInt64
    }

    private let seed: UInt64
    private var walk = JSONWalk()
    private var frames: [Frame] = []
    private var items: [Item] = []
    private var unescaped: [UInt8] = []
    private var combined: [UInt64] = []

    init(seed: UInt64) { self.seed = seed }

    /// Bytes that are no JSON are digested as they are.
    mutating func digest(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        do throws(JSONFault) {
            try walk.check(bytes)
            return try checked(bytes)
        } catch {
            return hash(UnsafeRawBufferPointer(bytes), .noJSON)
        }
    }

    /// Of bytes that were walked whole once: nothing is out of place in them.
    private mutating func checked(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) -> UInt64 {
        frames.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
        walk.position = 0
        while true {
            walk.skipSpace()
            let byte = bytes[walk.position]
            var value: UInt64
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                let isObject = byte == UInt8(ascii: "{")
                walk.position += 1
                walk.skipSpace()
                frames.append(Frame(start: items.count, isObject: isObject))
                let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
                guard bytes[walk.position] == closing else {
                    if isObject { try readKey(bytes) }
                    continue
                }
                walk.position += 1
                value = close()
            } else {
                value = try plain(bytes)
            }
            // A value is known: it is the whole, or an item of the brackets around it.
            while let frame = frames.last {
                items.append(Item(key: frame.key, value: value))
                walk.skipSpace()
                let byte = bytes[walk.position]
                walk.position += 1
                if byte == UInt8(ascii: ",") {
                    walk.skipSpace()
                    if frame.isObject { try readKey(bytes) }
                    break
                }
                value = close()
            }
            if frames.isEmpty { return value }
        }
    }

    private mutating func readKey(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) {
        frames[frames.count - 1].key = try text(bytes)
        walk.skipSpace()
        // The colon.
        walk.position += 1
    }

    private mutating func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) -> UInt64 {
        let start = walk.position + 1
        let hasEscapes = try walk.text()
        let inside = UnsafeBufferPointer(rebasing: bytes[start..<walk.position - 1])
        guard hasEscapes else { return hash(UnsafeRawBufferPointer(inside), .text) }
        unescaped.removeAll(keepingCapacity: true)
        _ = JSONText.append(unescaped: inside, to: &unescaped)
        return unescaped.withUnsafeBytes { hash($0, .text) }
    }

    private mutating func plain(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) -> UInt64 {
        switch bytes[walk.position] {
        case UInt8(ascii: "\""): return try text(bytes)
        case UInt8(ascii: "t"):
            try walk.literal("true")
            return hash([], .yes)
        case UInt8(ascii: "f"):
            try walk.literal("false")
            return hash([], .no)
        case UInt8(ascii: "n"):
            try walk.literal("null")
            return hash([], .null)
        default:
            let start = walk.position
            try walk.number()
            return number(UnsafeBufferPointer(rebasing: bytes[start..<walk.position]))
        }
    }

    private func number(_ digits: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let isDouble = digits.contains {
            $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E")
        }
        guard isDouble else {
            // Every integer has one way to be written, but zero has two.
            let isMinusZero = digits.count == 2 && digits[1] == UInt8(ascii: "0")
            let text = isMinusZero ? UnsafeBufferPointer(rebasing: digits[1...]) : digits
            return hash(UnsafeRawBufferPointer(text), .integer)
        }
        guard let double = JSONNumber(digits).double else {
            return hash(UnsafeRawBufferPointer(digits), .beyondDouble)
        }
        return withUnsafeBytes(of: double.bitPattern.littleEndian) { hash($0, .double) }
    }

    /// The brackets that were opened last, with all that is in them.
    private mutating func close() -> UInt64 {
        let frame = frames.removeLast()
        defer { items.removeLast(items.count - frame.start) }
        combined.removeAll(keepingCapacity: true)
        guard frame.isObject else {
            for item in items[frame.start...] { combined.append(item.value) }
            return combined.withUnsafeBytes { hash($0, .array) }
        }
        // By places, so that of equal keys the later one is behind.
        let order = items[frame.start...].indices.sorted {
            (items[$0].key, $0) < (items[$1].key, $1)
        }
        for (place, index) in order.enumerated() {
            let isRepeated =
                place + 1 < order.count && items[order[place + 1]].key == items[index].key
            if isRepeated { continue }
            combined.append(items[index].key)
            combined.append(items[index].value)
        }
        return combined.withUnsafeBytes { hash($0, .object) }
    }

    private func hash(_ bytes: UnsafeRawBufferPointer, _ kind: Kind) -> UInt64 {
        ContentHash.of(bytes, seed: seed &+ kind.rawValue)
    }

    private func hash(_ nothing: [UInt8], _ kind: Kind) -> UInt64 {
        nothing.withUnsafeBytes { hash($0, kind) }
    }
}
