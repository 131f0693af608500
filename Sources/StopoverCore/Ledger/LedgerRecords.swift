// The values that the ledger keeps. They are plain: the pure state machines decide on them, the
// ledger only makes them durable.

/// One source collection → one target collection within a job; numbered from 1 within the job.
public struct TransferID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let number: Int64
    public init(_ number: Int64) { self.number = number }
    public static func < (l: TransferID, r: TransferID) -> Bool { l.number < r.number }
    public var description: String { "t\(number)" }
}

/// A unit of parallel extraction; numbered from 1 within the job.
public struct SplitID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let number: Int64
    public init(_ number: Int64) { self.number = number }
    public static func < (l: SplitID, r: SplitID) -> Bool { l.number < r.number }
    public var description: String { "s\(number)" }
}

/// A sealed batch on disk; numbered from 1 within the job, in the order in which they were cut.
public struct ChunkID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let number: Int64
    public init(_ number: Int64) { self.number = number }
    public static func < (l: ChunkID, r: ChunkID) -> Bool { l.number < r.number }
    public var description: String { "c\(number)" }
}

/// 128 bits of XXH3, seeded per job, as 32 hex digits in text.
public struct Digest128: Hashable, Sendable, Codable {
    public var high: UInt64
    public var low: UInt64
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// How far a transfer is. Each phase begins when everything of the one before is durable.
public enum TransferPhase: String, Sendable, Codable, CaseIterable {
    /// Nothing exists on the target yet.
    case planned
    /// The staging collection exists; rows move.
    case moving
    /// Every row is flushed on the target: index, counts.
    case checking
    /// The collection has its final name. The end.
    case published
    /// Stopped for good by the user.
    case cancelled
}

public struct TransferRecord: Hashable, Sendable, Codable {
    public var id: TransferID
    public var source: CollectionName
    public var target: CollectionName
    /// Whether the target makes the primary keys (``KeyOrigin/target``).
    public var regeneratesKeys: Bool
    public var phase: TransferPhase
    /// Generation of the staging name: the fence.
    public var epoch: Int
    public var timestamp: PinnedTimestamp?
    /// `count(*)` of the source at planning time: every copy of a duplicate key counts.
    public var sourceRows: Int64
    /// Chunks up to this number may have been sent. Durable before the first of them is sent, in
    /// steps of many chunks; what is not acknowledged at or below it is in doubt after a crash.
    public var sentThrough: ChunkID
    /// With keys of the target's making: it may hold rows that no acknowledgement names.
    public var needsSweep = false
    /// Such rows that were found and deleted, by sweeps that came to their end.
    public var sweptRows: Int64 = 0
    /// Rows that were acknowledged, came into doubt before they were flushed, and were written again.
    public var rewrittenRows: Int64 = 0
    /// With keys of the target's making: those of ``rewrittenRows`` that the target did not have any
    /// more when it was looked; nil until then.
    public var lostRows: Int64?
    /// `count(*)` of the collection that rows are added to, before the first of them.
    public var rowsBefore: Int64?

    public init(
        id: TransferID, source: CollectionName, target: CollectionName, regeneratesKeys: Bool,
        phase: TransferPhase, epoch: Int, timestamp: PinnedTimestamp?, sourceRows: Int64,
        sentThrough: ChunkID
    ) {
        self.id = id
        self.source = source
        self.target = target
        self.regeneratesKeys = regeneratesKeys
        self.phase = phase
        self.epoch = epoch
        self.timestamp = timestamp
        self.sourceRows = sourceRows
        self.sentThrough = sentThrough
    }
}

extension TransferRecord {
    /// Ledgers of format 2 know nothing of sweeps.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(TransferID.self, forKey: .id)
        source = try values.decode(CollectionName.self, forKey: .source)
        target = try values.decode(CollectionName.self, forKey: .target)
        regeneratesKeys = try values.decode(Bool.self, forKey: .regeneratesKeys)
        phase = try values.decode(TransferPhase.self, forKey: .phase)
        epoch = try values.decode(Int.self, forKey: .epoch)
        timestamp = try values.decodeIfPresent(PinnedTimestamp.self, forKey: .timestamp)
        sourceRows = try values.decode(Int64.self, forKey: .sourceRows)
        sentThrough = try values.decode(ChunkID.self, forKey: .sentThrough)
        needsSweep = try values.decodeIfPresent(Bool.self, forKey: .needsSweep) ?? false
        sweptRows = try values.decodeIfPresent(Int64.self, forKey: .sweptRows) ?? 0
        rewrittenRows = try values.decodeIfPresent(Int64.self, forKey: .rewrittenRows) ?? 0
        lostRows = try values.decodeIfPresent(Int64.self, forKey: .lostRows)
        rowsBefore = try values.decodeIfPresent(Int64.self, forKey: .rowsBefore)
    }
}

