/// Where a job stands at one moment. A value: the same snapshot is drawn on a terminal, printed
/// as a line of JSON and answered over HTTP.
public struct ProgressSnapshot: Hashable, Sendable, Codable {
    public var job: String
    /// Since this process took the job up, not since the job began.
    public var elapsedSeconds: Double
    /// In the order of the plan.
    public var transfers: [TransferProgress]
    public var spoolUsedBytes: Int64
    /// 0 while the spool has not been opened.
    public var spoolLimitBytes: Int64
    /// The stage that the others wait for; nil before rows move and after the last.
    public var limitingStage: LimitingStage?
    /// What is waited for right now, the longest wait first.
    public var waits: [Wait]
    /// Requests that were tried again since this process began, both sides together.
    public var retries: Int64

    public init(
        job: String, elapsedSeconds: Double = 0, transfers: [TransferProgress] = [],
        spoolUsedBytes: Int64 = 0, spoolLimitBytes: Int64 = 0,
        limitingStage: LimitingStage? = nil, waits: [Wait] = [], retries: Int64 = 0
    ) {
        self.job = job
        self.elapsedSeconds = elapsedSeconds
        self.transfers = transfers
        self.spoolUsedBytes = spoolUsedBytes
        self.spoolLimitBytes = spoolLimitBytes
        self.limitingStage = limitingStage
        self.waits = waits
        self.retries = retries
    }

    /// All transfers as one: for the last row of a table and for a one-line summary.
    public var total: TransferProgress {
        var sum = TransferProgress(
            source: CollectionName(database: "", collection: ""),
            target: CollectionName(database: "", collection: ""), rowsExpected: 0)
        for transfer in transfers {
            sum.rowsExpected += transfer.rowsExpected
            sum.rowsRead += transfer.rowsRead
            sum.rowsSpooled += transfer.rowsSpooled
            sum.rowsLoaded += transfer.rowsLoaded
            sum.rowsQuarantined += transfer.rowsQuarantined
            sum.rowsFlushed += transfer.rowsFlushed
            sum.chunksFlushed += transfer.chunksFlushed
            sum.rowsVerified += transfer.rowsVerified
            sum.bytesRead += transfer.bytesRead
            sum.bytesLoaded += transfer.bytesLoaded
            sum.rowsPerSecond = sum.rowsPerSecond + transfer.rowsPerSecond
            sum.bytesPerSecond = sum.bytesPerSecond + transfer.bytesPerSecond
        }
        if let rate = sum.rowsPerSecond, rate > 0 {
            sum.etaSeconds =
                Double(max(sum.rowsExpected - sum.rowsLoaded - sum.rowsQuarantined, 0)) / rate
        }
        return sum
    }
}

/// One source collection on its way to one target collection.
public struct TransferProgress: Hashable, Sendable, Codable {
    public var source: CollectionName
    public var target: CollectionName
    public var phase: TransferPhase
    /// `count(*)` of the source when it was planned; more than will be read where a key has copies.
    public var rowsExpected: Int64
    public var rowsRead: Int64 = 0
    public var rowsSpooled: Int64 = 0
    /// Acknowledged by the target: not durable before they are flushed.
    public var rowsLoaded: Int64 = 0
    /// Set aside, for they do not fit the target.
    public var rowsQuarantined: Int64 = 0
    public var rowsFlushed: Int64 = 0
    public var chunksFlushed: Int64 = 0
    /// Rows of chunks that were compared with what was sent, in this run.
    public var rowsVerified: Int64 = 0
    public var bytesRead: Int64 = 0
    public var bytesLoaded: Int64 = 0
    /// Rows loaded per second over the last moments; nil until it can be told. ``ProgressMeter``
    /// fills in this and the two below.
    public var rowsPerSecond: Double?
    public var bytesPerSecond: Double?
    public var etaSeconds: Double?

    public init(
        source: CollectionName, target: CollectionName, phase: TransferPhase = .planned,
        rowsExpected: Int64
    ) {
        self.source = source
        self.target = target
        self.phase = phase
        self.rowsExpected = rowsExpected
    }

    /// 0…1 of the rows that are loaded. A transfer without rows is done once it is published.
    public var fractionLoaded: Double { fraction(rowsLoaded + rowsQuarantined) }
    public var fractionRead: Double { fraction(rowsRead) }
    /// 0…1 of the loaded rows; 0 before they are verified.
    public var fractionVerified: Double { Double(rowsVerified) / Double(max(rowsLoaded, 1)) }

    private func fraction(_ rows: Int64) -> Double {
        if phase == .published { return 1 }
        guard rowsExpected > 0 else { return 0 }
        return min(max(Double(rows) / Double(rowsExpected), 0), 1)
    }
}

/// Who is waited for.
public enum WaitingSide: String, Hashable, Sendable, Codable, CaseIterable {
    case source
    case target
    case spool
}

/// A wait that is going on, with its reason for people.
public struct Wait: Hashable, Sendable, Codable {
    public var side: WaitingSide
    /// One sentence.
    public var reason: String
    public var seconds: Double

    public init(side: WaitingSide, reason: String, seconds: Double) {
        self.side = side
        self.reason = reason
        self.seconds = seconds
    }
}

/// A rate that is unknown adds nothing; two that are unknown stay so.
private func + (left: Double?, right: Double?) -> Double? {
    switch (left, right) {
    case (nil, nil): nil
    case (let value?, nil), (nil, let value?): value
    case (let l?, let r?): l + r
    }
}
