import StopoverCore
import StopoverMilvus

/// What the stages of a job's run, its verification and its repair share.
struct JobEngine {
    let engine: Engine
    let board: ProgressBoard
    /// As it was accepted.
    let plan: MigrationPlan

    /// Opens the spool, and puts what earlier runs moved on the board.
    init(
        _ source: MilvusCluster, _ target: MilvusCluster, _ directory: JobDirectory,
        _ plan: MigrationPlan, _ ledger: Ledger, limits: MigrationLimits, errors: ErrorLog,
        stop: StopSignal
    ) async throws {
        self.plan = plan
        board = ProgressBoard(job: directory.name)
        let spoolPath = limits.spoolPath(of: directory)
        let resting = try await ledger.restingChunks()
        try directory.noteSpool(spoolPath)
        try Spool.gather(resting, into: spoolPath, from: directory.spools())
        let engineLimits = EngineLimits(limits)
        let spool = try Spool(
            directory: spoolPath, limitBytes: limits.spool.bytes,
            memoryBytes: engineLimits.spoolMemoryBytes, packing: engineLimits.spoolPacking,
            seed: ledger.job.seed, resting: resting,
            report: { [board] in board.spoolUse($0, limit: limits.spool.bytes) })
        try await board.begin(ledger)
        engine = Engine(
            source: source, target: target, ledger: ledger, spool: spool,
            quarantine: try Quarantine(
                directory: directory.quarantinePath, records: try await ledger.quarantine()),
            board: board, errors: errors, limits: engineLimits, stop: stop)
    }

    /// Runs `body` with progress shown and kept, and limits that follow `stopover limits`.
    func running<Value: Sendable>(
        of directory: JobDirectory, on console: Console, _ body: () async throws -> Value
    ) async throws -> Value {
        let following = Task { await engine.followLimits(of: directory) }
        defer { following.cancel() }
        let log = ThroughputLog(directory, board)
        let logging = Task { await log.run() }
        do {
            let value = try await ProgressPrinter.showing(board, on: console, body)
            logging.cancel()
            await logging.value
            return value
        } catch {
            logging.cancel()
            await logging.value
            throw error
        }
    }
}

extension MigrationLimits {
    func spoolPath(of directory: JobDirectory) -> String {
        spoolDirectory.map { $0 + "/" + directory.name } ?? directory.spoolPath
    }
}

extension ProgressBoard {
    /// Puts every transfer on the board with what earlier runs moved.
    fileprivate func begin(_ ledger: Ledger) async throws {
        for transfer in try await ledger.transfers() {
            begin(
                transfer.id,
                TransferProgress(transfer, totals: try await ledger.totals(of: transfer.id)))
        }
    }
}

extension TransferProgress {
    init(_ transfer: TransferRecord, totals: Ledger.Totals) {
        self.init(
            source: transfer.source, target: transfer.target, phase: transfer.phase,
            rowsExpected: transfer.sourceRows)
        rowsRead = totals.rows + totals.quarantinedRows
        rowsQuarantined = totals.quarantinedRows
        rowsSpooled = totals.rows
        rowsLoaded = totals.ackedRows
        rowsFlushed = totals.flushedRows
        chunksFlushed = totals.flushedChunks
    }
}

extension EngineLimits {
    init(_ limits: MigrationLimits) {
        self.init()
        if let cursors = limits.cursors { self.cursors = cursors }
        if let workers = limits.workers { insertRequests = workers }
        if let page = limits.page { pageBytes = Int(page.bytes) }
        spoolBytes = limits.spool.bytes
        spoolPacking = limits.spoolPacking
        readRowsPerSecond = limits.readRowsPerSecond
        writeBytesPerSecond = limits.writeBytesPerSecond?.bytes
        drain = limits.writeTimeout + EngineLimits.drainMargin
        fit(memoryBytes: limits.memory.bytes)
    }
}
