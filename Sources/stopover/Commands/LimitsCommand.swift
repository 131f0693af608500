import ArgumentParser
import Foundation
import StopoverCore

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Change the limits of a job while it runs, or show what was changed.",
        discussion: """
            What is said here holds within a second, and until this run of the job ends; what holds for \
            every run is in the migration file. `none` takes a bound away.
            """)

    @Argument(help: "The job.")
    var job: String

    @Option(help: "Ranges of keys that are read at once, at most.")
    var cursors: Int?

    @Option(help: "Requests to the target at once, at most.")
    var workers: Int?

    @Option(help: "The source is not read faster than this.")
    var readRowsPerSecond: RateArgument?

    @Option(help: "The target is not written to faster than this, as 20MB.")
    var writeBytesPerSecond: RateArgument?

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        for (name, count) in [("cursors", cursors), ("workers", workers)] {
            guard let count, !(1...MigrationLimits.mostWorkers).contains(count) else { continue }
            throw ValidationError("--\(name) is 1 to \(MigrationLimits.mostWorkers)")
        }
        if let rate = writeBytesPerSecond?.perSecond, rate > 0,
            rate < MigrationLimits.leastWriteBytesPerSecond.bytes
        {
            throw ValidationError(
                "--write-bytes-per-second is \(MigrationLimits.leastWriteBytesPerSecond) or more")
        }
    }

    func run() async throws {
        try await output.reportingErrors { console in
            let directory = try JobDirectory(home: home.path, job: job)
            guard directory.exists else { throw NoSuchJob(job, home: home.path).error }
            guard JobLock.isHeld(at: directory.lockPath) else {
                throw StopoverError(
                    .jobNotRunning, "job \(job) is not running",
                    remedy: "Write the limits into the migration file: every run obeys them.")
            }
            var change = LiveLimits()
            change.cursors = cursors
            change.workers = workers
            change.readRowsPerSecond = readRowsPerSecond?.perSecond
            change.writeBytesPerSecond = writeBytesPerSecond?.perSecond
            let limits = try LiveLimits.read(directory).changed(by: change)
            if change != LiveLimits() { try limits.write(directory) }
            try console.result("limits", limits, lines: LimitsCommand.lines(limits))
        }
    }

    private static func lines(_ limits: LiveLimits) -> [String] {
        func rate(_ perSecond: Int64?) -> String? { perSecond.map { $0 == 0 ? "none" : "\($0)" } }
        let said: [(String, String?)] = [
            ("cursors", limits.cursors.map(String.init)),
            ("workers", limits.workers.map(String.init)),
            ("read rows per second", rate(limits.readRowsPerSecond)),
            ("write bytes per second", rate(limits.writeBytesPerSecond)),
        ]
        let lines = said.compactMap { name, value in value.map { "\(name): \($0)" } }
        return lines.isEmpty ? ["as the migration has them"] : lines
    }
}

/// A number, a size, or `none`.
struct RateArgument: ExpressibleByArgument {
    /// 0 is no bound.
    var perSecond: Int64

    init?(argument: String) {
        if argument == "none" {
            perSecond = 0
        } else if let count = Int64(argument), count > 0 {
            perSecond = count
        } else if let size = ByteCount(argument), size.bytes > 0 {
            perSecond = size.bytes
        } else {
            return nil
        }
    }
}

extension StopoverError.Code {
    static let jobNotRunning = Self("STO-JOB-NOT-RUNNING", exit: .usage)
}
