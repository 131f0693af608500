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

    @OptionGroup var options: EndedJobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let directory: JobDirectory
            if VerifyCommand.isReceipt(subject) {
                directory = try await ReceiptImport.job(from: subject, home: options.home.path)
                console.note("the receipt is as it was written; it is job \(directory.name) here")
            } else {
                directory = try JobDirectory(home: options.home.path, job: subject)
            }
            try await EndedJob(directory, options, console: console)
                .runAsCommand { try await $0.verify(level) }
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

    @Flag(help: "Delete rows that the migration did not send, from a published collection, too.")
    var deleteExtra = false

    @OptionGroup var options: EndedJobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let directory = try JobDirectory(home: options.home.path, job: job)
            try await EndedJob(directory, options, console: console)
                .runAsCommand { try await $0.repair(deletesExtra: deleteExtra) }
        }
    }
}

extension Migration.Verification: ExpressibleByArgument {}
