/// A chunk, and the keys among which its rows are.
struct ChunkPlace: Sendable {
    var chunk: ChunkRecord

    /// On the source, and on a target that keeps the keys: its rows, and nothing else that was sent.
    /// The chunks of a split and its tail cover all of its keys.
    var range: KeyRange { KeyRange(after: chunk.after, through: chunk.lastKey) }
}

/// The chunks of a transfer in the order of their numbers, some at a time.
struct ChunkWalk: Sendable {
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

/// The chunks of a transfer, each with what a verification found of it.
struct ProofWalk {
    private let ledger: Ledger
    private let verification: VerificationRecord
    private(set) var chunks: ChunkWalk

    init(_ ledger: Ledger, of verification: VerificationRecord) async throws {
        self.ledger = ledger
        self.verification = verification
        chunks = try await ChunkWalk(ledger, of: verification.transfer)
    }

    /// The next ones, none at the end. A chunk that this verification has not come to has no proof.
    mutating func next() async throws -> [(place: ChunkPlace, proof: ProofRecord?)] {
        let places = try await chunks.next()
        guard let first = places.first, let last = places.last else { return [] }
        var proofs: [ChunkID: ProofRecord] = [:]
        for proof in try await ledger.proofs(first.chunk.id...last.chunk.id)
        where proof.verification == verification.id {
            proofs[proof.chunk] = proof
        }
        return places.map { ($0, proofs[$0.chunk.id]) }
    }
}
