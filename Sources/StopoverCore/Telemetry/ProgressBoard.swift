import Synchronization

/// What the stages report, batch by batch, and what anybody may look at: the only shared state of
/// progress. Reports are cheap (a lock and an addition) and never throw; nothing is decided on them.
public final class ProgressBoard: Sendable {
    fileprivate struct State {
        var transfers: [TransferID: TransferProgress] = [:]
        var finishedExtracting: Set<TransferID> = []
        /// Rows of the largest batch loaded: what may be in flight without load being slow.
        var largestBatch: [TransferID: Int64] = [:]
        var waits: [WaitingSide: (reason: String, since: Duration)] = [:]
        var retries: Int64 = 0
        var spoolUsedBytes: Int64 = 0
        var spoolLimitBytes: Int64 = 0
        var channelFill = 0.0
    }

    /// Batches that may rest between spool and load before load counts as the slower one.
    static let batchesInFlight: Int64 = 8

    public let job: String
    private let elapsed: @Sendable () -> Duration
    private let state = Mutex(State())

    /// - Parameter elapsed: time since the job was taken up, from a clock that only moves forward.
    public init(job: String, elapsed: @escaping @Sendable () -> Duration) {
        self.job = job
        self.elapsed = elapsed
    }

    /// Counts from now on the machine's continuous clock.
    public convenience init(job: String) {
        let start = ContinuousClock.now
        self.init(job: job) { ContinuousClock.now - start }
    }

    // MARK: What the engine reports

    /// Puts a transfer on the board, with what an earlier run moved already.
    public func begin(_ id: TransferID, _ progress: TransferProgress) {
        state.withLock { $0.transfers[id] = progress }
    }

    public func phase(_ phase: TransferPhase, of id: TransferID) {
        state.withLock { $0.transfers[id]?.phase = phase }
    }

    public func rowsRead(_ rows: Int, bytes: Int, of id: TransferID) {
        state.withLock {
            $0.transfers[id]?.rowsRead += Int64(rows)
            $0.transfers[id]?.bytesRead += Int64(bytes)
        }
    }

    /// Every split of the transfer has come to its end.
    public func extractionFinished(of id: TransferID) {
        state.withLock { _ = $0.finishedExtracting.insert(id) }
    }

    public func rowsSpooled(_ rows: Int, of id: TransferID) {
        state.withLock { $0.transfers[id]?.rowsSpooled += Int64(rows) }
    }

    public func rowsQuarantined(_ rows: Int, of id: TransferID) {
        state.withLock { $0.transfers[id]?.rowsQuarantined += Int64(rows) }
    }

    public func rowsLoaded(_ rows: Int, bytes: Int, of id: TransferID) {
        state.withLock { state in
            guard var transfer = state.transfers[id] else { return }
            // What is inserted again after a doubt was counted once already.
            let most = max(transfer.rowsExpected, transfer.rowsLoaded)
            transfer.rowsLoaded = min(transfer.rowsLoaded + Int64(rows), most)
            transfer.bytesLoaded += Int64(bytes)
            state.transfers[id] = transfer
            state.largestBatch[id] = max(state.largestBatch[id] ?? 0, Int64(rows))
        }
    }

    public func rowsFlushed(_ rows: Int, of id: TransferID) {
        state.withLock { state in
            guard var transfer = state.transfers[id] else { return }
            transfer.rowsFlushed += Int64(rows)
            // Rows of an earlier run that this one only settled were not counted as loaded.
            transfer.rowsLoaded = max(transfer.rowsLoaded, transfer.rowsFlushed)
            state.transfers[id] = transfer
        }
    }

    /// Rows that were read back and compared.
    public func rowsVerified(_ rows: Int, of id: TransferID) {
        state.withLock { $0.transfers[id]?.rowsVerified += Int64(rows) }
    }

    public func chunksFlushed(_ chunks: Int, of id: TransferID) {
        state.withLock { $0.transfers[id]?.chunksFlushed += Int64(chunks) }
    }

    public func spoolUse(_ usedBytes: Int64, limit: Int64) {
        state.withLock {
            $0.spoolUsedBytes = usedBytes
            $0.spoolLimitBytes = limit
        }
    }

    /// How full the memory between extract and spool is, 0…1.
    public func channelFill(_ fill: Double) {
        state.withLock { $0.channelFill = fill }
    }

    /// Something did not work and is waited for. Said again, the wait goes on, with the newer reason.
    /// - Parameter isRetry: false for a wait that is part of the protocol, such as a fence's.
    public func waiting(_ side: WaitingSide, because reason: String, isRetry: Bool = true) {
        let now = elapsed()
        state.withLock {
            $0.waits[side] = (reason, $0.waits[side]?.since ?? now)
            if isRetry { $0.retries += 1 }
        }
    }

    public func waitingEnded(_ side: WaitingSide) {
        state.withLock { $0.waits[side] = nil }
    }

    // MARK: What anybody may look at

    /// The counters now. Rates are not among them: a ``ProgressMeter`` adds those.
    public func snapshot() -> ProgressSnapshot {
        let now = elapsed()
        return state.withLock { state in
            let transfers = state.transfers.sorted { $0.key < $1.key }
            let waits = state.waits.map { side, wait in
                Wait(side: side, reason: wait.reason, seconds: (now - wait.since).inSeconds)
            }
            return ProgressSnapshot(
                job: job, elapsedSeconds: now.inSeconds, transfers: transfers.map(\.value),
                spoolUsedBytes: state.spoolUsedBytes, spoolLimitBytes: state.spoolLimitBytes,
                limitingStage: LimitingStage.judge(state.signs),
                waits: waits.sorted {
                    ($1.seconds, $0.side.rawValue) < ($0.seconds, $1.side.rawValue)
                },
                retries: state.retries)
        }
    }
}

extension ProgressBoard.State {
    fileprivate var signs: LimitingStage.Signs {
        var signs = LimitingStage.Signs()
        signs.waitingSides = Set(waits.keys)
        signs.phases = transfers.values.map(\.phase)
        let moving = transfers.filter { $0.value.phase == .moving }
        signs.isExtractionFinished = moving.allSatisfy { id, transfer in
            finishedExtracting.contains(id) || transfer.rowsRead >= transfer.rowsExpected
        }
        if spoolLimitBytes > 0 {
            signs.spoolFill = Double(spoolUsedBytes) / Double(spoolLimitBytes)
        }
        signs.channelFill = channelFill
        for (id, transfer) in moving {
            signs.restingRows += transfer.rowsSpooled - transfer.rowsLoaded
            signs.rowsInFlight += (largestBatch[id] ?? 0) * ProgressBoard.batchesInFlight
        }
        return signs
    }
}

extension Duration {
    /// For people and for JSON; not for arithmetic that must be exact.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
