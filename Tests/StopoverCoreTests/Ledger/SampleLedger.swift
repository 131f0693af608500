import Foundation

@testable import StopoverCore

/// Records as a job makes them, and a ledger with some of everything.
enum SampleLedger {
    static let job = JobIdentity(
        id: UUID(uuidString: "0123ABCD-0000-4000-8000-000000000001") ?? UUID(), name: "sample",
        seed: .max, toolVersion: "1", fingerprint: "f")

    static func transfer(_ number: Int64 = 1) -> TransferRecord {
        TransferRecord(
            id: TransferID(number), source: CollectionName(collection: "from\(number)"),
            target: CollectionName(collection: "to\(number)"), regeneratesKeys: number == 2,
            phase: .planned, epoch: 1, timestamp: PinnedTimestamp(UInt64.max), sourceRows: 1000,
            sentThrough: ChunkID(0))
    }

    static func split(_ number: Int64, of transfer: Int64 = 1) -> SplitRecord {
        SplitRecord(
            id: SplitID(number), transfer: TransferID(transfer), partition: "p",
            range: KeyRange(after: .int64(.min), through: .varchar([0xFF, 0, 0x2F])))
    }

    static func chunk(
        _ number: Int64, split: Int64 = 1, of transfer: Int64 = 1, rows: Int = 10
    ) -> ChunkRecord {
        ChunkRecord(
            id: ChunkID(number), transfer: TransferID(transfer), split: SplitID(split),
            partition: nil, rowCount: rows, firstKey: .int64(number * 10),
            lastKey: .int64(number * 10 + 9), bodyBytes: 1 << 40, fileBytes: 123,
            digest: Digest128(high: .max, low: UInt64(number)))
    }

    static func rows(
        _ number: Int64, split: Int64 = 1, of transfer: Int64 = 1, count: Int = 4
    ) -> QuarantineRecord {
        QuarantineRecord(
            id: ChunkID(number), transfer: TransferID(transfer), split: SplitID(split),
            lastKey: .int64(number * 10 + 9), rowCount: count)
    }

    /// Two transfers, three splits, 50 chunks in every state, partial acknowledgements and notes.
    static func fill(_ ledger: Ledger) async throws {
        try await ledger.commit([
            .transferPlanned(transfer(1), splits: [split(1), split(2)]),
            .transferPlanned(transfer(2), splits: [split(3, of: 2)]),
            .transferPhase(TransferID(1), .moving), .transferEpoch(TransferID(2), 4),
            .sentThrough(TransferID(1), ChunkID(32)),
        ])
        for number in Int64(1)...50 {
            let (split, transfer): (Int64, Int64) =
                number % 3 == 0 ? (3, 2) : (number % 3, 1)
            try await ledger.commit([
                .chunkSpooled(
                    chunk(number, split: split, of: transfer, rows: Int(number) + 1))
            ])
        }
        for number in Int64(1)...30 {
            let rows = Int(number) + 1
            try await ledger.commit([
                .chunkAcked(ChunkID(number), rows: 0..<1, ids: .int64([.max])),
                .chunkAcked(ChunkID(number), rows: 1..<rows, ids: nil),
            ])
        }
        try await ledger.commit([
            .chunksFlushed((1...20).map { ChunkID($0) }),
            .chunksTainted([ChunkID(30), ChunkID(31)]),
            .chunkAcked(ChunkID(40), rows: 3..<9, ids: .varchar(["a", "ü"])),
            .rowsQuarantined(rows(60, split: 3, of: 2)), .keysDropped(TransferID(1), ["a": 3]),
            .splitFinished(SplitID(2)), .note(code: "STO-A", message: "one"),
            .note(code: "STO-B", message: "two"), .note(code: "STO-A", message: "three"),
        ])
    }
}

/// Everything that can be read of a ledger.
struct LedgerContent: Equatable, Sendable {
    var job: JobIdentity
    var transfers: [TransferRecord]
    var splits: [[SplitRecord]] = []
    var chunks: [[ChunkRecord]] = []
    var resting: [ChunkRecord]
    var totals: [Ledger.Totals] = []
    var lastChunk: ChunkID
    var notes: [[String]] = []
    var quarantine: [QuarantineRecord]
    var droppedKeys: [DroppedKeys] = []

    init(of ledger: Ledger) async throws {
        job = ledger.job
        transfers = try await ledger.transfers()
        resting = try await ledger.restingChunks()
        lastChunk = try await ledger.lastChunk()
        quarantine = try await ledger.quarantine()
        for transfer in [TransferID(1), TransferID(2)] {
            splits.append(try await ledger.splits(of: transfer))
            totals.append(try await ledger.totals(of: transfer))
            droppedKeys.append(try await ledger.droppedKeys(of: transfer))
            for state in [ChunkState.spooled, .acked, .flushed] {
                chunks.append(try await ledger.chunks(of: transfer, in: state))
            }
        }
        for code in ["STO-A", "STO-B"] { notes.append(try await ledger.notes(code: code)) }
    }

    /// Opens, reads and closes.
    static func read(_ path: String) async throws -> LedgerContent {
        let ledger = try Ledger.open(at: path)
        do {
            let content = try await LedgerContent(of: ledger)
            try await ledger.close()
            return content
        } catch {
            try? await ledger.close()
            throw error
        }
    }
}
