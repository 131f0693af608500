import StopoverCore

/// What the entries of one transfer's load make of a ledger, as SQLite would keep it.
struct SimulatedLedger {
    private(set) var epoch = 1
    private(set) var sentThrough = ChunkID(0)
    private(set) var states: [ChunkID: ChunkState] = [:]
    private(set) var tainted: Set<ChunkID> = []
    private(set) var needsSweep = false
    private(set) var phase = TransferPhase.moving
    private var ackedRows: [ChunkID: Int] = [:]
    /// The keys that acknowledgements name, where the target makes them.
    private var made: [ChunkID: [WrittenIDs]] = [:]
    let rowsPerChunk: Int

    init(rowsPerChunk: Int) { self.rowsPerChunk = rowsPerChunk }

    mutating func spooled(_ id: ChunkID) { states[id] = .spooled }

    mutating func apply(_ entries: [LedgerEntry], keepsKeys: Bool = false) {
        for entry in entries {
            switch entry {
            case .transferEpoch(_, let number): epoch = number
            case .sentThrough(_, let chunk): sentThrough = max(sentThrough, chunk)
            case .chunkAcked(let id, let rows, let ids):
                ackedRows[id, default: 0] += rows.count
                if let ids { made[id, default: []].append(ids) }
                if ackedRows[id] == rowsPerChunk { states[id] = .acked }
            case .chunksTainted(let ids):
                for id in ids {
                    states[id] = .spooled
                    tainted.insert(id)
                    ackedRows[id] = 0
                }
            case .chunksDisowned(let ids):
                for id in ids {
                    states[id] = .spooled
                    ackedRows[id] = 0
                    if !keepsKeys { made[id] = nil }
                }
                needsSweep = true
            case .transferPhase(_, let reached): phase = reached
            case .straysCounted:
                phase = .moving
                needsSweep = true
            case .swept: needsSweep = false
            case .chunksFlushed(let ids): for id in ids { states[id] = .flushed }
            default: break
            }
        }
    }

    var madeKeys: [IDRuns] { made.values.flatMap { $0.map { IDRuns($0) } } }

    /// Chunks whose files are still needed.
    var restingCount: Int { states.values.count { $0 != .flushed } }

    func chunks(in state: ChunkState) -> [ChunkID] {
        states.filter { $0.value == state }.keys.sorted()
    }
}
