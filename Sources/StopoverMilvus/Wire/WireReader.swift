/// What is wrong with a run of protobuf bytes.
struct WireError: Error, Hashable {
    var what: String
    init(_ what: String) { self.what = what }
}

/// The wire types of protobuf that Milvus's messages use; groups are refused.
enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
}

/// A cursor over protobuf bytes. Every step is checked against the end; nothing traps, whatever
/// the bytes. Positions are offsets into the slice's own indices, so that parts can be cut from
/// the buffer without a copy.
struct WireReader {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int
    private let end: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
        end = bytes.endIndex
    }

    var isAtEnd: Bool { position == end }

    /// The next field number and wire type; nil at the end.
    mutating func tag() throws(WireError) -> (field: Int, type: WireType)? {
        guard position < end else { return nil }
        let value = try varint()
        guard let type = WireType(rawValue: UInt8(value & 7)), value >> 3 != 0,
            value >> 3 <= 0x1FFF_FFFF
        else { throw WireError("a tag of no known kind") }
        return (Int(value >> 3), type)
    }

    mutating func varint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte <= 1 else { throw WireError("a number over 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift < 70 else { break }
        }
        throw WireError("a number that does not end")
    }

    /// The bytes of a length-delimited field.
    mutating func delimited() throws(WireError) -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(end - position) else {
            throw WireError("a length of \(length) with \(end - position) bytes left")
        }
        let start = position
        position += Int(length)
        return bytes[start..<position]
    }

    mutating func skip(_ type: WireType) throws(WireError) {
        switch type {
        case .varint: _ = try varint()
        case .fixed64: try advance(8)
        case .fixed32: try advance(4)
        case .bytes: _ = try delimited()
        }
    }

    /// Bytes of a fixed-width number.
    mutating func fixed(_ width: Int) throws(WireError) -> ArraySlice<UInt8> {
        let start = position
        try advance(width)
        return bytes[start..<position]
    }

    private mutating func advance(_ count: Int) throws(WireError) {
        guard count <= end - position else { throw WireError("it ends within a number") }
        position += count
    }
}

/// Writing the few bytes around a payload.
extension [UInt8] {
    mutating func append(varint value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }

    mutating func append(tag field: Int, _ type: WireType) {
        append(varint: UInt64(field) << 3 | UInt64(type.rawValue))
    }

    mutating func append(field: Int, varint value: UInt64) {
        append(tag: field, .varint)
        append(varint: value)
    }

    mutating func append(field: Int, bytes: some Collection<UInt8>) {
        append(field: field, lengthOf: bytes.count)
        append(contentsOf: bytes)
    }

    /// The tag and length of a field whose bytes follow.
    mutating func append(field: Int, lengthOf count: Int) {
        append(tag: field, .bytes)
        append(varint: UInt64(count))
    }
}

extension UInt64 {
    /// Bytes of this number as a varint.
    var varintBytes: Int { self == 0 ? 1 : (70 - leadingZeroBitCount) / 7 }
}
