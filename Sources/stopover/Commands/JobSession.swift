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
        try directory.prepare(spool: migration.limits.spoolPath(of: directory))
        let lock = try JobLock(at: directory.lockPath)
        defer { withExtendedLifetime(lock) {} }
        do {
            return try await Clusters.withClusters(of: migration) { source, target in
                try await run(source, target)
            }
        } catch let error as StopoverError {
            try? errors.append(error)
            throw error
        }
    }

    private func run(_ source: MilvusCluster, _ target: MilvusCluster) async throws -> JobReport {
        let begun = ContinuousClock.now
        let (stored, ledger) =
            directory.exists ? try await carryOn() : try await begin(source, target)
        if let result = try JobResult.read(directory), result.isFinal {
            console.note("job \(directory.name) is finished already; this is its result")
            return report(result.transfers, seconds: 0, targetAddress: target.address)
        }
        LiveLimits.forget(directory)
        let job = try await JobEngine(
            source, target, directory, stored.plan, ledger, limits: migration.limits,
            errors: errors, stop: stop)
        let results = try await job.running(of: directory, on: console) {
            try await JobRunner(
                engine: job.engine, plan: stored.plan.updated(by: migration),
                jobTag: ledger.job.tag, verification: migration.verification
            ).run()
        }
        var report = report(
            results, seconds: (ContinuousClock.now - begun) / .seconds(1),
            targetAddress: target.address)
        report.evidence = try await JobEvidence.write(results, directory, ledger)
        return report
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

extension StopoverError.Code {
    static let jobDiffers = Self("STO-JOB-DIFFERS", exit: .refused)
    static let jobCancelled = Self("STO-JOB-CANCELLED", exit: .refused)
}
