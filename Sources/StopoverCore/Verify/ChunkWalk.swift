/// A chunk, and the keys among which its rows are.
struct ChunkPlace: Sendable {
    var chunk: ChunkRecord

    /// On the source, and on a target that keeps the keys: its rows, and nothing else that was sent.
    /// The chunks of a split and its tail cover all of its keys.
    var range: KeyRange { KeyRange(after: chunk.after, through: chunk.lastKey) }
}

/// The chunks of a transfer in the order of their numbers, some at a time.
struct ChunkWalk {
    /// Records in memory.
    static let chunksAtOnce = 256

    private let ledger: Ledger
    private let transfer: TransferID
    private let splits: [SplitRecord]
    private var position = ChunkID(0)
    private(set) var rows: Int64 = 0

    init(_ ledger: Ledger, of transfer: TransferID) async throws {
        self.ledger = ledger
        self.transfer = transfer
        splits = try await ledger.splits(of: transfer)
    }

    /// The next ones; none at the end.
    mutating func next() async throws -> [ChunkPlace] {
        let records = try await ledger.chunks(
            of: transfer, after: position, limit: ChunkWalk.chunksAtOnce)
        position = records.last?.id ?? position
        rows += records.reduce(0) { $0 + Int64($1.rowCount) }
        return records.map { ChunkPlace(chunk: $0) }
    }

    /// What is behind the last chunk of each split, with its partition: nothing was sent of it.
    var tails: [(partition: String?, range: KeyRange)] {
        splits.compactMap { split in
            let range = KeyRange(
                after: split.chunkEnd ?? split.range.after, through: split.range.through)
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
