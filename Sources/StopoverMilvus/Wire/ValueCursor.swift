/// A cursor over protobuf bytes by address, for loops that visit every value of a column: it makes
/// no slice a value, as ``WireReader`` does. Every step is checked against the end; nothing traps,
/// whatever the bytes. Valid within the call that lent the bytes.
struct ValueCursor {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// Bytes from the start.
    private(set) var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func varint() throws(WireError) -> UInt64 {
        guard position < bytes.count else { throw WireError("rows beyond the end") }
        let first = bytes[position]
        guard first >= 0x80 else {
            position += 1
            return UInt64(first)
        }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 70 {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { throw WireError("a number over 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw WireError("a number that does not end")
    }

    /// The bytes of a length-delimited field.
    mutating func delimited() throws(WireError) -> UnsafeBufferPointer<UInt8> {
        let length = try varint()
        guard length <= UInt64(bytes.count - position) else {
            throw WireError("a length of \(length) with \(bytes.count - position) bytes left")
        }
        let start = position
        position += Int(length)
        return UnsafeBufferPointer(rebasing: bytes[start..<position])
    }

    /// The next record of a repeated field.
    mutating func record(field: Int = 1) throws(WireError) -> UnsafeBufferPointer<UInt8> {
        let tag = try varint()
        guard tag == UInt64(field) << 3 | 2 else {
            throw WireError("tag \(tag) among the values")
        }
        return try delimited()
    }

    /// The next field number and wire type; nil at the end.
    mutating func tag() throws(WireError) -> (field: UInt64, type: WireType)? {
        guard !isAtEnd else { return nil }
        let tag = try varint()
        guard let type = WireType(rawValue: UInt8(tag & 7)) else {
            throw WireError("a tag of no known kind")
        }
        return (tag >> 3, type)
    }

    mutating func skip(_ type: WireType) throws(WireError) {
        switch type {
        case .varint: _ = try varint()
        case .fixed64: try advance(8)
        case .fixed32: try advance(4)
        case .bytes: _ = try delimited()
        }
    }

    /// Passes over values of a column.
    mutating func skip(_ count: Int, _ layout: ValueLayout) throws(WireError) {
        switch layout {
        case .fixed(let width):
            guard width > 0 || count == 0 else { throw WireError("values without a width") }
            try advance(count * width)
        case .varints: for _ in 0..<count { _ = try varint() }
        case .records, .vectorRows:
            for _ in 0..<count { _ = try record(field: layout.recordField) }
        case .structs: throw WireError("a struct array has no single values")
        }
    }

    private mutating func advance(_ count: Int) throws(WireError) {
        guard count <= bytes.count - position else { throw WireError("rows beyond the end") }
        position += count
    }
}
