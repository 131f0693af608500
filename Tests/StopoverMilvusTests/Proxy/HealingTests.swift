import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

/// What a client owes after any trouble: once the network is well, calls go through again.
@Suite("A client over a failing network", .serialized)
struct HealingTests {
    /// Storms, each of other faults.
    private static let storms = 6
    private static let stormLength = Duration.seconds(4)
    /// From the end of a storm until a call goes through: the longest silence of a fault under way,
    /// our longest pause between two tries to connect, and a connection that nobody answers.
    private static let patience = Duration.seconds(25)

    @Test("is answered again when the network is well, whatever it went through")
    func heals() async throws {
        let seed = UInt64.random(in: 0..<1 << 40)
        var random = SeededRandom(seed: seed)
        try await ProxiedServer.with { (stage) async throws -> Void in
            for storm in 1...Self.storms {
                stage.proxy.follow(FaultScript(seed: random.next(), pauseSeconds: 0.01...0.4))
                try await weather(stage)
                stage.proxy.calm()
                let calm = ContinuousClock.now
                while true {
                    do {
                        _ = try await stage.cluster.databases()
                        break
                    } catch let error as StopoverError {
                        try #require(
                            ContinuousClock.now - calm < Self.patience,
                            "seed \(seed), storm \(storm), \(stage.proxy.counts): \(error)")
                        try await Task.sleep(for: .milliseconds(200))
                    }
                }
            }
            #expect(stage.proxy.counts.total > Self.storms, "no faults met a connection")
        }
    }

    /// Calls of several kinds at once, for as long as the storm lasts; how they end is all the same.
    private func weather(_ stage: ProxiedServer) async throws {
        let end = ContinuousClock.now + Self.stormLength
        try await withThrowingTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    while .now < end {
                        _ = try await stage.write(0..<300)
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
            }
            group.addTask {
                while .now < end {
                    _ = try? await stage.cluster.databases()
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            try await group.waitForAll()
        }
    }
}
