import ArgumentParser
import StopoverCore

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Check a finished job again: of its own ledger, or of its receipt on any machine.",
        discussion: """
            Reads the target, and the source where something differs or where the level is `full`; \
            changes neither. Interrupted, the same command carries on. What differs is listed row by row \
            under `mismatches/` in the job's directory; exit code 3 says that something does.

            A receipt is checked against its seal before a cluster is asked; one that was changed by a \
            byte is refused.
            """)

    @Argument(help: "The job, or the path of a receipt.json.")
    var subject: String

    @Option(
        help: """
            counts: rows are counted. sample: some rows of every chunk are compared. digest: all rows \
            are. full: all rows are, and read from the source once more.
            """)
    var level: Migration.Verification = .digest

    @Option(
        help: "The migration file, for credentials and limits; not needed where none are asked for."
    )
    var file: String?

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let directory: JobDirectory
            if VerifyCommand.isReceipt(subject) {
                directory = try await ReceiptImport.job(from: subject, home: home.path)
                console.note("the receipt is as it was written; it is job \(directory.name) here")
            } else {
                directory = try JobDirectory(home: home.path, job: subject)
            }
            try await EndedJob(directory, file: file, home: home.path, console: console)
                .run { try await $0.verify(level) }
        }
    }

    /// Names of jobs have neither dots nor slashes.
    private static func isReceipt(_ subject: String) -> Bool {
        subject.contains("/") || subject.hasSuffix(".json")
    }
}

struct RepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Send again what the last verification found wrong, and verify that.",
        discussion: """
            Rows come from the source as they were at the beginning of the migration. Rows that the \
            migration did not send are left where they are: they may be newer than it.
            """)

    @Argument(help: "The job.")
    var job: String

    @Flag(help: "Delete rows that the migration did not send, too.")
    var deleteExtra = false

    @Option(
        help: "The migration file, for credentials and limits; not needed where none are asked for."
    )
    var file: String?

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let directory = try JobDirectory(home: home.path, job: job)
            try await EndedJob(directory, file: file, home: home.path, console: console)
                .run { try await $0.repair(deletesExtra: deleteExtra) }
        }
    }
}

extension Migration.Verification: ExpressibleByArgument {}

/// A job that has ended, taken up once more.
private struct EndedJob {
    let directory: JobDirectory
    let file: String?
    let console: Console
    let stop = StopSignal()

    init(_ directory: JobDirectory, file: String?, home: String, console: Console) throws {
        guard directory.exists else { throw NoSuchJob(directory.name, home: home).error }
        self.directory = directory
        self.file = file
        self.console = console
    }

    func run(_ body: (JobVerifier) async throws -> [TransferResult]) async throws {
        let begun = ContinuousClock.now
        let signals = Signals(stop) { console.note($0) }
        defer { withExtendedLifetime(signals) {} }
        let lock = try JobLock(at: directory.lockPath)
        defer { withExtendedLifetime(lock) {} }
        let stored = try StoredPlan(directory)
        let migration = try migration(of: stored)
        let ledger = try Ledger.open(at: directory.ledgerPath)
        var report = try await Clusters.withClusters(of: migration) { source, target in
            let job = try await JobEngine(
                source, target, directory, stored.plan, ledger, limits: migration.limits,
                errors: ErrorLog(directory), stop: stop)
            let results = try await job.running(of: directory, on: console) {
                try await body(
                    JobVerifier(engine: job.engine, plan: stored.plan, jobTag: ledger.job.tag))
            }
            return JobReport(
                job: directory.name, results: results,
                elapsedSeconds: (ContinuousClock.now - begun) / .seconds(1),
                targetAddress: target.address,
                targetNeedsToken: migration.target.credentials != nil)
        }
        report.evidence = try await JobEvidence.write(report.results, directory, ledger)
        try console.result(report)
        let status = report.verdict.exitStatus
        if status != .complete { throw ExitCode(status.rawValue) }
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
