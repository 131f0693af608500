import Foundation

/// Makes a job of a receipt: one that has ended, with everything that a verification needs, on a machine
/// that was not there.
public enum ReceiptImport {
    /// Chunks of one transaction.
    private static let chunksAtOnce = 256

    /// The job's directory is made, unless it is there from an earlier time.
    /// - Returns: its name, which follows from the seal.
    public static func job(from path: String, home: String) async throws -> JobDirectory {
        // All of it is checked before anything is made of it.
        let seal = try seal(of: path)
        let directory = try JobDirectory(home: home, job: "receipt-\(seal.prefix(16))")
        if directory.exists { return directory }
        let reader = try ReceiptReader(path)
        try directory.prepare(spool: directory.spoolPath)
        let lock = try JobLock(at: directory.lockPath)
        defer { withExtendedLifetime(lock) {} }
        let head = reader.head
        try directory.write(try head.stored.encoded, to: directory.planPath)
        let unfinished = directory.ledgerPath + ".new"
        for suffix in ["", "-wal", "-shm"] { unlink(unfinished + suffix) }
        do {
            let ledger = try Ledger.create(at: unfinished, job: head.job)
            try await fill(ledger, from: reader)
            try await ledger.close()
        }
        if let end = reader.end { try JobResult(transfers: end.results).write(directory) }
        try directory.rename(unfinished, to: directory.ledgerPath)
        return directory
    }

    private static func seal(of path: String) throws -> String {
        let reader = try ReceiptReader(path)
        while try reader.next() != nil {}
        return reader.seal
    }

    private static func fill(_ ledger: Ledger, from reader: ReceiptReader) async throws {
        var entries: [LedgerEntry] = reader.head.transfers.map { transfer in
            let splits = reader.head.splits.filter { $0.transfer == transfer.id }
            return .transferPlanned(transfer, splits: splits)
        }
        var waiting = 0
        while let chunk = try reader.next() {
            var record = chunk.record
            record.state = .spooled
            entries.append(.chunkImported(record))
            if let content = chunk.content { entries.append(.contentDigested(content)) }
            entries += chunk.acks.map { .chunkAcked(record.id, rows: $0.rows, ids: $0.ids?.ids) }
            entries.append(.chunksFlushed([record.id]))
            waiting += 1
            if waiting == chunksAtOnce {
                try await ledger.commit(entries)
                (entries, waiting) = ([], 0)
            }
        }
        if let end = reader.end {
            for (transfer, result) in zip(reader.head.transfers, end.results) {
                entries.append(.resultChanged(transfer.id, result))
            }
        }
        try await ledger.commit(entries)
    }
}
