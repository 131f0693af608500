/// The bounds of a large partition's splits, found by counts of ranges.
struct CountedBounds {
    /// How far a bound may lie from where it should, as a part of a split.
    private static let tolerance = 0.1
    /// Characters of a VARCHAR bound: enough to tell apart keys with a long common prefix.
    private static let boundLength = 24

    private let count: SplitPlanner.Count
    private var known = KnownRanks()

    init(count: @escaping SplitPlanner.Count) { self.count = count }

    /// Ascending; fewer than are wanted where keys do not allow so many.
    mutating func bounds(
        _ keyType: DataType, rows: Int64, splits: Int64
    ) async throws(StopoverError) -> [PrimaryKey] {
        let rowsEach = rows / splits
        var bounds: [PrimaryKey] = []
        for index in 1..<splits {
            let sought = SoughtRank(
                rank: rowsEach * index,
                slack: Int64(Double(rowsEach) * CountedBounds.tolerance))
            let bound: PrimaryKey? =
                switch keyType {
                case .int64: try await int64Bound(sought)
                default: try await varcharBound(sought)
                }
            if let bound, bounds.last.map({ $0 < bound }) ?? true { bounds.append(bound) }
        }
        return bounds
    }

    /// A key with about as many rows at or below it as are sought.
    private mutating func int64Bound(
        _ sought: SoughtRank
    ) async throws(StopoverError) -> PrimaryKey? {
        // Neither end is ever a bound: INT64_MIN cannot be written as a literal on 2.3.5.
        var low = Int64.min + 1
        var high = Int64.max - 1
        while low < high {
            let middle = low + Int64(bitPattern: UInt64(bitPattern: high &- low) / 2)
            switch try await place(.int64(middle), sought) {
            case .near: return .int64(middle)
            case .below: low = middle + 1
            case .above: high = middle
            }
        }
        return low == Int64.max - 1 ? nil : .int64(low)
    }

    /// A string with about as many rows at or below it as are sought: character by character, each
    /// found by halving the Unicode scalars, whose order is the order of their UTF-8 bytes.
    private mutating func varcharBound(
        _ sought: SoughtRank
    ) async throws(StopoverError) -> PrimaryKey? {
        var prefix = ""
        for _ in 0..<CountedBounds.boundLength {
            var low = ScalarRank.lowest
            var high = ScalarRank.highest
            // Invariant: prefix + low is below what is sought, or low is the lowest.
            while high - low > 1 {
                let middle = (low + high) / 2
                let candidate = PrimaryKey.varchar(prefix + ScalarRank.string(middle))
                switch try await place(candidate, sought) {
                case .near: return candidate
                case .below: low = middle
                case .above: high = middle
                }
            }
            prefix += ScalarRank.string(low)
        }
        return .varchar(prefix)
    }

    private mutating func place(
        _ key: PrimaryKey, _ sought: SoughtRank
    ) async throws(StopoverError) -> SoughtRank.Place {
        if let place = known.place(of: key, sought) { return place }
        let rank = try await count(KeyRange(through: key))
        known.insert(key, rank)
        return sought.place(of: rank)
    }
}

/// How many rows are to be at or below a bound, and how many more or fewer do as well.
private struct SoughtRank {
    var rank: Int64
    var slack: Int64

    enum Place { case below, near, above }

    func place(of found: Int64) -> Place {
        if abs(found - rank) <= slack { return .near }
        return found < rank ? .below : .above
    }
}

/// The counts so far, by which most of the next bound's halvings are decided: what is below a key with
/// too few rows has too few itself.
private struct KnownRanks {
    /// Ascending, and so are the ranks.
    private var points: [(key: PrimaryKey, rank: Int64)] = []

    /// Nil where only a count can tell.
    func place(of key: PrimaryKey, _ sought: SoughtRank) -> SoughtRank.Place? {
        let next = index(of: key)
        if next < points.count {
            let place = sought.place(of: points[next].rank)
            if place == .below || points[next].key == key { return place }
        }
        if next > 0, sought.place(of: points[next - 1].rank) == .above { return .above }
        return nil
    }

    mutating func insert(_ key: PrimaryKey, _ rank: Int64) {
        points.insert((key, rank), at: index(of: key))
    }

    /// Of the first point that is not before `key`.
    private func index(of key: PrimaryKey) -> Int {
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The printable Unicode scalars, numbered without the hole of the surrogates.
private enum ScalarRank {
    /// Control characters make poor literals in a filter expression.
    static let lowest: UInt32 = 0x20
    static let highest: UInt32 = 0x10FFFF - 0x800

    static func string(_ rank: UInt32) -> String {
        let value = rank < 0xD800 ? rank : rank + 0x800
        return Unicode.Scalar(value).map { String(Character($0)) } ?? ""
    }
}
