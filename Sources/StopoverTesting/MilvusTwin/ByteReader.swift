/// A cursor over protobuf bytes that a caller holds in memory; ranges are offsets into them.
///
/// Every step is checked against the end, so that a malformed request is refused and not a trap.
/// The buffer itself is not checked again: the walk of a million rows a second needs that.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    let end: Int

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    static func malformed(_ what: String) -> TwinRefusal {
        .badParameter("malformed message: \(what)")
    }

    var isAtEnd: Bool { position >= end }

    mutating func tag() throws -> (field: Int, wire: Int)? {
        guard position < end else { return nil }
        let value = try varint()
        return (Int(truncatingIfNeeded: value >> 3), Int(value & 7))
    }

    @inline(__always)
    mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 70 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw ByteReader.malformed("a number that does not end")
    }

    @inline(__always)
    mutating func delimited() throws -> Range<Int> {
        let count = try varint()
        guard count <= UInt64(end - position) else { throw ByteReader.malformed("a length") }
        let start = position
        position += Int(count)
        return start..<position
    }

    mutating func skip(_ wire: Int) throws {
        switch wire {
        case 0: _ = try varint()
        case 1: try advance(8)
        case 2: _ = try delimited()
        case 5: try advance(4)
        default: throw ByteReader.malformed("wire type \(wire)")
        }
    }

    @inline(__always)
    mutating func advance(_ count: Int) throws {
        guard count <= end - position else { throw ByteReader.malformed("too few values") }
        position += count
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }
}

extension [UInt8] {
    mutating func add(varint value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func add(field: Int, varint value: UInt64) {
        add(varint: UInt64(field) << 3)
        add(varint: value)
    }

    mutating func add(field: Int, lengthOf count: Int) {
        add(varint: UInt64(field) << 3 | 2)
        add(varint: UInt64(count))
    }

    mutating func add(field: Int, bytes: some Collection<UInt8>) {
        add(field: field, lengthOf: bytes.count)
        append(contentsOf: bytes)
    }
}
