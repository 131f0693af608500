import StopoverTesting

/// The same seed makes the same replies on every machine.
struct WireRandom: RandomNumberGenerator {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next() -> UInt64 { random.next() }

    mutating func chance(_ percent: Int) -> Bool { int(0...99) < percent }

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    mutating func bytes(_ range: ClosedRange<Int>) -> [UInt8] {
        (0..<int(range)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Now and then of a length whose varint has two bytes.
    mutating func text() -> String {
        let pieces = [
            "", "a", "Z", "\"", "\\", "é", "e\u{301}", "👍🏽", "\0", "中", "longer than the rest",
        ]
        let count = chance(3) ? int(20...60) : int(0...4)
        return (0..<count).map { _ in pieces[int(0...pieces.count - 1)] }.joined()
    }

    mutating func pick<T>(_ values: [T]) -> T { values[int(0...values.count - 1)] }
}

/// Protobuf by hand, apart from the code under test: whatever the specification allows.
struct WireWriter {
    var bytes: [UInt8] = []

    mutating func raw(varint value: UInt64, padding: Int = 0) {
        var value = value
        var written: [UInt8] = []
        repeat {
            written.append(UInt8(value & 0x7F))
            value >>= 7
        } while value != 0
        written += [UInt8](repeating: 0, count: min(padding, 10 - written.count))
        for index in written.indices.dropLast() { written[index] |= 0x80 }
        bytes += written
    }

    mutating func varint(_ field: Int, _ value: UInt64) {
        raw(varint: UInt64(field << 3))
        raw(varint: value)
    }

    mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
        raw(varint: UInt64(field << 3 | 2))
        raw(varint: UInt64(value.count))
        bytes += value
    }

    mutating func text(_ field: Int, _ value: String) { bytes(field, Array(value.utf8)) }

    /// A fixed64 or a fixed32, by its width.
    mutating func fixed(_ field: Int, _ value: some Collection<UInt8>) {
        raw(varint: UInt64(field << 3 | (value.count == 8 ? 1 : 5)))
        bytes += value
    }

    mutating func message(_ field: Int, _ body: (inout WireWriter) -> Void) {
        bytes(field, WireWriter.message(body))
    }

    /// A field that no server has yet.
    mutating func unknown(_ random: inout WireRandom) {
        let field = random.int(20...4000)
        switch random.int(0...3) {
        case 0: varint(field, random.next())
        case 1: bytes(field, random.bytes(0...9))
        case 2: fixed(field, random.bytes(4...4))
        default: fixed(field, random.bytes(8...8))
        }
    }

    static func message(_ body: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter()
        body(&writer)
        return writer.bytes
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] {
        (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}
