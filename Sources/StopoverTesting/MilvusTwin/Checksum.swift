import StopoverCore

/// A hash that is cheap and spreads well; it guards against mistakes, not against malice.
enum Checksum {
    static let golden: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let multiplier: UInt64 = 0xD6E8_FEB8_6659_FD93

    /// splitmix64's finaliser.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var hash = value
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 31
    }

    @inline(__always)
    static func begin(_ seed: UInt64, count: Int) -> UInt64 {
        seed ^ (UInt64(truncatingIfNeeded: count) &+ 1) &* golden
    }

    /// Takes eight bytes more, or the last ones filled up with zeros.
    @inline(__always)
    static func step(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* multiplier
        return product ^ product >> 32
    }

    @inline(__always)
    static func end(_ hash: UInt64) -> UInt64 {
        let product = (hash ^ hash >> 29) &* golden
        return product ^ product >> 32
    }

    @inline(__always)
    static func value(_ seed: UInt64, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = begin(seed, count: bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = step(
                hash,
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        if offset < bytes.count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while offset < bytes.count {
                word |= UInt64(bytes[offset]) << shift
                shift += 8
                offset += 1
            }
            hash = step(hash, word)
        }
        return end(hash)
    }

    /// A null is not a value of any bytes.
    @inline(__always)
    static func null(_ seed: UInt64) -> UInt64 { end(seed ^ 0x6E75_6C6C) }

    @inline(__always)
    static func key(_ value: Int64) -> UInt64 { mix(UInt64(bitPattern: value) &+ golden) }
    @inline(__always)
    static func key(_ bytes: UnsafeRawBufferPointer) -> UInt64 { value(golden, bytes) }
}

extension MilvusTwin {
    /// What is left of rows that are not kept: enough to prove that two collections hold the same.
    public struct Tally: Hashable, Sendable {
        /// Every copy of a key counts.
        public var rows: Int64 = 0
        public var least: PrimaryKey?
        public var greatest: PrimaryKey?
        /// For each column the sum, over all rows, of a hash of the row's key and of the value's
        /// bytes on the wire: it does not depend on the order or the batches in which rows came, and
        /// a row that came twice, or with the value of another, shows.
        public var columns: [String: UInt64] = [:]

        public init() {}

        public static func += (total: inout Tally, part: Tally) {
            total.rows += part.rows
            total.widen(part.least)
            total.widen(part.greatest)
            total.columns.merge(part.columns) { $0 &+ $1 }
        }

        mutating func widen(_ key: PrimaryKey?) {
            guard let key else { return }
            if least.map({ key < $0 }) ?? true { least = key }
            if greatest.map({ key > $0 }) ?? true { greatest = key }
        }
    }
}

extension IncomingRows {
    /// One pass for each column, nothing kept.
    func tally(_ bytes: UnsafeRawBufferPointer) throws -> MilvusTwin.Tally {
        var tally = MilvusTwin.Tally()
        tally.rows = Int64(rowCount)
        let seeds = try seeds(bytes, &tally)
        try seeds.withUnsafeBufferPointer { seeds in
            for column in columns {
                var sum: UInt64 = 0
                try column.forEach(bytes, rowCount: rowCount) { row, cell in
                    sum &+= cell.map { Checksum.value(seeds[row], $0) } ?? Checksum.null(seeds[row])
                }
                tally.columns[column.field.name] = sum
            }
        }
        return tally
    }

    /// The hash of each row's key; on the way the least and the greatest.
    private func seeds(
        _ bytes: UnsafeRawBufferPointer, _ tally: inout MilvusTwin.Tally
    ) throws -> [UInt64] {
        let key = schema.keyField
        if let autoKeys {
            return autoKeys.map { id in
                tally.widen(AutoKey.key(id, key.type))
                return AutoKey.seed(id, key.type)
            }
        }
        guard let column = columns.first(where: { $0.field.schema.isPrimaryKey }) else { return [] }
        var seeds: [UInt64] = []
        seeds.reserveCapacity(rowCount)
        if key.type == .int64 {
            var least = Int64.max
            var greatest = Int64.min
            try column.forEach(bytes, rowCount: rowCount) { _, cell in
                let value = try RowBytes.int64(cell)
                least = min(least, value)
                greatest = max(greatest, value)
                seeds.append(Checksum.key(value))
            }
            tally.widen(.int64(least))
            tally.widen(.int64(greatest))
            return seeds
        }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        var least: UnsafeRawBufferPointer?
        var greatest: UnsafeRawBufferPointer?
        try column.forEach(bytes, rowCount: rowCount) { _, cell in
            let cell = cell ?? none
            if least.map({ cell.lexicographicallyPrecedes($0) }) ?? true { least = cell }
            if greatest.map({ $0.lexicographicallyPrecedes(cell) }) ?? true { greatest = cell }
            seeds.append(Checksum.key(cell))
        }
        tally.widen(least.map { .varchar(Array($0)) })
        tally.widen(greatest.map { .varchar(Array($0)) })
        return seeds
    }
}

/// Keys that the server makes: numbers, or their digits in a VARCHAR key.
enum AutoKey {
    static func key(_ id: Int64, _ type: DataType) -> PrimaryKey {
        type == .int64 ? .int64(id) : .varchar(String(id))
    }

    static func seed(_ id: Int64, _ type: DataType) -> UInt64 {
        type == .int64
            ? Checksum.key(id) : Array(String(id).utf8).withUnsafeBytes { Checksum.key($0) }
    }

    /// As a value on the wire.
    static func cell(_ id: Int64, _ type: DataType) -> [UInt8] {
        guard type == .int64 else { return Array(String(id).utf8) }
        var cell: [UInt8] = []
        cell.add(varint: UInt64(bitPattern: id))
        return cell
    }
}
