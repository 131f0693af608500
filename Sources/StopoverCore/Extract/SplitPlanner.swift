/// Cuts the rows of a partition into key ranges of about equal size, by asking the source to
/// count ranges. Bounds are fixed once and stored: parallelism later only chooses who takes which.
///
/// A count over a key range costs the server a scan of the key column (7 ms at 200,000 rows on
/// 2.3.5), so the search stops as soon as a bound is near enough.
public struct SplitPlanner: Sendable {
    /// Fewer rows than this are not worth a second cursor.
    public static let rowsPerSplit: Int64 = 250_000
    public static let splitLimit = 64
    /// How far a bound may lie from where it should, as a part of a split.
    static let tolerance = 0.1
    /// Characters of a VARCHAR bound: enough to tell apart keys with a long common prefix.
    static let boundLength = 24

    public typealias Count = @Sendable (KeyRange) async throws(StopoverError) -> Int64

    private let rowsPerSplit: Int64
    private let count: Count

    public init(rowsPerSplit: Int64 = SplitPlanner.rowsPerSplit, count: @escaping Count) {
        self.rowsPerSplit = max(rowsPerSplit, 1)
        self.count = count
    }

    /// Ranges that cover every key exactly once, in ascending order.
    public func ranges(keyType: DataType, rows: Int64) async throws(StopoverError) -> [KeyRange] {
        let wanted = min((rows + rowsPerSplit - 1) / rowsPerSplit, Int64(SplitPlanner.splitLimit))
        guard wanted > 1 else { return [.all] }
        let rowsEach = rows / wanted
        var bounds: [PrimaryKey] = []
        for index in 1..<wanted {
            let rank = rowsEach * index
            let slack = Int64(Double(rowsEach) * SplitPlanner.tolerance)
            let bound: PrimaryKey? =
                switch keyType {
                case .int64: try await int64Bound(rank: rank, slack: slack)
                default: try await varcharBound(rank: rank, slack: slack)
                }
            if let bound, bounds.last.map({ $0 < bound }) ?? true { bounds.append(bound) }
        }
        return SplitPlanner.ranges(between: bounds)
    }

    /// `(…, b0], (b0, b1], …, (bn, …)`.
    static func ranges(between bounds: [PrimaryKey]) -> [KeyRange] {
        let starts: [PrimaryKey?] = [nil] + bounds
        let ends: [PrimaryKey?] = bounds + [nil]
        return zip(starts, ends).map { KeyRange(after: $0, through: $1) }
    }

    /// A key with about `rank` rows at or below it.
    private func int64Bound(rank: Int64, slack: Int64) async throws(StopoverError) -> PrimaryKey? {
        // Neither end is ever a bound: INT64_MIN cannot be written as a literal on 2.3.5.
        var low = Int64.min + 1
        var high = Int64.max - 1
        while low < high {
            let middle = low + Int64(bitPattern: UInt64(bitPattern: high &- low) / 2)
            let below = try await count(KeyRange(through: .int64(middle)))
            if abs(below - rank) <= slack { return .int64(middle) }
            if below < rank { low = middle + 1 } else { high = middle }
        }
        return low == Int64.max - 1 ? nil : .int64(low)
    }

    /// A string with about `rank` rows at or below it: character by character, each found by
    /// halving the Unicode scalars, whose order is the order of their UTF-8 bytes.
    private func varcharBound(rank: Int64, slack: Int64) async throws(StopoverError) -> PrimaryKey?
    {
        var prefix = ""
        for _ in 0..<SplitPlanner.boundLength {
            var low = ScalarRank.lowest
            var high = ScalarRank.highest
            // Invariant: fewer than `rank` rows at or below prefix + low, or low is the lowest.
            while high - low > 1 {
                let middle = (low + high) / 2
                let candidate = prefix + ScalarRank.string(middle)
                let below = try await count(KeyRange(through: .varchar(candidate)))
                if abs(below - rank) <= slack { return .varchar(candidate) }
                if below < rank { low = middle } else { high = middle }
            }
            prefix += ScalarRank.string(low)
        }
        return .varchar(prefix)
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
