import MilvusProto
import StopoverCore

extension MilvusTwin {
    /// A collection whose rows are computed when they are asked for: the source of a run that no
    /// memory would hold. It can be read and not written.
    public struct Generated: Sendable, Hashable {
        public enum Keys: String, Sendable, CaseIterable {
            /// The row's number, from 0.
            case int64
            /// `k` and the row's number in twelve digits: ordered like the numbers.
            case varchar
        }

        /// At most 10^12.
        public var rows: Int64
        public var dimension: Int
        public var keys: Keys

        public init(rows: Int64, dimension: Int = 8, keys: Keys = .int64) {
            self.rows = rows
            self.dimension = dimension
            self.keys = keys
        }

        /// `id`, `vector`, `bucket`, `title`.
        public func schema(named name: String) -> MilvusCollectionSchema {
            func field(
                _ name: String, _ type: DataType, _ params: [String: String] = [:]
            ) -> MilvusFieldSchema {
                .with {
                    $0.name = name
                    $0.dataType = type.rawValue
                    $0.typeParams = params.map { key, value in
                        .with {
                            $0.key = key
                            $0.value = value
                        }
                    }
                }
            }
            var key =
                keys == .int64
                ? field("id", .int64) : field("id", .varchar, ["max_length": "32"])
            key.isPrimaryKey = true
            return .with {
                $0.name = name
                $0.fields = [
                    key, field("vector", .floatVector, ["dim": String(dimension)]),
                    field("bucket", .int64), field("title", .varchar, ["max_length": "32"]),
                ]
            }
        }
    }
}

/// One value after another, computed from the row's number.
enum GeneratedValue {
    private static let lane: UInt64 = 0xA076_1D64_78BD_642F

    @inline(__always)
    private static func hash(_ row: Int64, _ number: UInt64) -> UInt64 {
        Checksum.mix(UInt64(bitPattern: row) &* Checksum.golden &+ (number &+ 1) &* lane)
    }

    /// Two floats, as their bits: of either sign, from 0.5 up to 1, never a NaN.
    @inline(__always)
    static func floats(_ row: Int64, pair: Int) -> UInt64 {
        hash(row, UInt64(truncatingIfNeeded: pair) &+ 2) & 0x807F_FFFF_807F_FFFF
            | 0x3F00_0000_3F00_0000
    }

    @inline(__always)
    static func bucket(_ row: Int64) -> UInt64 { hash(row, 0) % 1000 }

    /// Twelve letters from a to p: the first eight, and the last four.
    @inline(__always)
    static func title(_ row: Int64) -> (UInt64, UInt64) {
        let hash = hash(row, 1)
        return (
            hash & 0x0F0F_0F0F_0F0F_0F0F &+ 0x6161_6161_6161_6161,
            hash >> 4 & 0x0F0F_0F0F &+ 0x6161_6161
        )
    }

    static let keyBytes = 13

    @inline(__always)
    static func writeKey(_ row: Int64, to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: UInt8(ascii: "k"), as: UInt8.self)
        var rest = UInt64(bitPattern: row)
        for place in stride(from: keyBytes - 1, to: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            target.storeBytes(
                of: UInt8(truncatingIfNeeded: digit) &+ 48, toByteOffset: place, as: UInt8.self)
            rest = quotient
        }
    }

    static func key(_ row: Int64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: keyBytes) { target, count in
            if let base = target.baseAddress { writeKey(row, to: base) }
            count = keyBytes
        }
    }
}

/// A generated collection as rows that can be read.
struct GeneratedRows: RowKeeper {
    let shape: MilvusTwin.Generated
    let schema: TwinSchema

    private var readOnly: TwinRefusal { .unexpected("a generated collection is read-only") }

    func write(
        _ rows: IncomingRows, _ bytes: UnsafeRawBufferPointer, partition: String, replacing: Bool
    ) throws -> Int64 { throw readOnly }

    func delete(_ filter: KeyFilter, partitions: [String]) throws -> Int64 { throw readOnly }

    func flush() {}

    func loseUnflushed() -> Int64 { 0 }

    func count(_ filter: KeyFilter, partitions: [String]) throws -> Int64 {
        Int64(try rows(filter, partitions).count)
    }

    func tally(partitions: [String]) throws -> MilvusTwin.Tally {
        try rows(KeyFilter(), partitions).isEmpty
            ? .init()
            : MilvusTwin.expectedTally(rows: shape.rows, dim: shape.dimension, keys: shape.keys)
    }

