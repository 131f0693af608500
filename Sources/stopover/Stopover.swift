import ArgumentParser
import StopoverCore

@main
enum Main {
    // On the first thread, before there is another: each would have a heap of its own by then.
    @MainActor static func main() async {
        Allocator.keepLargeBuffers()
        await Stopover.main()
    }
}

struct Stopover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stopover",
        abstract: "Moves collections from one Milvus or Zilliz Cloud cluster to another.",
        discussion: """
            Nothing lost, nothing doubled: every batch rests on local disk on the way, and the same \
            command again carries on where the last one was interrupted.

            Exit codes: 0 complete, 1 failed (run again to carry on), 2 refused by the plan, \
            3 finished with a mismatch, 4 job locked by another process, 64 usage, \
            130 interrupted (run again to carry on).
            """,
        version: ToolVersion.current,
        subcommands: [
            DemoCommand.self, InspectCommand.self, PlanCommand.self, RunCommand.self,
            StatusCommand.self, VerifyCommand.self, RepairCommand.self, LimitsCommand.self,
            ErrorsCommand.self, CancelCommand.self, BenchCommand.self, SchemaCommand.self,
        ])
}

enum ToolVersion {
    static let current = "0.1.0"
}
