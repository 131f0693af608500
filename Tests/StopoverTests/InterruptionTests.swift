import Foundation
import Testing

@Suite("An interrupted migration")
struct InterruptionTests {
    /// Small pages make many chunks of few rows, so that every moment of the pipeline is met.
    private func migration(_ source: RealServer, _ target: RealServer, _ name: String) -> String {
        """
        source: {uri: "\(source.uri)"}
        target: {uri: "\(target.uri)"}
        collections:
          - source: packages
            target: \(name).packages
        limits: {page: 128KiB, write_timeout: 2s}
        """
    }

    @Test("loses and doubles nothing over 50 kill -9 at random moments")
    func killed() async throws {
        let tool = try Tool()
        let source = try await RealServer(.lite3)
        let target = try await RealServer(.lite3)
        let (seeded, _) = try await Clone.fixture(
            "seed_packages.py", ["--uri", source.uri, "--collection", "packages"], in: tool.scratch)
        try #require(seeded.status == 0, "\(seeded)")
        let seed = UInt64.random(in: 0 ..< .max)
        var generator = Seeded(state: seed)
        var kills = 0
        var round = 0
        while kills < 50 {
            round += 1
            let name = "round\(round)"
            let file = try tool.migration(migration(source, target, name), named: "\(name).yaml")
            while true {
                let run = try tool.start(["run", file, "--job", name])
                let life = Duration.milliseconds(Int.random(in: 50...2500, using: &generator))
                try await Task.sleep(for: life)
                if kills < 50, run.isRunning {
                    run.signal(SIGKILL)
                    _ = try await run.ended()
                    kills += 1
                    continue
                }
                let ended = try await run.ended()
                #expect(ended.status == 0, "seed \(seed), kill \(kills): \(ended)")
                break
            }
            let (compared, _) = try await Clone.fixture(
                "compare.py",
                [
                    "--source", source.uri, "--source-db", "default", "--source-collection",
                    "packages", "--target", target.uri, "--target-db", name,
                    "--target-collection", "packages", "--by-partition",
                ], in: tool.scratch)
            #expect(compared.status == 0, "seed \(seed), round \(round): \(compared)")
            if compared.status != 0 { break }
        }
        print("kill -9: \(kills) kills in \(round) migrations, seed \(seed)")
    }

    @Test("stops at Ctrl-C with exit code 130 and carries on with the same command")
    func interrupted() async throws {
        let tool = try Tool()
        let source = try await RealServer(.lite3)
        let target = try await RealServer(.lite3)
        let (seeded, _) = try await Clone.fixture(
            "seed_packages.py", ["--uri", source.uri, "--collection", "packages"], in: tool.scratch)
        try #require(seeded.status == 0, "\(seeded)")
        let file = try tool.migration(migration(source, target, "stopped"))
        let run = try tool.start(["run", file])
        // Not before the process can take a signal.
        while run.isRunning, run.errors.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        run.signal(SIGINT)
        let first = try await run.ended()
        #expect(first.status == 130, "\(first)")
        let second = try await tool.run(["run", file])
        #expect(second.status == 0, "\(second)")
    }
}

/// Deterministic randomness; the seed is printed when a test fails.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
