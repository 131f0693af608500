import ArgumentParser
import Foundation
import StopoverCore

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show where every transfer of a job stands, or all jobs.",
        discussion: "Reads the job's ledger; asks no cluster and disturbs no run.")

    /// Between two looks of `--watch`.
    static let watchInterval = Duration.seconds(2)

    @Argument(help: "The job; without it, every job.")
    var job: String?

    @Flag(help: "Look again every two seconds until the job ends.")
    var watch = false

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            while true {
                let names = job.map { [$0] } ?? JobDirectory.names(home: home.path)
                var statuses: [JobStatus] = []
                for name in names {
                    let directory = try JobDirectory(home: home.path, job: name)
                    if directory.exists { statuses.append(try await JobStatus(directory)) }
                }
                if let job, statuses.isEmpty { throw NoSuchJob(job, home: home.path).error }
                try console.result(
                    "status", StatusReport(jobs: statuses),
                    lines: JobStatus.lines(statuses, width: console.outputWidth))
                guard watch, statuses.contains(where: { !$0.isEnded }) else { return }
                try await Task.sleep(for: StatusCommand.watchInterval)
            }
        }
    }
}

struct NoSuchJob {
    let error: StopoverError

    init(_ job: String, home: String) {
        error = StopoverError(
            .noSuchJob, "there is no job \(job) in \(home)",
            remedy: "`stopover status` lists the jobs; `--home` names another place.")
    }
}

private struct StatusReport: Encodable {
    var jobs: [JobStatus]
}

/// A job as its ledger has it.
private struct JobStatus: Encodable {
    var job: String
    var transfers: [TransferProgress]
    var isRunning: Bool
    var isEnded: Bool { transfers.allSatisfy { [.published, .cancelled].contains($0.phase) } }

    init(_ directory: JobDirectory) async throws {
        job = directory.name
        isRunning = JobLock.isHeld(at: directory.lockPath)
        let ledger = try Ledger.open(at: directory.ledgerPath)
        transfers = []
        for transfer in try await ledger.transfers() {
            transfers.append(
                TransferProgress(transfer, totals: try await ledger.totals(of: transfer.id)))
        }
    }

    static func lines(_ statuses: [JobStatus], width: Int?) -> [String] {
        guard !statuses.isEmpty else { return ["no jobs"] }
        var table = TextTable([
            .init("job"), .init("process"), .init("source"), .init("target"), .init("phase"),
            .init("rows", .right), .init("read", .right), .init("loaded", .right),
            .init("flushed", .right),
        ])
        for status in statuses {
            for transfer in status.transfers {
                table.add([
                    status.job, status.isRunning ? "running" : "–", "\(transfer.source)",
                    "\(transfer.target)", transfer.phase.rawValue, "\(transfer.rowsExpected)",
                    "\(transfer.rowsRead)", "\(transfer.rowsLoaded)", "\(transfer.rowsFlushed)",
                ])
            }
        }
        return table.lines(width: width)
    }
}

extension StopoverError.Code {
    static let noSuchJob = Self("STO-JOB-UNKNOWN", exit: .usage)
}
