/// What the stages of a job share. One value, made by the composition root.
public struct Engine: Sendable {
    public var source: any Source
    public var target: any Target
    public var ledger: Ledger
    public var spool: Spool
    public var quarantine: Quarantine
    public var board: ProgressBoard
    public var errors: ErrorLog
    public var limits: EngineLimits
    public var stop: StopSignal
    /// Rows from the source, and bytes to the target, no faster than asked, nor than the clusters allow.
    let reading: Pace
    let writing: Pace

    public init(
        source: any Source, target: any Target, ledger: Ledger, spool: Spool,
        quarantine: Quarantine, board: ProgressBoard, errors: ErrorLog, limits: EngineLimits,
        stop: StopSignal
    ) {
        self.source = source
        self.target = target
        self.ledger = ledger
        self.spool = spool
        self.quarantine = quarantine
        self.board = board
        self.errors = errors
        self.limits = limits
        self.stop = stop
        reading = Pace(perSecond: limits.readRowsPerSecond.map(Int64.init))
        writing = Pace(perSecond: limits.writeBytesPerSecond)
    }
}

/// Every bound of a running job, by name.
public struct EngineLimits: Sendable, Hashable {
    /// Cursors that read at once, each one split.
    public var cursors = 4
    /// Workers that compress and write chunks.
    public var spoolWorkers = 2
    /// Requests to the target at once.
    public var insertRequests = 4
    /// Bytes that a page, and so a chunk, is meant to have.
    public var pageBytes = 8 << 20
    /// Bytes of batches in memory between two stages.
    public var channelBytes = 64 << 20
    /// Bytes of chunks on disk.
    public var spoolBytes: Int64 = 20 << 30
    /// Rows of a split; see ``SplitPlanner``.
    public var rowsPerSplit = SplitPlanner.rowsPerSplit
    /// Flush what is acknowledged at least this often.
    public var flushInterval = Duration.seconds(60)
    /// A write that is older than this has ended on the target, one way or the other: its own
    /// deadline, and a margin for the server to notice. What a fence waits for.
    public var drain = MigrationLimits.defaultWriteTimeout + EngineLimits.drainMargin
    /// The longest that a write is held back by a network that is believed to have let go of it, where
    /// no name can be a fence (exactly-once.md, 2.3, rung B4).
    public var quiet: Duration { drain * EngineLimits.quietDrains }
    static let quietDrains = 10
    /// What a server may take longer than a request's deadline to notice it.
    public static let drainMargin = Duration.seconds(2)
    /// The source is not read faster than this; nil is as fast as it goes.
    public var readRowsPerSecond: Int?
    /// The target is not written to faster than this.
    public var writeBytesPerSecond: Int64?
    /// How long a stop waits for requests under way.
    public var stopGrace = Duration.seconds(10)
    /// How often a flush under way is asked after.
    public var flushPollInterval = Duration.milliseconds(100)

    public init() {}

    /// Fits the bounds between the stages to a memory limit: two channels, a page per cursor and
    /// per worker, and twice that for buffers of the transport.
    public mutating func fit(memoryBytes: Int64) {
        let pages = Int64(pageBytes) * Int64(cursors + spoolWorkers + insertRequests) * 2
        let left = max(memoryBytes - pages, Int64(pageBytes) * 2)
        channelBytes = Int(min(Int64(channelBytes), left / 2))
    }
}
