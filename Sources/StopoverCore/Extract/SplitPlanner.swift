/// Cuts the rows of a partition into key ranges of about equal size. Bounds are fixed once and
/// stored: parallelism later only chooses who takes which.
///
/// A partition of up to ``walkedRows`` rows is walked, keys alone, which costs a page for each 16,384.
/// In a larger one the bounds are found by counts of ranges. Such a count costs the server a scan of
/// the key column (7 ms at 200,000 rows on 2.3.5, seconds on Milvus Lite 3), so the search stops as
/// soon as a bound is near enough, and no count is asked for that follows from those before it.
public struct SplitPlanner: Sendable {
    /// Less than this is not worth a second cursor; nor are fewer rows, where bounds cost counts.
    public static let bytesPerSplit = 64 << 20
    public static let rowsPerSplit: Int64 = 250_000
    public static let splitLimit = 64
    /// The most rows of a partition that is walked.
    public static let walkedRows = Int64(PageSizer.serverRowLimit * splitLimit)
    /// How far a bound may lie from where it should, as a part of a split.
    static let tolerance = 0.1
    /// Characters of a VARCHAR bound: enough to tell apart keys with a long common prefix.
    static let boundLength = 24

    public typealias Count = @Sendable (KeyRange) async throws(StopoverError) -> Int64
    /// The first keys of a range, at most so many: how many came, and the last of them.
    public typealias KeyPage =
        @Sendable (KeyRange, Int) async throws(StopoverError) -> (rows: Int, last: PrimaryKey?)

    /// The fewest rows of a split.
    private let walkedRowsPerSplit: Int64
    private let countedRowsPerSplit: Int64
    private let walkedRows: Int64
    private let count: Count
    private let keyPage: KeyPage

    /// - Parameters:
    ///   - rowBytes: about what a row has on the wire.
    ///   - rowsPerSplit: the fewest rows of a split, instead of what `rowBytes` says.
    ///   - walkedRows: the most rows of a partition that is walked.
    public init(
        rowBytes: Int, rowsPerSplit: Int64? = nil, walkedRows: Int64 = SplitPlanner.walkedRows,
        count: @escaping Count, keyPage: @escaping KeyPage
    ) {
        let rowsByBytes = Int64(SplitPlanner.bytesPerSplit / max(rowBytes, 1))
        walkedRowsPerSplit = max(
            rowsPerSplit ?? min(rowsByBytes, SplitPlanner.rowsPerSplit), 1)
        countedRowsPerSplit = max(rowsPerSplit ?? SplitPlanner.rowsPerSplit, 1)
        self.walkedRows = walkedRows
        self.count = count
        self.keyPage = keyPage
    }

    /// Ranges that cover every key exactly once, in ascending order.
    public func ranges(keyType: DataType, rows: Int64) async throws(StopoverError) -> [KeyRange] {
        let isWalked = rows <= walkedRows
        let rowsPerSplit = isWalked ? walkedRowsPerSplit : countedRowsPerSplit
        let wanted = min((rows + rowsPerSplit - 1) / rowsPerSplit, Int64(SplitPlanner.splitLimit))
        guard wanted > 1 else { return [.all] }
        return SplitPlanner.ranges(
            between: isWalked
                ? try await walkedBounds(rows, splits: wanted)
                : try await countedBounds(keyType, rows, splits: wanted))
    }

    /// `(…, b0], (b0, b1], …, (bn, …)`.
    static func ranges(between bounds: [PrimaryKey]) -> [KeyRange] {
        let starts: [PrimaryKey?] = [nil] + bounds
        let ends: [PrimaryKey?] = bounds + [nil]
        return zip(starts, ends).map { KeyRange(after: $0, through: $1) }
    }

    private func walkedBounds(
        _ rows: Int64, splits: Int64
    ) async throws(StopoverError) -> [PrimaryKey] {
        let rowsEach = Int((rows + splits - 1) / splits)
        let pagesEach = (rowsEach + PageSizer.serverRowLimit - 1) / PageSizer.serverRowLimit
        let pageRows = (rowsEach + pagesEach - 1) / pagesEach
        var bounds: [PrimaryKey] = []
        var rest = KeyRange.all
        var rowsSinceBound = 0
        while bounds.count < splits - 1 {
            let page = try await keyPage(rest, pageRows)
            guard let last = page.last else { break }
            rest.after = last
            rowsSinceBound += page.rows
            guard rowsSinceBound >= rowsEach else { continue }
            bounds.append(last)
            rowsSinceBound = 0
        }
        return bounds
    }

    // MARK: Bounds by counts

    private func countedBounds(
        _ keyType: DataType, _ rows: Int64, splits: Int64
    ) async throws(StopoverError) -> [PrimaryKey] {
        let rowsEach = rows / splits
        var bounds: [PrimaryKey] = []
        var known = KnownRanks()
        for index in 1..<splits {
            let sought = SoughtRank(
                rank: rowsEach * index,
                slack: Int64(Double(rowsEach) * SplitPlanner.tolerance))
            let bound: PrimaryKey? =
                switch keyType {
                case .int64: try await int64Bound(sought, &known)
                default: try await varcharBound(sought, &known)
                }
            if let bound, bounds.last.map({ $0 < bound }) ?? true { bounds.append(bound) }
        }
        return bounds
    }

    /// A key with about as many rows at or below it as are sought.
    private func int64Bound(
        _ sought: SoughtRank, _ known: inout KnownRanks
    ) async throws(StopoverError) -> PrimaryKey? {
        // Neither end is ever a bound: INT64_MIN cannot be written as a literal on 2.3.5.
        var low = Int64.min + 1
        var high = Int64.max - 1
        while low < high {
            let middle = low + Int64(bitPattern: UInt64(bitPattern: high &- low) / 2)
            switch try await place(.int64(middle), sought, &known) {
            case .near: return .int64(middle)
            case .below: low = middle + 1
            case .above: high = middle
            }
        }
        return low == Int64.max - 1 ? nil : .int64(low)
    }

    /// A string with about as many rows at or below it as are sought: character by character, each
    /// found by halving the Unicode scalars, whose order is the order of their UTF-8 bytes.
    private func varcharBound(
        _ sought: SoughtRank, _ known: inout KnownRanks
    ) async throws(StopoverError) -> PrimaryKey? {
        var prefix = ""
        for _ in 0..<SplitPlanner.boundLength {
            var low = ScalarRank.lowest
            var high = ScalarRank.highest
            // Invariant: prefix + low is below what is sought, or low is the lowest.
            while high - low > 1 {
                let middle = (low + high) / 2
                let candidate = PrimaryKey.varchar(prefix + ScalarRank.string(middle))
                switch try await place(candidate, sought, &known) {
                case .near: return candidate
                case .below: low = middle
                case .above: high = middle
                }
            }
            prefix += ScalarRank.string(low)
        }
        return .varchar(prefix)
    }

    private func place(
        _ key: PrimaryKey, _ sought: SoughtRank, _ known: inout KnownRanks
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