    func page(
        _ filter: KeyFilter, partitions: [String], fields: [Int], limit: Int
    ) throws -> [PageColumn] {
        var rows = try rows(filter, partitions)
        if rows.count > limit { rows = rows.lowerBound..<rows.lowerBound + Int64(limit) }
        return fields.map { index in
            var column = PageColumn(schema.fields[index])
            column.payload =
                switch index {
                case 0: shape.keys == .int64 ? int64Keys(rows) : varcharKeys(rows)
                case 1: vectors(rows)
                case 2: buckets(rows)
                default: titles(rows)
                }
            return column
        }
    }

    // MARK: Which rows

    private func rows(_ filter: KeyFilter, _ partitions: [String]) throws -> Range<Int64> {
        guard partitions.contains(PartitionDescription.defaultName) else { return 0..<0 }
        guard filter.keys == nil, filter.alternatives.isEmpty else {
            throw TwinRefusal.unexpected("a generated collection is read by ranges")
        }
        let first = filter.lower.map { rowsBelow($0.key, or: !$0.isIncluded) } ?? 0
        let end = filter.upper.map { rowsBelow($0.key, or: $0.isIncluded) } ?? shape.rows
        return first..<max(first, end)
    }

    /// How many rows have a key below this one, or that one too.
    private func rowsBelow(_ key: PrimaryKey, or equal: Bool) -> Int64 {
        if case .int64(let value) = key {
            let (next, isOver) = value.addingReportingOverflow(equal ? 1 : 0)
            return isOver ? shape.rows : min(max(next, 0), shape.rows)
        }
        var low: Int64 = 0
        var high = shape.rows
        while low < high {
            let middle = (low + high) / 2
            let other = PrimaryKey.varchar(GeneratedValue.key(middle))
            if other < key || (equal && other == key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Their bytes

    /// Bytes written by `body`, which gets each row and a place for it and says how many it wrote.
    @inline(__always)
    private func column(
        _ rows: Range<Int64>, _ bytesPerRow: Int,
        _ body: (Int64, UnsafeMutableRawPointer) -> Int
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: rows.count * bytesPerRow) { target, count in
            guard let base = target.baseAddress else { return }
            var end = UnsafeMutableRawPointer(base)
            for row in rows { end += body(row, end) }
            count = UnsafeMutableRawPointer(base).distance(to: end)
        }
    }

    @inline(__always)
    private func write(varint value: UInt64, to target: UnsafeMutableRawPointer) -> Int {
        var rest = value
        var count = 0
        while rest >= 0x80 {
            target.storeBytes(
                of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            rest >>= 7
            count += 1
        }
        target.storeBytes(
            of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        return count + 1
    }

    private func int64Keys(_ rows: Range<Int64>) -> [UInt8] {
        column(rows, 10) { row, target in write(varint: UInt64(bitPattern: row), to: target) }
    }

    private func varcharKeys(_ rows: Range<Int64>) -> [UInt8] {
        let length = UInt16(0x0A) | UInt16(GeneratedValue.keyBytes) << 8
        return column(rows, GeneratedValue.keyBytes + 2) { row, target in
            target.storeBytes(of: length.littleEndian, as: UInt16.self)
            GeneratedValue.writeKey(row, to: target + 2)
            return GeneratedValue.keyBytes + 2
        }
    }

    private func vectors(_ rows: Range<Int64>) -> [UInt8] {
        let dimension = shape.dimension
        return column(rows, dimension * 4) { row, target in
            for pair in 0..<dimension / 2 {
                target.storeBytes(
                    of: GeneratedValue.floats(row, pair: pair).littleEndian,
                    toByteOffset: pair * 8, as: UInt64.self)
            }
            if dimension % 2 == 1 {
                let last = UInt32(
                    truncatingIfNeeded: GeneratedValue.floats(row, pair: dimension / 2))
                target.storeBytes(
                    of: last.littleEndian, toByteOffset: dimension / 2 * 8, as: UInt32.self)
            }
            return dimension * 4
        }
    }

    private func buckets(_ rows: Range<Int64>) -> [UInt8] {
        column(rows, 10) { row, target in write(varint: GeneratedValue.bucket(row), to: target) }
    }

    private func titles(_ rows: Range<Int64>) -> [UInt8] {
        let length: UInt16 = 0x0C0A
        return column(rows, 14) { row, target in
            let (first, last) = GeneratedValue.title(row)
            target.storeBytes(of: length.littleEndian, as: UInt16.self)
            target.storeBytes(of: first.littleEndian, toByteOffset: 2, as: UInt64.self)
            target.storeBytes(
                of: UInt32(truncatingIfNeeded: last).littleEndian, toByteOffset: 10,
                as: UInt32.self)
            return 14
        }
    }
}
