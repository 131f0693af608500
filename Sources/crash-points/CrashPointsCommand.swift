import ArgumentParser
import StopoverTesting

/// A job that dies at every point of its disk and of its target, as a process: the long runs, and the
/// replay of a case that failed.
@main
struct CrashPointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crash-points",
        abstract: "Kill a job of 64 chunks at its points, one after the other or by seed.",
        subcommands: [Points.self, Pairs.self, Rollbacks.self, Replay.self])
}

extension CrashCase.Keys: ExpressibleByArgument {}
extension PlannedFault.Place: ExpressibleByArgument {}

extension CrashCampaign.Tally {
    /// Prints it, with the command that replays each bad case; throws where there is one.
    func report(_ what: String) throws {
        for (crash, outcome) in bad {
            print("BAD \(outcome.struck.joined(separator: ", ")): \(outcome.problems)")
            print("replay: crash-points replay \(crash.arguments)")
        }
        print("\(what): \(self)")
        guard bad.isEmpty else { throw ExitCode.failure }
    }
}

struct Points: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Every point of a place with every fault of that place.")

    @Argument(help: "Who makes the keys: kept or made.")
    var keys: CrashCase.Keys

    @Argument(help: "Whose points: disk or target.")
    var place: PlannedFault.Place

    @Option(help: "The first point.")
    var from = 0

    @Option(help: "Every so many points.")
    var stride = 1

    @Option(help: "Cases at once.")
    var width = 8

    func run() async throws {
        let campaign = try await CrashCampaign(keys, width: width)
        let points = try await campaign.points()[place] ?? 0
        let begun = ContinuousClock.now
        let tally = try await campaign.run(
            campaign.cases(place, points: points, stride: stride, from: from) { _ in
                place == .disk ? PointFault.ofDisk : PointFault.ofTarget(keys)
            })
        let seconds = Int((ContinuousClock.now - begun) / .seconds(1))
        try tally.report(
            "keys \(keys.rawValue), \(points) points of the \(place.rawValue), every \(stride), \(seconds) s"
        )
    }
}

/// Cases that follow from seeds.
struct Seeds: ParsableArguments {
    @Argument(help: "Who makes the keys: kept or made.")
    var keys: CrashCase.Keys

    @Option(help: "How many seeds.")
    var count: UInt64 = 1_000

    @Option(help: "The first seed.")
    var from: UInt64 = 0

    @Option(help: "Cases at once.")
    var width = 8

    func run(
        _ what: String,
        of make: @escaping (CrashCampaign, UInt64, [PlannedFault.Place: Int]) -> CrashCase
    ) async throws {
        let campaign = try await CrashCampaign(keys, width: width)
        let points = try await campaign.points()
        let tally = try await campaign.run(
            (from..<from + count).lazy.map { make(campaign, $0, points) })
        try tally.report("keys \(keys.rawValue), \(what) from seed \(from)")
    }
}

struct Pairs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Two faults by seed.")

    @OptionGroup var seeds: Seeds

    func run() async throws {
        try await seeds.run("pairs") { $0.pair($1, points: $2) }
    }
}

struct Rollbacks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A crash by seed, after which the volume is what it was at an earlier sync.")

    @OptionGroup var seeds: Seeds

    func run() async throws {
        try await seeds.run("rollbacks") { $0.rollback($1, points: $2) }
    }
}

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one case and print each of its calls.")

    @Argument(help: "Who makes the keys: kept or made.")
    var keys: CrashCase.Keys

    @Argument(help: "place:point:fault, a comma between faults of a life, a slash between lives.")
    var faults: String

    @Option(help: "The seed of the case.")
    var seed: UInt64 = 0

    @Option(help: "The sync of the ledger at which the volume goes back.")
    var rollback: Int?

    @Option(help: "How often: tasks of a job do not run in the same order twice.")
    var times = 1

    func run() async throws {
        guard let crash = CrashCase(keys, seed: seed, faults: faults, rollback: rollback) else {
            throw ValidationError("\(faults) are no faults: place:point:fault")
        }
        let job = try await CrashJob(keys)
        for _ in 0..<times {
            let outcome = try await job.run(crash, traces: true)
            if times > 1, outcome.isGood { continue }
            for line in outcome.trace { print(line) }
            print("struck \(outcome.struck)")
            print(
                "errors \(outcome.errors), end \(outcome.end.rawValue), problems \(outcome.problems)"
            )
            guard outcome.isGood else { throw ExitCode.failure }
        }
    }
}
