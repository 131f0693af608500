import Foundation
import GRDB
import Synchronization

/// Records as this process wrote them last, so that the next change of one need not read it back.
struct RecentRecords {
    /// Of a kind; beyond it the records are read.
    static let limit = 4096

    var splits: [SplitID: SplitRecord] = [:]
    var chunks: [ChunkID: ChunkRecord] = [:]

    /// Forgets everything when it is too much.
    mutating func tidy() {
        if splits.count > RecentRecords.limit { splits = [:] }
        if chunks.count > RecentRecords.limit { chunks = [:] }
    }
}

/// ``RecentRecords`` of the transactions that were committed, and of the one under way.
final class RecentTransactions: Sendable {
    private let records = Mutex(RecentRecords())

    /// Writes what `entries` change. Where it fails, the transaction is to be rolled back, and
    /// nothing is recent any more.
    func apply(_ entries: [LedgerEntry], _ db: Database) throws {
        try records.withLock { records in
            // Taken out, so that the transaction changes them where they are, without a copy.
            var transaction = LedgerTransaction(
                db: db, recent: exchange(&records, with: RecentRecords()))
            for entry in entries { try transaction.apply(entry) }
            records = transaction.recent
            records.tidy()
        }
    }

    /// The transaction under way is rolled back.
    func forget() { records.withLock { $0 = RecentRecords() } }
}

/// What each entry of the ledger does to its tables.
struct LedgerTransaction {
    private typealias Tables = LedgerTables

    let db: Database
    var recent: RecentRecords

    /// Writes what `entry` changes. Where it fails, the transaction is to be given up, and
    /// ``recent`` with it.
    mutating func apply(_ entry: LedgerEntry) throws {
        switch entry {
        case .transferPlanned(let transfer, let splits):
            try Tables.insert(db, "transfer", Tables.columns(of: transfer))
            for split in splits { try Tables.insert(db, "split", Tables.columns(of: split)) }
        case .transferPhase(let id, let phase): try update(transfer: id) { $0.phase = phase }
        case .appendBegun(let id, let rows):
            try update(transfer: id) { transfer in
                transfer.phase = .moving
                transfer.rowsBefore = rows
            }
        case .transferPublished(let id, let result):
            try update(transfer: id) { $0.phase = .published }
            try Tables.insert(
                db, "result", [id.number, try Tables.encode(result)], verb: "REPLACE")
        case .transferEpoch(let id, let epoch):
            try update(transfer: id) { transfer in
                guard epoch > transfer.epoch else {
                    throw StopoverError.ledgerRefuses("epoch \(epoch) after \(transfer.epoch)")
                }
                transfer.epoch = epoch
            }
        case .sentThrough(let id, let chunk):
            try update(transfer: id) { $0.sentThrough = max($0.sentThrough, chunk) }
        case .chunkSpooled(let chunk): try spooled(chunk)
        case .rowsQuarantined(let rows): try quarantined(rows)
        case .keysDropped(let id, let counts):
            let known: [DroppedKeys] = try Tables.records(db, "dropped", "id = ?", [id.number])
            var keys = known.first ?? DroppedKeys()
            keys.add(counts)
            try Tables.insert(db, "dropped", [id.number, try Tables.encode(keys)], verb: "REPLACE")
        case .splitFinished(let id):
            try update(split: id) { $0.isFinished = true }
        case .chunkAcked(let id, let rows, let ids): try acked(id, rows, ids)
        case .chunksTainted(let ids):
            try doubted(ids, mark: { $0.isTainted = true })
        case .chunksDisowned(let ids):
            for transfer in try doubted(ids, mark: { _ in }) {
                try update(transfer: transfer) { $0.needsSweep = true }
            }
        case .lossesCounted(let id, let rows): try update(transfer: id) { $0.lostRows = rows }
        case .straysCounted(let id):
            try update(transfer: id) { transfer in
                transfer.phase = .moving
                transfer.needsSweep = true
            }
        case .swept(let id, let removed):
            try update(transfer: id) { transfer in
                transfer.needsSweep = false
                transfer.sweptRows += removed
            }
        case .chunksFlushed(let ids):
            for id in ids {
                try update(chunk: id) { chunk in
                    guard chunk.state == .acked else {
                        throw StopoverError.ledgerRefuses("\(id) is flushed and not acknowledged")
                    }
                    chunk.state = .flushed
                }
                recent.chunks[id] = nil
            }
        case .chunkImported(let chunk): try Tables.insert(db, "chunk", Tables.columns(of: chunk))
        case .contentDigested(let content):
            try Tables.insert(db, "content", [content.chunk.number, try Tables.encode(content)])
        case .verification(let verification):
            try Tables.insert(
                db, "verification",
                [verification.id, verification.transfer.number, try Tables.encode(verification)],
                verb: "REPLACE")
        case .chunkProved(let proof):
            try Tables.insert(
                db, "proof", [proof.chunk.number, try Tables.encode(proof)], verb: "REPLACE")
        case .keysReplaced(let id, let keys): try replaced(id, keys)
        case .resultChanged(let id, let result):
            try Tables.insert(
                db, "result", [id.number, try Tables.encode(result)], verb: "REPLACE")
        case .note(let code, let message):
            try Tables.insert(
                db, "note",
                [try Tables.nextID(db, "note"), Date.now.timeIntervalSince1970, code, message])
        }
    }

