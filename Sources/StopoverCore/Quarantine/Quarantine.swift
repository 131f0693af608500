import Foundation

/// Rows that do not fit the target, kept readable: one JSON Lines file per batch that had any.
///
/// A line is `{"collection":…,"partition":…,"field":…,"reason":…,"row":{…}}`, the row as it was on the source. A file is
/// durable before its record is in the ledger, and a file that the ledger does not know is removed
/// when the job is taken up: that batch is read again.
public struct Quarantine: Sendable {
    static let fileSuffix = ".jsonl"

    private let store: ChunkStore

    /// Opens the quarantine of a job.
    /// - Parameter records: what the ledger knows of it.
    public init(
        directory: String, disk: any Disk = LinuxDisk(), records: [QuarantineRecord]
    ) throws(StopoverError) {
        store = ChunkStore(directory: directory, disk: disk)
        var missing = Set(records.map { Quarantine.fileName($0.id) })
        for name in try store.names() where missing.remove(name) == nil {
            if name.hasSuffix(Quarantine.fileSuffix) || name.hasSuffix(ChunkStore.temporarySuffix) {
                try store.remove(name)
            }
        }
        // Moved away by the user, who has dealt with them: their number stays in the ledger.
    }

    static func fileName(_ id: ChunkID) -> String {
        let digits = String(id.number)
        return String(repeating: "0", count: max(12 - digits.count, 0)) + digits + fileSuffix
    }

    /// Writes the misfits of a page, durably.
    /// - Parameter rows: JSON objects, one for each of `misfits`.
    func keep(
        _ misfits: [RowViolation], rows: [[UInt8]], of read: ReadBatch,
        collection: CollectionName, as id: ChunkID
    ) throws(StopoverError) -> QuarantineRecord {
        var bytes: [UInt8] = []
        for (misfit, row) in zip(misfits, rows) {
            bytes += Quarantine.line(misfit, row, partition: read.split.partition, collection)
            bytes.append(UInt8(ascii: "\n"))
        }
        try store.write(bytes, as: Quarantine.fileName(id))
        return QuarantineRecord(
            id: id, transfer: read.split.transfer, split: read.split.id, lastKey: read.lastKey,
            rowCount: misfits.count)
    }

    private static func line(
        _ misfit: RowViolation, _ row: [UInt8], partition: String?, _ collection: CollectionName
    ) -> [UInt8] {
        var members = [
            ("collection", collection.description), ("field", misfit.field),
            ("reason", misfit.reason),
        ]
        if let partition { members.insert(("partition", partition), at: 1) }
        let head = members.map { "\($0.0.jsonQuoted):\($0.1.jsonQuoted)," }.joined()
        return Array("{\(head)\"row\":".utf8) + row + [UInt8(ascii: "}")]
    }
}
