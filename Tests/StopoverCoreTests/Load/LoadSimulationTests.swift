import Foundation
import StopoverTesting
import Testing

/// The load protocol in a world that fails by a seed. A seed that fails is replayed by
/// `LoadSimulation.trace(seed:)`.
@Suite("The load, simulated")
struct LoadSimulationTests {
    /// Schedules of one run of each kind of keys. `STOPOVER_SEEDS` asks for more.
    private static let seeds: UInt64 =
        ProcessInfo.processInfo.environment["STOPOVER_SEEDS"].flatMap { UInt64($0) } ?? 200_000
    /// Schedules within which every mutant must have been found out.
    private static let mutantSeeds: UInt64 = 60_000

    @Test(
        "loses nothing, doubles nothing, and ends, whatever the seed",
        arguments: [LoadSimulation.Keys.kept, .made])
    func schedules(_ keys: LoadSimulation.Keys) async {
        run(Self.seeds, keys, .name)
    }

    /// The rungs that no real server here has: an Auto ID that takes keys, no RenameCollection.
    @Test(
        "loses nothing and doubles nothing where a target has less, or more",
        arguments: [
            (LoadSimulation.Keys.minted, LoadSimulation.Fence.name), (.kept, .time), (.made, .time),
        ])
    func rungs(_ keys: LoadSimulation.Keys, _ fence: LoadSimulation.Fence) async {
        run(Self.seeds / 5, keys, fence)
    }

    private func run(_ seeds: UInt64, _ keys: LoadSimulation.Keys, _ fence: LoadSimulation.Fence) {
        let start = UInt64.random(in: 0..<1 << 40)
        print(
            "The load, simulated, keys \(keys), fence \(fence): \(seeds) schedules from seed \(start)"
        )
        let bad = (start..<start + seeds).lazy
            .map { ($0, LoadSimulation.run(seed: $0, keys, fence: fence)) }.first { !$0.1.isGood }
        #expect(bad == nil, "seed \(String(describing: bad))")
    }

    @Test(
        "finds out every mutant of the protocol", arguments: LoadSimulation.Mutant.allCases,
        LoadSimulation.Keys.allCases)
    func mutants(_ mutant: LoadSimulation.Mutant, _ keys: LoadSimulation.Keys) {
        guard mutant.applies(to: keys) else { return }
        let found = (0..<Self.mutantSeeds).lazy
            .first { !LoadSimulation.run(seed: $0, keys, mutant: mutant).isGood }
        #expect(found != nil, "\(mutant) survives \(Self.mutantSeeds) schedules")
    }

    @Test("is the same for the same seed", arguments: LoadSimulation.Keys.allCases)
    func deterministic(_ keys: LoadSimulation.Keys) {
        for seed in UInt64(0)..<20 {
            #expect(
                LoadSimulation.trace(seed: seed, keys).1 == LoadSimulation.trace(seed: seed, keys).1
            )
        }
    }
}