    /// Their acknowledgements count no longer; the keys that they named are kept apart.
    /// - Returns: the transfers of the chunks.
    @discardableResult
    private mutating func doubted(
        _ ids: [ChunkID], mark: (inout ChunkRecord) -> Void
    ) throws -> Set<TransferID> {
        var rows: [TransferID: Int64] = [:]
        for id in ids {
            var acked: Int64 = 0
            var keys: [Data] = []
            try Tables.forEachRow(db, "ack", "chunk = ?", [id.number]) { row in
                let (low, high): (Int64, Int64) = (row[1], row[2])
                acked += high - low
                if let named: Data = row[3] { keys.append(named) }
            }
            let chunk = try update(chunk: id) { chunk in
                guard chunk.state != .flushed else {
                    throw StopoverError.ledgerRefuses("\(id) is flushed and cannot be in doubt")
                }
                chunk.state = .spooled
                mark(&chunk)
            }
            rows[chunk.transfer, default: 0] += acked
            for named in keys {
                try Tables.insert(
                    db, "disowned",
                    [try Tables.nextID(db, "disowned"), chunk.transfer.number, named])
            }
            try removeAcks(of: id)
        }
        for (transfer, acked) in rows where acked > 0 {
            try update(transfer: transfer) { $0.rewrittenRows += acked }
        }
        return Set(rows.keys)
    }

    private mutating func spooled(_ chunk: ChunkRecord) throws {
        var chunk = chunk
        try update(split: chunk.split) { split in
            if let position = split.position, chunk.lastKey <= position {
                throw StopoverError.ledgerRefuses(
                    "\(chunk.id) ends at \(chunk.lastKey), its split is at \(position) already")
            }
            chunk.after = split.chunkEnd ?? split.range.after
            split.position = chunk.lastKey
            split.chunkEnd = chunk.lastKey
            split.rows += Int64(chunk.rowCount)
        }
        try Tables.insert(db, "chunk", Tables.columns(of: chunk))
        recent.chunks[chunk.id] = chunk
    }

    private mutating func quarantined(_ rows: QuarantineRecord) throws {
        try update(split: rows.split) { split in
            // The chunk of the same page, where it has one, is recorded before.
            if let position = split.position, position > rows.lastKey {
                throw StopoverError.ledgerRefuses(
                    "the quarantined rows \(rows.id) end at \(rows.lastKey), their split is at "
                        + "\(position) already")
            }
            split.position = rows.lastKey
        }
        try Tables.insert(
            db, "quarantine",
            [rows.id.number, rows.transfer.number, rows.rowCount, try Tables.encode(rows)])
    }

    private mutating func acked(_ id: ChunkID, _ rows: Range<Int>, _ ids: WrittenIDs?) throws {
        var total = rows.count
        try Tables.forEachRow(db, "ack", "chunk = ?", [id.number]) { row in
            let earlier: Range<Int> = row[1]..<row[2]
            guard !earlier.overlaps(rows) else {
                throw StopoverError.ledgerRefuses("rows \(rows) of \(id) are acknowledged twice")
            }
            total += earlier.count
        }
        try Tables.insert(
            db, "ack",
            [
                id.number, rows.lowerBound, rows.upperBound,
                try ids.map { try Tables.encode(IDRuns($0)) },
            ])
        try update(chunk: id) { chunk in
            guard !rows.isEmpty, rows.lowerBound >= 0, rows.upperBound <= chunk.rowCount else {
                throw StopoverError.ledgerRefuses("\(id) has no rows \(rows)")
            }
            if total == chunk.rowCount { chunk.state = .acked }
        }
    }

    /// Rows of a flushed chunk were written again, and have other keys now.
    private func replaced(_ id: ChunkID, _ keys: [Int: PrimaryKey]) throws {
        let ranges = try Tables.acks(of: id, db)
        try removeAcks(of: id)
        for ack in ranges {
            guard var ids = ack.ids?.keys, ids.count == ack.rows.count else {
                throw StopoverError.ledgerRefuses("\(id) has no keys of the target's")
            }
            for (row, key) in keys where ack.rows.contains(row) {
                ids[row - ack.rows.lowerBound] = key
            }
            try Tables.insert(
                db, "ack",
                [
                    id.number, ack.rows.lowerBound, ack.rows.upperBound,
                    try Tables.encode(IDRuns(keys: ids)),
                ])
        }
    }

    private func removeAcks(of id: ChunkID) throws {
        try db.cachedStatement(sql: "DELETE FROM ack WHERE chunk = ?")
            .execute(arguments: [id.number])
    }

    private func update(
        transfer id: TransferID, _ change: (inout TransferRecord) throws -> Void
    ) throws {
        var transfer: TransferRecord = try Tables.record(db, "transfer", id.number)
        try change(&transfer)
        try Tables.insert(db, "transfer", Tables.columns(of: transfer), verb: "REPLACE")
    }

    private mutating func update(
        split id: SplitID, _ change: (inout SplitRecord) throws -> Void
    ) throws {
        var split = try recent.splits[id] ?? Tables.record(db, "split", id.number)
        try change(&split)
        try Tables.insert(db, "split", Tables.columns(of: split), verb: "REPLACE")
        recent.splits[id] = split
    }

    @discardableResult
    private mutating func update(
        chunk id: ChunkID, _ change: (inout ChunkRecord) throws -> Void
    ) throws -> ChunkRecord {
        var chunk = try recent.chunks[id] ?? Tables.record(db, "chunk", id.number)
        try change(&chunk)
        try Tables.insert(db, "chunk", Tables.columns(of: chunk), verb: "REPLACE")
        recent.chunks[id] = chunk
        return chunk
    }
}
