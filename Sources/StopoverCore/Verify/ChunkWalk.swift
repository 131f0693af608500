/// A chunk, and the keys among which its rows are.
struct ChunkPlace: Sendable {
    var chunk: ChunkRecord
    /// Where the chunk before it in its split ends, or the split begins: its rows, and nothing else
    /// that was sent, are behind this key and up to its own last one.
    var after: PrimaryKey?

    /// On the source, and on a target that keeps the keys.
    var range: KeyRange { KeyRange(after: after, through: chunk.lastKey) }
}

/// The chunks of a transfer in the order of their numbers, some at a time.
struct ChunkWalk {
    /// Records in memory.
    static let chunksAtOnce = 256

    private let ledger: Ledger
    private let transfer: TransferID
    private let splits: [SplitRecord]
    private var lastKeys: [SplitID: PrimaryKey] = [:]
    private var position = ChunkID(0)
    private(set) var chunks: Int64 = 0
    private(set) var rows: Int64 = 0

    init(_ ledger: Ledger, of transfer: TransferID) async throws {
        self.ledger = ledger
        self.transfer = transfer
        splits = try await ledger.splits(of: transfer)
        for split in splits { lastKeys[split.id] = split.range.after }
    }

    /// The next ones; none at the end.
    mutating func next() async throws -> [ChunkPlace] {
        let records = try await ledger.chunks(
            of: transfer, after: position, limit: ChunkWalk.chunksAtOnce)
        return records.map { record in
            defer {
                lastKeys[record.split] = record.lastKey
                position = record.id
                chunks += 1
                rows += Int64(record.rowCount)
            }
            return ChunkPlace(chunk: record, after: lastKeys[record.split])
        }
    }

    /// What is behind the last chunk of each split, with its partition: nothing was sent of it. To be
    /// asked at the end.
    var tails: [(partition: String?, range: KeyRange)] {
        splits.compactMap { split in
            let range = KeyRange(after: lastKeys[split.id], through: split.range.through)
            // A split that was read to its bound.
            if let through = range.through, range.after == through { return nil }
            return (split.partition, range)
        }
    }
}

/// What a verification found, chunk by chunk, some in memory at a time.
struct ProofWalk {
    private let ledger: Ledger
    private let verification: VerificationRecord
    private var position = ChunkID(0)

    init(_ ledger: Ledger, of verification: VerificationRecord) {
        self.ledger = ledger
        self.verification = verification
    }

    /// The next ones, of those chunks that were proved; nil at the end.
    mutating func next() async throws -> [ProofRecord]? {
        let chunks = try await ledger.chunks(
            of: verification.transfer, after: position, limit: ChunkWalk.chunksAtOnce)
        guard let first = chunks.first, let last = chunks.last else { return nil }
        position = last.id
        return try await ledger.proofs(first.id...last.id)
            .filter { $0.verification == verification.id }
    }
}
