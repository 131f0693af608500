import ArgumentParser
import Foundation
import StopoverCore

struct ErrorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors",
        abstract: "Show a job's error log: what, since when, and what to do.")

    @Argument(help: "The job.")
    var job: String

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { printer in
            let directory = try JobDirectory(home: home.path, job: job)
            guard FileManager.default.fileExists(atPath: directory.path) else {
                throw NoSuchJob(job, home: home.path).error
            }
            let entries = ErrorLog(directory).entries()
            if output.json {
                for entry in entries { try printer.json("error", entry.line) }
                return
            }
            if entries.isEmpty { printer.result(["no errors"]) }
            for entry in entries {
                let cause = entry.cause.map { " (\($0))" } ?? ""
                printer.result([
                    "\(entry.time.formatted(.iso8601))  \(entry.code)  \(entry.message)\(cause)",
                    "  → \(entry.remedy)",
                ])
            }
        }
    }
}

extension ErrorLog.Entry {
    /// The time of a JSON line is when it was printed; the entry's own has another name.
    fileprivate var line: ErrorEntryLine {
        ErrorEntryLine(
            since: time.formatted(.iso8601), code: code, message: message, remedy: remedy,
            cause: cause)
    }
}

private struct ErrorEntryLine: Encodable {
    var since: String
    var code: String
    var message: String
    var remedy: String
    var cause: String?
}
