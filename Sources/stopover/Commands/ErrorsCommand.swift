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
        try await output.reportingErrors { console in
            let directory = try JobDirectory(home: home.path, job: job)
            guard FileManager.default.fileExists(atPath: directory.path) else {
                throw NoSuchJob(job, home: home.path).error
            }
            let entries = ErrorLog(directory).entries()
            try console.result(
                "errors", ErrorReport(errors: entries.map(\.line)),
                lines: entries.isEmpty ? ["no errors"] : entries.flatMap(\.lines))
        }
    }
}

private struct ErrorReport: Encodable {
    var errors: [ErrorEntryLine]
}

extension ErrorLog.Entry {
    fileprivate var lines: [String] {
        [
            "\(time.formatted(.iso8601))  \(code)  \(message)" + (cause.map { " (\($0))" } ?? ""),
            wasWaitedFor == true
                ? "  → it was waited for, and tried again; if it does not pass: \(remedy)"
                : "  → \(remedy)",
        ]
    }

    /// The time of a JSON line is when it was printed; the entry's own has another name.
    fileprivate var line: ErrorEntryLine {
        ErrorEntryLine(
            since: time.formatted(.iso8601), code: code, message: message, remedy: remedy,
            cause: cause, wasWaitedFor: wasWaitedFor)
    }
}

private struct ErrorEntryLine: Encodable {
    var since: String
    var code: String
    var message: String
    var remedy: String
    var cause: String?
    var wasWaitedFor: Bool?
}
