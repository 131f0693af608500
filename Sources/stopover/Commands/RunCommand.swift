import ArgumentParser
import StopoverCore

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Carry a migration out; the same command again carries on.",
        discussion: """
            Ctrl-C is safe: requests under way are ended, and the same command goes on from there. \
            So does the same command after a crash or a power cut.
            """)

    @Argument(help: "The migration file.")
    var file: String

    @Option(help: "The job's name (default: the file's name and 8 digits of its fingerprint).")
    var job: String?

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let session = try JobSession(
                try Migration(contentsOf: file), named: job, home: home.path, console: console)
            let signals = Signals(session.stop) { console.note($0) }
            defer { withExtendedLifetime(signals) {} }
            let report = try await session.run()
            try console.result(report)
            let status = report.verdict.exitStatus
            if status != .complete { throw ExitCode(status.rawValue) }
        }
    }
}