/// A split and how far it is. `range` never changes after planning; `position` only grows.
public struct SplitRecord: Hashable, Sendable, Codable {
    public var id: SplitID
    public var transfer: TransferID
    /// nil reads all partitions as one (no named partitions, or a partition key).
    public var partition: String?
    public var range: KeyRange
    /// The last key that rests in a committed chunk; nil before the first.
    public var position: PrimaryKey?
    public var isFinished: Bool
    /// The last key of the last committed chunk; ``position`` may be beyond it, by rows that were set
    /// aside.
    public var chunkEnd: PrimaryKey?
    /// Rows in committed chunks.
    public var rows: Int64

    public init(
        id: SplitID, transfer: TransferID, partition: String?, range: KeyRange,
        position: PrimaryKey? = nil, isFinished: Bool = false, rows: Int64 = 0
    ) {
        self.id = id
        self.transfer = transfer
        self.partition = partition
        self.range = range
        self.position = position
        self.isFinished = isFinished
        self.rows = rows
    }

    /// What is still to be read.
    public var remaining: KeyRange {
        KeyRange(after: position ?? range.after, through: range.through)
    }
}

public enum ChunkState: String, Sendable, Codable {
    /// On disk here, not acknowledged by the target.
    case spooled
    /// Acknowledged; not durable there yet.
    case acked
    /// Durable on the target; the file may be gone.
    case flushed
}

/// A sealed chunk: where its rows come from and what its file must contain.
public struct ChunkRecord: Hashable, Sendable, Codable {
    public var id: ChunkID
    public var transfer: TransferID
    public var split: SplitID
    public var partition: String?
    public var rowCount: Int
    public var firstKey: PrimaryKey
    public var lastKey: PrimaryKey
    /// Where the chunk before it in the order of keys ends, or its split begins; nil where nothing is
    /// before. The ledger fills it in: numbers of chunks are not in the order of keys.
    public var after: PrimaryKey?
    /// Bytes of the columns, uncompressed: the body of an insert.
    public var bodyBytes: Int
    public var fileBytes: Int
    /// Digest of the whole file, also in its name.
    public var digest: Digest128
    public var state: ChunkState
    /// A request with these rows was ever in doubt: the final pass upserts them.
    public var isTainted: Bool

    public init(
        id: ChunkID, transfer: TransferID, split: SplitID, partition: String?, rowCount: Int,
        firstKey: PrimaryKey, lastKey: PrimaryKey, bodyBytes: Int, fileBytes: Int,
        digest: Digest128, state: ChunkState = .spooled, isTainted: Bool = false
    ) {
        self.id = id
        self.transfer = transfer
        self.split = split
        self.partition = partition
        self.rowCount = rowCount
        self.firstKey = firstKey
        self.lastKey = lastKey
        self.bodyBytes = bodyBytes
        self.fileBytes = fileBytes
        self.digest = digest
        self.state = state
        self.isTainted = isTainted
    }
}

/// Rows of a chunk that were acknowledged together.
public struct AckRecord: Hashable, Sendable, Codable {
    public var rows: Range<Int>
    /// nil where the target does not make the keys.
    public var ids: IDRuns?

    public init(rows: Range<Int>, ids: IDRuns?) {
        self.rows = rows
        self.ids = ids
    }
}

