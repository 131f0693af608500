import Foundation
import StopoverCore
import StopoverMilvus

/// One run of a job, from its directory to its result: the composition root of `run` and `demo`.
struct JobSession {
    let migration: Migration
    let directory: JobDirectory
    let console: Console
    let stop: StopSignal
    private let errors: ErrorLog

    init(
        _ migration: Migration, named name: String?, home: String, console: Console,
        stop: StopSignal = StopSignal()
    ) throws(StopoverError) {
        self.migration = migration
        directory = try JobDirectory(home: home, job: name ?? migration.defaultJobName)
        errors = ErrorLog(directory)
        self.console = console
        self.stop = stop
    }

    /// Carries the job on, or begins it. Throws what ends the run; a finished job returns its report.
    func run() async throws -> JobReport {
        let spoolPath =
            migration.limits.spoolDirectory.map { $0 + "/" + directory.name }
            ?? directory.spoolPath
        try directory.prepare(spool: spoolPath)
        let lock = try JobLock(at: directory.lockPath)
        defer { withExtendedLifetime(lock) {} }
        do {
            return try await Clusters.withClusters(of: migration) { source, target in
                try await run(source, target, spoolPath: spoolPath)
            }
        } catch let error as StopoverError {
            try? errors.append(error)
            throw error
        }
    }

    private func run(
        _ source: MilvusCluster, _ target: MilvusCluster, spoolPath: String
    ) async throws -> JobReport {
        let begun = ContinuousClock.now
        let (stored, ledger) =
            directory.exists ? try await carryOn() : try await begin(source, target)
        if let result = try JobResult.read(directory), result.isFinal {
            console.note("job \(directory.name) is finished already; this is its result")
            return report(result.transfers, seconds: 0, targetAddress: target.address)
        }
        let board = ProgressBoard(job: directory.name)
        let spoolBytes = migration.limits.spool.bytes
        let resting = try await ledger.restingChunks()
        try directory.noteSpool(spoolPath)
        try Spool.gather(resting, into: spoolPath, from: directory.spools())
        LiveLimits.forget(directory)
        let limits = EngineLimits(migration.limits)
        let spool = try Spool(
            directory: spoolPath, limitBytes: spoolBytes, memoryBytes: limits.spoolMemoryBytes,
            packing: limits.spoolPacking, seed: ledger.job.seed, resting: resting,
            report: { board.spoolUse($0, limit: spoolBytes) })
        try await board.begin(stored.plan, ledger)
        let engine = Engine(
            source: source, target: target, ledger: ledger, spool: spool,
            quarantine: try Quarantine(
                directory: directory.quarantinePath, records: try await ledger.quarantine()),
            board: board, errors: errors,
            limits: limits, stop: stop)
        let plan = stored.plan.updated(by: migration)
        let following = Task { await engine.followLimits(of: directory) }
        defer { following.cancel() }
        let results = try await ProgressPrinter.showing(board, on: console) {
            try await JobRunner(engine: engine, plan: plan, jobTag: ledger.job.tag).run()
        }
        try JobResult(transfers: results).write(directory)
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        return report(results, seconds: seconds, targetAddress: target.address)
    }

    private func report(
        _ results: [TransferResult], seconds: Double, targetAddress: String
    ) -> JobReport {
        JobReport(
            job: directory.name, results: results, elapsedSeconds: seconds,
            targetAddress: targetAddress, targetNeedsToken: migration.target.credentials != nil)
    }

    // MARK: Beginning and carrying on

    /// plan.json first, then the ledger with everything that was planned, in one transaction: a
    /// crash before its end leaves a job that has not begun.
    private func begin(
        _ source: MilvusCluster, _ target: MilvusCluster
    ) async throws -> (StoredPlan, Ledger) {
        let plan = try await Planner.plan(migration, source: source, target: target)
        guard plan.refusals.isEmpty else { throw RefusedPlan(plan).error }
        for finding in plan.allFindings { console.note("\(finding.subject): \(finding.message)") }
        let stored = StoredPlan(plan: plan, identity: migration.identity)
        try directory.write(try stored.encoded, to: directory.planPath)
        let unfinished = directory.ledgerPath + ".new"
        for suffix in ["", "-wal", "-shm"] { unlink(unfinished + suffix) }
        let job = JobIdentity(
            id: UUID(), name: directory.name, seed: UInt64.random(in: 0 ... .max),
            toolVersion: ToolVersion.current, fingerprint: plan.fingerprint)
        do {
            let ledger = try Ledger.create(at: unfinished, job: job)
            try await JobRunner.begin(plan, source: source, ledger: ledger)
            try await ledger.close()
        }
        try directory.rename(unfinished, to: directory.ledgerPath)
        return (stored, try Ledger.open(at: directory.ledgerPath))
    }

    private func carryOn() async throws -> (StoredPlan, Ledger) {
        let stored = try StoredPlan(directory)
        let ledger = try Ledger.open(at: directory.ledgerPath)
        let differences = MigrationIdentity.differences(
            from: stored.identity, to: migration.identity)
        guard differences.isEmpty, ledger.job.fingerprint == stored.plan.fingerprint else {
            throw StopoverError(
                .jobDiffers,
                "job \(directory.name) was begun with another migration:\n  "
                    + differences.joined(separator: "\n  "),
                remedy: "Change \(migration.file) back to carry on, or give the new migration "
                    + "another name with `--job`.")
        }
        if try await ledger.transfers().contains(where: { $0.phase == .cancelled }) {
            throw StopoverError(
                .jobCancelled, "job \(directory.name) was cancelled",
                remedy: "Begin it anew under another name: `stopover run \(migration.file) --job "
                    + "NAME`.")
        }
        return (stored, ledger)
    }
}

extension ProgressBoard {
    /// Puts every transfer on the board with what earlier runs moved.
    fileprivate func begin(_ plan: MigrationPlan, _ ledger: Ledger) async throws {
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

extension StopoverError.Code {
    static let jobDiffers = Self("STO-JOB-DIFFERS", exit: .refused)
    static let jobCancelled = Self("STO-JOB-CANCELLED", exit: .refused)
}
