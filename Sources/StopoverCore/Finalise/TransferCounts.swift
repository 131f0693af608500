/// The rows of a transfer, counted in four places that know nothing of each other.
public struct TransferCounts: Hashable, Sendable, Codable {
    /// `count(*)` of the source when the migration was planned; every copy of a key counts.
    public var sourceAtPlan: Int64
    /// The same when everything was loaded.
    public var sourceAtEnd: Int64
    /// Rows that pages brought: each key once.
    public var read: Int64
    /// Those of them that do not fit the target and were set aside.
    public var quarantined: Int64
    /// Rows of chunks that are flushed on the target.
    public var loaded: Int64
    /// `count(*)` of the target, Strong, after the last flush; nil where it cannot be asked,
    /// because the collection has no index to be loaded with.
    public var target: Int64?
    /// `count(*)` of the target before the first row, where rows are added to what it has.
    public var before: Int64?
    /// Rows with a key that the target had already took that row's place.
    public var mayOverwrite = false

    public init(
        sourceAtPlan: Int64, sourceAtEnd: Int64, read: Int64, quarantined: Int64 = 0, loaded: Int64,
        target: Int64?
    ) {
        self.sourceAtPlan = sourceAtPlan
        self.sourceAtEnd = sourceAtEnd
        self.read = read
        self.quarantined = quarantined
        self.loaded = loaded
        self.target = target
    }

    /// What does not agree, a sentence each; empty for a complete transfer.
    public var differences: [String] {
        var lines: [String] = []
        if sourceAtPlan != sourceAtEnd {
            lines.append(
                "the source changed during the migration: \(sourceAtPlan) rows when it was "
                    + "planned, \(sourceAtEnd) at the end; rows written meanwhile may be missing")
        }
        if sourceAtEnd > read, sourceAtEnd == sourceAtPlan {
            lines.append(
                "the source counts \(sourceAtEnd) rows, reading it gave \(read): "
                    + "\(sourceAtEnd - read) are further copies of a key, or cannot be read")
        }
        if quarantined > 0 {
            lines.append("\(quarantined) rows do not fit the target: they are in quarantine")
        }
        if read - quarantined != loaded {
            lines.append("\(read - quarantined) rows were to be loaded, \(loaded) are")
        }
        if let target, !expected.contains(target) {
            lines.append(
                before.map {
                    "the target counted \($0) rows, \(loaded) were added, and it counts \(target): "
                        + "somebody else writes to it, or rows in doubt were inserted twice"
                } ?? "\(loaded) rows were loaded, the target counts \(target)")
        }
        return lines
    }

    /// What the target may count.
    private var expected: ClosedRange<Int64> {
        let before = before ?? 0
        return (mayOverwrite ? max(before, loaded) : before + loaded)...(before + loaded)
    }

    /// Rows of the target whose place others took, by the counts; nil where none can be.
    public var overwritten: Int64? {
        guard mayOverwrite, let target, let before, expected.contains(target) else { return nil }
        return before + loaded - target
    }

    /// It has rows that nobody has an acknowledgement of.
    var hasStrays: Bool { target.map { $0 > expected.upperBound } ?? false }

    /// The target has exactly what was read and fits, whatever became of the source.
    public var targetIsWhole: Bool {
        read - quarantined == loaded && (target.map(expected.contains) ?? true)
    }
    public var isComplete: Bool { differences.isEmpty }
}

/// How a transfer ended.
public struct TransferResult: Hashable, Sendable, Codable {
    public var source: CollectionName
    public var target: CollectionName
    /// The staging name when it was not published, because its rows do not add up.
    public var leftAs: CollectionName?
    public var counts: TransferCounts
    /// Rows that count(*) sees and Query does not return, a sentence each.
    public var unreadable: [String]
    /// What became of the source's schema meanwhile, a sentence each.
    public var drift: [String] = []
    /// Rows by dynamic key, of keys that the mapping left out.
    public var droppedKeys: [String: Int64] = [:]
    /// Rows that no acknowledgement names, found on the target and deleted; nil where its keys are
    /// the source's.
    public var sweptRows: Int64?
    /// Rows that were acknowledged, came into doubt before they were durable, and were written again.
    public var rewrittenRows: Int64 = 0
    /// Those of them that the target had lost; nil where its keys do not tell.
    public var lostRows: Int64?
    /// What could not be made beside the rows, a sentence each: an alias that is taken.
    public var notes: [String] = []
    /// Whether the collection is loaded: it can be searched.
    public var isLoaded = false
    /// What reading rows back found; nil where counts alone were compared.
    public var verification: VerificationSummary?

    /// The target has what was sent, and nothing else.
    public var isWhole: Bool { counts.targetIsWhole && verification?.isClean ?? true }

    public var isComplete: Bool {
        counts.isComplete && unreadable.isEmpty && drift.isEmpty && leftAs == nil
            && verification?.isClean ?? true
    }
}
