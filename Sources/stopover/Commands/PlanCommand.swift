import ArgumentParser
import StopoverCore

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what would happen and what cannot; touches nothing.")

    @Argument(help: "The migration file.")
    var file: String

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let migration = try Migration(contentsOf: file)
            let plan = try await Clusters.withClusters(of: migration) { source, target in
                try await Planner.plan(
                    migration, source: source, target: target,
                    freeDiskBytes: FreeDisk.bytes(
                        at: migration.limits.spoolDirectory ?? home.path), probes: true)
            }
            try console.result(
                "plan", plan.withoutEncodedSchemas,
                lines: PlanReport(plan).lines(width: console.outputWidth))
            if !plan.refusals.isEmpty { throw RefusedPlan(plan).error }
        }
    }
}
