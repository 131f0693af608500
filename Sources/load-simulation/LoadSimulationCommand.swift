import ArgumentParser
import StopoverTesting

/// The load protocol in a world that fails by a seed, as a process: the long runs, and the replay of
/// a seed that failed.
@main
struct LoadSimulationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load-simulation",
        abstract: "Run seeded schedules of the load protocol, or replay one.",
        subcommands: [Run.self, Replay.self])
}

extension LoadSimulation.Keys: ExpressibleByArgument {}
extension LoadSimulation.Fence: ExpressibleByArgument {}
extension LoadSimulation.Mutant: ExpressibleByArgument {}

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run schedules; the first bad one ends it, with the command that replays it.")

    @Argument(help: "Who makes the keys: kept or made.")
    var keys: LoadSimulation.Keys

    @Option(help: "What keeps a late request out: name or time.")
    var fence = LoadSimulation.Fence.name

    @Option(help: "How many schedules.")
    var count: UInt64 = 200_000

    @Option(help: "The first seed.")
    var from: UInt64 = 0

    func run() throws {
        let begun = ContinuousClock.now
        for seed in from..<from + count {
            let outcome = LoadSimulation.run(seed: seed, keys, fence: fence)
            guard outcome.isGood else {
                print("BAD \(outcome)")
                print(
                    "replay: load-simulation replay \(keys.rawValue) \(seed) --fence \(fence.rawValue)"
                )
                throw ExitCode.failure
            }
        }
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        print(
            "\(count) schedules from seed \(from), keys \(keys.rawValue), "
                + "fence \(fence.rawValue): 0 lost, 0 doubled, 0 stuck; "
                + "\(Int(Double(count) / seconds)) a second")
    }
}

struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one seed and print what happens, a line each.")

    @Argument(help: "Who makes the keys: kept or made.")
    var keys: LoadSimulation.Keys

    @Argument(help: "The seed.")
    var seed: UInt64

    @Option(help: "What keeps a late request out: name or time.")
    var fence = LoadSimulation.Fence.name

    @Option(help: "A fault of the protocol to put in.")
    var mutant: LoadSimulation.Mutant?

    func run() throws {
        let (outcome, lines) = LoadSimulation.trace(seed: seed, keys, fence: fence, mutant: mutant)
        for line in lines { print(line) }
        print(outcome)
        guard outcome.isGood else { throw ExitCode.failure }
    }
}