/// A file of the quarantine: rows of one page that do not fit the target.
public struct QuarantineRecord: Hashable, Sendable, Codable {
    /// From the numbers of chunks, which name files too.
    public var id: ChunkID
    public var transfer: TransferID
    public var split: SplitID
    /// The last key of the page, whether or not it is the one of these rows.
    public var lastKey: PrimaryKey
    public var rowCount: Int

    public init(
        id: ChunkID, transfer: TransferID, split: SplitID, lastKey: PrimaryKey, rowCount: Int
    ) {
        self.id = id
        self.transfer = transfer
        self.split = split
        self.lastKey = lastKey
        self.rowCount = rowCount
    }
}

/// Rows by dynamic key, of keys that a transfer did not send.
public struct DroppedKeys: Hashable, Sendable, Codable {
    /// Keys that are told apart; rows of further ones are counted together.
    public static let mostKeys = 1000
    public static let otherKeys = "(other keys)"

    public var rows: [String: Int64] = [:]

    public init() {}

    public mutating func add(_ counts: [String: Int]) {
        for (key, count) in counts.sorted(by: { $0.key < $1.key }) {
            let isKnown = rows[key] != nil || rows.count < DroppedKeys.mostKeys
            rows[isKnown ? key : DroppedKeys.otherKeys, default: 0] += Int64(count)
        }
    }
}

/// One durable change. Entries committed together are durable together or not at all; entries
/// are applied in order, and an entry that does not fit the state (an unknown chunk, a position
/// that would go back) is refused as damage, never ignored.
public enum LedgerEntry: Sendable {
    case transferPlanned(TransferRecord, splits: [SplitRecord])
    case transferPhase(TransferID, TransferPhase)
    /// Rows go into a collection that has so many; nil where it cannot be asked.
    case appendBegun(TransferID, rowsBefore: Int64?)
    /// It has its final name: nothing of it is looked at or touched again.
    case transferPublished(TransferID, TransferResult)
    case transferEpoch(TransferID, Int)
    case sentThrough(TransferID, ChunkID)
    /// A chunk rests on disk: it is recorded and its split's position becomes `lastKey`.
    case chunkSpooled(ChunkRecord)
    /// Rows of a page rest in the quarantine. Where the page has no chunk, it moves the split on.
    case rowsQuarantined(QuarantineRecord)
    case keysDropped(TransferID, [String: Int])
    case splitFinished(SplitID)
    /// Rows `rows` of a chunk were acknowledged. `ids` only where the target made the keys. The
    /// chunk is `acked` once the ranges cover all its rows.
    case chunkAcked(ChunkID, rows: Range<Int>, ids: WrittenIDs?)
    /// Their acknowledgements count no longer: they are `spooled` again, marked for the final pass.
    case chunksTainted([ChunkID])
    /// With keys of the target's making: their acknowledgements count no longer, they are `spooled`
    /// again, and what the target holds of them is for the sweep.
    case chunksDisowned([ChunkID])
    /// So many acknowledged rows that came into doubt were not there any more.
    case lossesCounted(TransferID, Int64)
    /// With keys of the target's making: it counts more rows than were acknowledged, though nothing was in
    /// doubt. They are for the sweep, and the transfer is `moving` again.
    case straysCounted(TransferID)
    /// The target holds no row but those that acknowledgements name; so many others were deleted.
    case swept(TransferID, removed: Int64)
    case chunksFlushed([ChunkID])
    /// A chunk of a receipt: as it was recorded elsewhere, in any order.
    case chunkImported(ChunkRecord)
    /// What the rows of a chunk say; committed with ``chunkSpooled(_:)``.
    case contentDigested(ContentRecord)
    /// A verification begins or ends.
    case verification(VerificationRecord)
    case chunkProved(ProofRecord)
    /// Rows of a chunk were repaired, and the target gave them other keys: by their place in the chunk.
    case keysReplaced(ChunkID, [Int: PrimaryKey])
    /// What the result of a transfer says that was loaded whole, published or not.
    case resultChanged(TransferID, TransferResult)
    /// Anything worth a line in the job's history: `code` is a StopoverError code or an event name.
    case note(code: String, message: String)
}
