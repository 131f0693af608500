/// Where one split stands, as a pure value: it says what to ask for next and judges what came.
///
/// Only an empty page that a count of zero confirms ends a split: servers answer short pages in
/// mid-stream, and some hide rows from Query that count(*) sees (milvus-protocol.md, section 2).
public struct SplitCursor: Sendable {
    public enum Step: Sendable, Equatable {
        case ask(range: KeyRange, rowLimit: Int)
        /// The last page was empty: is anything left in this range?
        case confirmEmpty(KeyRange)
        case finished
        /// The count saw rows that no page returns; the split ends without them.
        case unreadable(rows: Int64, after: PrimaryKey?)
    }

    /// How often an empty page beside a count above zero is asked again before it is believed:
    /// rows become visible a little after they are written.
    static let confirmationLimit = 3

    public private(set) var remaining: KeyRange
    /// What its pages taught of their size.
    public private(set) var sizer: PageSizer
    private var contradictions = 0
    public private(set) var next: Step

    public init(remaining: KeyRange, sizer: PageSizer) {
        self.remaining = remaining
        self.sizer = sizer
        next = .ask(range: remaining, rowLimit: sizer.rowLimit)
    }

    /// From the next page on.
    mutating func aim(at targetBytes: Int) { sizer.targetBytes = max(targetBytes, 1) }

    /// Takes a page. Throws when it does not continue where the last one ended.
    public mutating func pageArrived(_ page: Page) throws(StopoverError) {
        guard let first = page.firstKey, let last = page.lastKey else {
            next = .confirmEmpty(remaining)
            return
        }
        guard remaining.contains(first), remaining.contains(last) else {
            throw StopoverError(
                .pageOutOfRange,
                "the source answered keys \(first) … \(last) to a question for keys after "
                    + "\(remaining.after.map(String.init(describing:)) ?? "the start") up to "
                    + "\(remaining.through.map(String.init(describing:)) ?? "the end")",
                remedy: "Nothing was lost. Check that the source is a Milvus server of a "
                    + "supported version, then run the same command again.")
        }
        contradictions = 0
        sizer.pageArrived(rows: page.batch.rowCount, bytes: page.batch.byteCount)
        remaining.after = last
        // A bounded split whose bound was just read has nothing left to ask for.
        next =
            remaining.after == remaining.through
            ? .finished : .ask(range: remaining, rowLimit: sizer.rowLimit)
    }

    public mutating func countArrived(_ rows: Int64) {
        if rows == 0 {
            next = .finished
        } else if contradictions < SplitCursor.confirmationLimit {
            contradictions += 1
            next = .ask(range: remaining, rowLimit: sizer.rowLimit)
        } else {
            next = .unreadable(rows: rows, after: remaining.after)
        }
    }

    public mutating func pageWasTooLarge(_ error: StopoverError) throws(StopoverError) {
        guard sizer.pageWasTooLarge() else {
            throw StopoverError(
                .rowTooLarge,
                "one row after key \(remaining.after.map(String.init(describing:)) ?? "the start") "
                    + "is larger than the source will send in a reply",
                remedy: "Raise the source's reply limits (quotaAndLimits.limits.maxOutputSize and "
                    + "proxy.grpc.serverMaxSendSize), then run the same command again.",
                cause: error.message)
        }
        next = .ask(range: remaining, rowLimit: sizer.rowLimit)
    }
}

extension StopoverError.Code {
    public static let pageOutOfRange = Self("STO-SOURCE-PAGE-OUT-OF-RANGE", exit: .failed)
    public static let rowTooLarge = Self("STO-SOURCE-ROW-TOO-LARGE", exit: .failed)
    /// Rows that count(*) sees and Query never returns.
    public static let unreadableRows = Self("STO-SOURCE-UNREADABLE-ROWS", exit: .mismatch)
}
