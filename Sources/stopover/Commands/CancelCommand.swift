import ArgumentParser
import Foundation
import StopoverCore

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Stop a job for good; list or drop what it left on the target.",
        discussion: """
            Collections that are published stay. A collection that is not complete carries a name \
            with `__stopover_`; it is listed, and dropped with --drop. Rows that were added to a \
            collection (`on_existing: append`) stay.
            """)

    @Argument(help: "The job.")
    var job: String

    @Flag(help: "Drop the incomplete collections from the target.")
    var drop = false

    @Option(
        help: """
            The migration file, for the target's credentials; not needed where the target asks for \
            none.
            """)
    var file: String?

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let directory = try JobDirectory(home: home.path, job: job)
            guard directory.exists else { throw NoSuchJob(job, home: home.path).error }
            let lock = try JobLock(at: directory.lockPath)
            defer { withExtendedLifetime(lock) {} }
            let stored = try StoredPlan(directory)
            let ledger = try Ledger.open(at: directory.ledgerPath)
            let open = try await ledger.transfers().filter { $0.phase != .published }
            let endpoint =
                try file.map { try Migration(contentsOf: $0).target }
                ?? Endpoint(argument: stored.plan.target.address, token: nil)
            let plan = stored.plan
            let left = try await Clusters.withCluster(endpoint) { target in
                var left: [CollectionName] = []
                for transfer in open {
                    let staging = StagingName(plan[transfer.id], jobTag: ledger.job.tag)
                    // A run that ended between the two renames of `on_existing: replace`.
                    if try await target.describe(staging.replaced) != nil,
                        try await target.describe(transfer.target) == nil
                    {
                        try await target.rename(staging.replaced, to: transfer.target)
                    }
                    var names = try await staging.generations(on: target)
                    if plan[transfer.id].lacksRename, transfer.phase != .planned,
                        try await target.describe(transfer.target) != nil
                    {
                        names = [transfer.target]
                    }
                    for name in names {
                        if drop { try await target.drop(name) }
                        left.append(name)
                    }
                }
                return left
            }
            try await ledger.commit(open.map { .transferPhase($0.id, .cancelled) })
            for spool in directory.spools() { try Spool.clear(directory: spool) }
            let added = open.filter { transfer in
                transfer.phase != .planned && plan[transfer.id].appends
            }.map(\.target)
            let verb = drop ? "dropped" : "left on the target"
            try console.result(
                "cancelled", CancelReport(job: job, dropped: drop, collections: left, added: added),
                lines: left.map { "\(verb): \($0)" }
                    + added.map { "rows that were added to \($0) so far stay there" }
                    + ["job \(job) is cancelled"])
        }
    }
}

private struct CancelReport: Encodable {
    var job: String
    var dropped: Bool
    var collections: [CollectionName]
    /// Collections of the user's that rows were added to.
    var added: [CollectionName]
}
