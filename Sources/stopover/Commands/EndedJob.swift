import ArgumentParser
import StopoverCore

/// Which job, and how its clusters are reached.
struct EndedJobOptions: ParsableArguments {
    @Option(
        help: "The migration file, for credentials and limits; not needed where none are asked for."
    )
    var file: String?

    @OptionGroup var home: HomeOptions
}

/// A job that has ended, taken up once more.
struct EndedJob {
    let directory: JobDirectory
    let file: String?
    let console: Console
    let stop: StopSignal

    /// - Parameter file: for credentials and limits; nil where the addresses of the plan are enough.
    init(
        _ directory: JobDirectory, file: String?, home: String, console: Console,
        stop: StopSignal = StopSignal()
    ) throws {
        guard directory.exists else { throw NoSuchJob(directory.name, home: home).error }
        self.directory = directory
        self.file = file
        self.console = console
        self.stop = stop
    }

    /// Prints what came of it, and ends the process with its exit code.
    func runAsCommand(_ body: (JobVerifier) async throws -> [TransferResult]) async throws {
        let signals = Signals(stop) { console.note($0) }
        defer { withExtendedLifetime(signals) {} }
        let report = try await run(body)
        try console.result(report)
        let status = report.verdict.exitStatus
        if status != .complete { throw ExitCode(status.rawValue) }
    }

    init(_ directory: JobDirectory, _ options: EndedJobOptions, console: Console) throws {
        try self.init(directory, file: options.file, home: options.home.path, console: console)
    }

    func run(_ body: (JobVerifier) async throws -> [TransferResult]) async throws -> JobReport {
        let lock = try JobLock(at: directory.lockPath)
        defer { withExtendedLifetime(lock) {} }
        let errors = ErrorLog(directory)
        do {
            return try await report(errors, body)
        } catch let error as StopoverError {
            try? errors.append(error)
            throw error
        }
    }

    private func report(
        _ errors: ErrorLog, _ body: (JobVerifier) async throws -> [TransferResult]
    ) async throws -> JobReport {
        let begun = ContinuousClock.now
        let stored = try StoredPlan(directory)
        let migration = try migration(of: stored)
        try directory.prepare(spool: migration.limits.spoolPath(of: directory))
        let ledger = try Ledger.open(at: directory.ledgerPath)
        var report = try await Clusters.withClusters(of: migration) { source, target in
            let job = try await JobEngine(
                source, target, directory, stored.plan, ledger, limits: migration.limits,
                errors: errors, stop: stop)
            let results = try await job.running(of: directory, on: console) {
                try await body(JobVerifier(engine: job.engine, plan: stored.plan))
            }
            return JobReport(
                job: directory.name, results: results,
                elapsedSeconds: (ContinuousClock.now - begun) / .seconds(1),
                targetAddress: target.address,
                targetNeedsToken: migration.target.credentials != nil)
        }
        report.evidence = try await JobEvidence.write(report.results, directory, ledger)
        return report
    }

    /// The user's file, or the addresses of the plan alone.
    private func migration(of stored: StoredPlan) throws -> Migration {
        if let file {
            let migration = try Migration(contentsOf: file)
            for (side, planned, given) in [
                ("source", stored.plan.source.address, "\(migration.source.address)"),
                ("target", stored.plan.target.address, "\(migration.target.address)"),
            ] where planned != given {
                throw StopoverError(
                    .jobDiffers, "\(file) names the \(side) \(given), and the job's is \(planned)",
                    remedy: "Give the file that the job was run with.")
            }
            return migration
        }
        return Migration(
            file: "", source: try Endpoint(argument: stored.plan.source.address, token: nil),
            target: try Endpoint(argument: stored.plan.target.address, token: nil))
    }
}
