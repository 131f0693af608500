/// Whether chunks are packed before they are written.
public enum Packing: String, Codable, CaseIterable, Hashable, Sendable {
    /// As room and time advise, column by column.
    case auto
    /// As they are: the least work.
    case fast
    /// As small as pays: for a small disk or a slow one.
    case compact
}

/// Decides for each column of a chunk whether its payload is packed. A pure value, told what became
/// of each chunk; one for all writers of a spool.
///
/// A chunk that the target takes at once is packed and unpacked for nothing. It pays where chunks
/// rest: when the spool fills up because the target is slower than the source, and when the disk is
/// slower than the packing.
public struct PackingPolicy: Sendable {
    /// Chunks are packed from this part of the spool's budget on, and no longer below that one.
    static let packsFrom = 0.25
    static let packsNoMoreBelow = 0.1
    /// A column that packing does not shrink to this part is tried again after so many chunks.
    static let worthwhile = 0.97
    static let chunksUntilTriedAgain = 64
    /// What a byte costs to pack, in seconds, and what is left of it, before any was: float32 by the
    /// entropy of its planes (performance.md).
    static let packingGuess = 0.45e-9
    static let ratioGuess = 0.83
    /// The part of a new measurement in what is remembered.
    static let weight = 0.2

    private struct Memory: Sendable {
        var ratio = PackingPolicy.ratioGuess
        var chunksUntilTriedAgain = 0
    }

    let choice: Packing
    private var isPacking = false
    private var columns: [String: Memory] = [:]
    /// Seconds a byte.
    private var packing = PackingPolicy.packingGuess
    private var writing = 0.0

    public init(_ choice: Packing) { self.choice = choice }

    /// The columns of the next chunk that are to be packed.
    /// - Parameter fill: the part of the spool's budget that is in use.
    mutating func columns(of batch: Batch, fill: Double) -> Set<String> {
        switch choice {
        case .fast: return []
        case .compact: return Set(batch.columns.map(\.name))
        case .auto: break
        }
        if fill >= PackingPolicy.packsFrom { isPacking = true }
        if fill < PackingPolicy.packsNoMoreBelow { isPacking = false }
        var packed: Set<String> = []
        for column in batch.columns {
            var memory = columns[column.name] ?? Memory()
            let saves = writing * (1 - memory.ratio) > packing
            if memory.chunksUntilTriedAgain > 0 {
                memory.chunksUntilTriedAgain -= 1
            } else if isPacking || saves {
                packed.insert(column.name)
            }
            columns[column.name] = memory
        }
        return packed
    }

    /// A column was packed from `bytes` to `stored` bytes.
    mutating func packed(_ name: String, _ bytes: Int, to stored: Int) {
        guard bytes > 0 else { return }
        var memory = columns[name] ?? Memory()
        let ratio = Double(stored) / Double(bytes)
        memory.ratio += (ratio - memory.ratio) * PackingPolicy.weight
        if ratio > PackingPolicy.worthwhile {
            memory.chunksUntilTriedAgain = PackingPolicy.chunksUntilTriedAgain
        }
        columns[name] = memory
    }

    /// Packing `bytes` took this long, and writing `stored` bytes to the disk that long.
    mutating func took(
        packing: Duration, of bytes: Int, writing: Duration, of stored: Int
    ) {
        func learn(_ known: inout Double, _ duration: Duration, _ bytes: Int) {
            guard bytes > 0 else { return }
            known += (duration / .seconds(1) / Double(bytes) - known) * PackingPolicy.weight
        }
        learn(&self.packing, packing, bytes)
        learn(&self.writing, writing, stored)
    }
}
