/// Why bytes are not the JSON that was wanted.
struct JSONFault: Error, Hashable {
    enum Kind { case outOfPlace, endsEarly, tooDeep, noObject }

    var kind: Kind
    /// Bytes before the one that does not belong.
    var position: Int

    /// A clause about the value, for people.
    var reason: String {
        let place = "byte \(position.grouped), counted from 0,"
        return switch kind {
        case .outOfPlace: "is not JSON: \(place) is out of place"
        case .endsEarly: "is not JSON: it ends within a value"
        case .tooDeep: "is nested deeper than \(JSONWalk.maximumDepth.grouped) levels at \(place)"
        case .noObject: "is no JSON object"
        }
    }
}

/// A key of an object and its value, by their places in the bytes walked.
struct JSONMember {
    /// Between the quotes.
    var key: Range<Int>
    /// Whether the key is written with escapes, so that its bytes are not its name.
    var keyHasEscapes: Bool
    /// A text with its quotes, a bracket with its end.
    var value: Range<Int>
    /// Of a text: whether it is written with escapes.
    var valueHasEscapes: Bool
    /// From behind the bracket or comma before it to the comma or bracket behind it: the object's
    /// inside is its segments, joined by commas.
    var segment: Range<Int>
}

/// Walks JSON (RFC 8259) without making anything of it: the members of an object one after the
/// other, or one value of any kind. All of it is checked but that texts are UTF-8. Used again and
/// again, so that its memory of open brackets is made once. The bytes are lent to ``begin(_:)``, and
/// the walk ends within the call that lent them.
struct JSONWalk {
    /// Brackets within brackets. Go's `encoding/json` refuses what is nested deeper; servers parse
    /// with it or its like.
    static let maximumDepth = 10_000

    private(set) var bytes = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    var position = 0
    private var isAtEnd = true
    /// Brackets that are open within the value, true for an object.
    private var open: [Bool] = []

    /// Enters an object, up to its first member.
    mutating func begin(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) {
        self.bytes = bytes
        position = 0
        isAtEnd = false
        skipSpace()
        guard position < bytes.count else { throw fault }
        guard bytes[position] == UInt8(ascii: "{") else {
            // What is no JSON at all is told so.
            position = 0
            try whole()
            throw JSONFault(kind: .noObject, position: 0)
        }
        position += 1
        let start = position
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
            try end()
        } else {
            position = start
        }
    }

    /// The next member; nil when there is none, and nothing but blanks behind the object.
    mutating func next() throws(JSONFault) -> JSONMember? {
        guard !isAtEnd else { return nil }
        let start = position
        skipSpace()
        let keyStart = position + 1
        let keyHasEscapes = try name()
        let key = keyStart..<position - 1
        try colon()
        let valueStart = position
        let valueHasEscapes = try value(depth: 1)
        let value = valueStart..<position
        skipSpace()
        guard position < bytes.count else { throw fault }
        let segment = start..<position
        switch bytes[position] {
        case UInt8(ascii: ","): position += 1
        case UInt8(ascii: "}"): try end()
        default: throw fault
        }
        return JSONMember(
            key: key, keyHasEscapes: keyHasEscapes, value: value,
            valueHasEscapes: valueHasEscapes, segment: segment)
    }

    /// Passes over bytes that are one value of any kind, with blanks around it.
    mutating func check(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) {
        self.bytes = bytes
        position = 0
        isAtEnd = true
        try whole()
    }

    private mutating func whole() throws(JSONFault) {
        skipSpace()
        _ = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault }
    }

    /// Passes the object's closing bracket and what may stand behind it.
    private mutating func end() throws(JSONFault) {
        position += 1
        skipSpace()
        guard position == bytes.count else { throw fault }
        isAtEnd = true
    }

    /// The byte at `position` does not belong, or is missing.
    var fault: JSONFault {
        position < bytes.count
            ? JSONFault(kind: .outOfPlace, position: position)
            : JSONFault(kind: .endsEarly, position: bytes.count)
    }
}

// MARK: Values

extension JSONWalk {
    /// Passes over a value within `depth` brackets, whatever is nested in it; true when it is a text
    /// with escapes.
    private mutating func value(depth: Int) throws(JSONFault) -> Bool {
        guard position < bytes.count else { throw fault }
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try brackets(depth)
            return false
        default: return try plain()
        }
    }

    /// Passes over a bracket and all within it. A loop, not a recursion: depth comes from the data,
    /// and a task's stack is small.
    private mutating func brackets(_ depth: Int) throws(JSONFault) {
        open.removeAll(keepingCapacity: true)
        while true {
            // A value begins here.
            guard position < bytes.count else { throw fault }
            let byte = bytes[position]
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard depth + open.count < JSONWalk.maximumDepth else {
                    throw JSONFault(kind: .tooDeep, position: position)
                }
                let isObject = byte == UInt8(ascii: "{")
                position += 1
                skipSpace()
                let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
                if position < bytes.count, bytes[position] == closing {
                    position += 1
                } else {
                    open.append(isObject)
                    if isObject { try entry() }
                    continue
                }
            } else {
                _ = try plain()
            }
            guard try followed() else { return }
        }
    }

    /// What stands behind a value in brackets: true when it is another value, at which the walk now
    /// stands; false when the last bracket closed.
    private mutating func followed() throws(JSONFault) -> Bool {
        while let inObject = open.last {
            skipSpace()
            guard position < bytes.count else { throw fault }
            switch bytes[position] {
            case UInt8(ascii: ","):
                position += 1
                skipSpace()
                if inObject { try entry() }
                return true
            case UInt8(ascii: "}") where inObject, UInt8(ascii: "]") where !inObject:
                position += 1
                open.removeLast()
            default: throw fault
            }
        }
        return false
    }

    /// A key and its colon, up to the value.
    private mutating func entry() throws(JSONFault) {
        _ = try name()
        try colon()
    }

    private mutating func name() throws(JSONFault) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw fault }
        return try text()
    }

    private mutating func colon() throws(JSONFault) {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw fault }
        position += 1
        skipSpace()
    }

    /// A value that is no bracket; true when it is a text with escapes.
    private mutating func plain() throws(JSONFault) -> Bool {
        switch bytes[position] {
        case UInt8(ascii: "\""): return try text()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: throw fault
        }
        return false
    }
}
