import Foundation

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
    let tuning: Tuning
    let lead: Lead

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
        tuning = Tuning(limits)
        lead = Lead(most: Int64(limits.leadBytes))
    }
}

/// Every bound of a running job, by name.
public struct EngineLimits: Sendable, Hashable {
    /// Cursors that read at once, each one split: at most. How many are useful is found out.
    public var cursors = EngineLimits.mostCursors
    /// Workers that pack and write chunks, at most: two a processor, since they wait for the disk, too.
    public var spoolWorkers = min(
        2 * ProcessInfo.processInfo.activeProcessorCount, EngineLimits.mostSpoolWorkers)
    /// Requests to the target at once, at most.
    public var insertRequests = EngineLimits.mostInsertRequests
    /// How many of them a job begins with, before it has found out. One cursor: a source that gives most to
    /// one at a time (Milvus Lite) is slowed down by two for as long as it takes to find that out; one that
    /// gives more to more shows it in the first seconds.
    public var cursorsAtFirst = 1
    public var insertRequestsAtFirst = EngineLimits.workersAtFirst
    public static let workersAtFirst = 2
    public static let mostCursors = 16
    public static let mostSpoolWorkers = 8
    public static let mostInsertRequests = 16
    /// Bytes that a page, and so a chunk, is meant to have.
    public var pageBytes = 8 << 20
    /// Bytes of batches in memory between two stages.
    public var channelBytes = 24 << 20
    /// Bytes of chunks on disk.
    public var spoolBytes: Int64 = 20 << 30
    public var spoolPacking = Packing.auto
    /// Bytes of rows that are kept in memory after their chunk is on disk, to be sent from there.
    public var spoolMemoryBytes = 64 << 20
    /// Bytes of rows that wait for a target which takes them, before reading waits. The other half of what
    /// is kept in memory is for what is under way then, so that no chunk has to be read back.
    var leadBytes: Int { spoolMemoryBytes / 2 }
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

    /// Fits the bounds between the stages to a memory limit: the channel, rows that are kept beside
    /// their files, a page per cursor and per worker, and twice that for buffers of the transport.
    ///
    /// Where pages would take more than half of it, fewer workers have them, and then smaller ones.
    public mutating func fit(memoryBytes: Int64) {
        func pages() -> Int64 {
            Int64(pageBytes) * Int64(cursors + spoolWorkers + insertRequests) * 2
        }
        while pages() > memoryBytes / 2, cursors > 1 || insertRequests > 1 || spoolWorkers > 1 {
            if spoolWorkers > cursors, spoolWorkers > insertRequests {
                spoolWorkers -= 1
            } else if cursors > insertRequests {
                cursors -= 1
            } else {
                insertRequests = max(insertRequests - 1, 1)
                cursors = max(cursors - 1, 1)
            }
        }
        pageBytes = min(
            pageBytes, max(Int(memoryBytes) / 2 / (cursors + spoolWorkers + insertRequests) / 2, 1))
        let left = memoryBytes - pages()
        channelBytes = Int(min(Int64(channelBytes), left / 2))
        spoolMemoryBytes = Int(min(Int64(spoolMemoryBytes), left / 2))
    }
}
