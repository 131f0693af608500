import ArgumentParser
import Foundation
import StopoverCore

/// How a command says what it found.
struct OutputOptions: ParsableArguments {
    @Flag(help: "One JSON object a line, each with a \"type\".")
    var json = false

    @Flag(name: .shortAndLong, help: "No progress, only results and errors.")
    var quiet = false

    /// Runs a command; an error becomes its lines on stderr and the exit status of its code.
    func reportingErrors(_ body: (Console) async throws -> Void) async throws {
        let console = Console(json: json, quiet: quiet)
        do {
            try await body(console)
        } catch let error as StopoverError {
            console.failure(error)
            throw ExitCode(error.code.exitStatus.rawValue)
        }
    }
}

/// Where jobs are.
struct HomeOptions: ParsableArguments {
    @Option(help: "Where jobs are kept (default: $STOPOVER_HOME, else ~/.local/state/stopover).")
    var home: String?

    var path: String {
        JobDirectory.home(option: home, environment: ProcessInfo.processInfo.environment)
    }
}
