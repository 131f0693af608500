import ArgumentParser
import Foundation
import StopoverCore
import StopoverMilvus

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

    @OptionGroup var job: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { printer in
            let migration = try Migration.load(file)
            let status = try await JobSession.run(
                migration, named: job.name, home: try job.home(), printer: printer)
            if status != .complete { throw ExitCode(status.rawValue) }
        }
    }
}
