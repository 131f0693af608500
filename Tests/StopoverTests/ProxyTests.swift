import Foundation
import StopoverTesting
import Testing

/// The real binary over a network that fails by a seed, killed now and then, until it is done.
@Suite("A migration over a failing network", .serialized)
struct ProxyTests {
    enum Mapping: String, CaseIterable, Sendable {
        case keep
        case regenerate
    }

    enum Side: String, CaseIterable, Sendable {
        case source
        case target
    }

    /// Migrations of one case, and kills of each. The long runs are Scripts/torture's.
    private static let rounds = 1
    private static let kills = 3
    private static let runLimit = Duration.seconds(120)

    @Test(
        "loses nothing and doubles nothing", arguments: Side.allCases, Mapping.allCases)
    func faults(_ side: Side, _ mapping: Mapping) async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let seed = UInt64.random(in: 0..<1 << 40)
        var random = SeededRandom(seed: seed)
        for round in 1...Self.rounds {
            let proxy = try FaultProxy(to: side == .source ? source.port : target.port)
            let name = "\(side)\(round)"
            let file = try tool.migration(
                """
                source: {uri: "\(side == .source ? proxy.uri : source.uri)"}
                target: {uri: "\(side == .target ? proxy.uri : target.uri)"}
                collections: [{source: packages, target: \(name).packages, auto_id: \(mapping)}]
                limits: {page: 128KiB, write_timeout_seconds: 2}
                """, named: name + ".yaml")
            // The plan is not made over a failing network: it would be refused, rightly.
            let planned = try tool.start(["run", file, "--job", name])
            try await tool.file("plan.json", of: name, by: planned)
            proxy.follow(
                FaultScript(seed: random.next(), pauseSeconds: 0.05...1))
            var run: Running? = planned
            for _ in 0..<Self.kills {
                let life = Int.random(in: 50...2_500, using: &random)
                try await Task.sleep(for: .milliseconds(life))
                run?.signal(SIGKILL)
                _ = try await run?.ended()
                run = try tool.start(["run", file, "--job", name])
            }
            try await finish(run, proxy, seed) { try tool.start(["run", file, "--job", name]) }
            let options = mapping == .regenerate ? ["--ignore-key"] : []
            let compared = try await tool.compare(
                source, ("default", "packages"), target, (name, "packages"),
                ["--by-partition"] + options)
            let counts = proxy.counts
            #expect(compared.status == 0, "seed \(seed), \(name), \(counts): \(compared)")
            #expect(counts.total > 0, "no fault met a connection")
            print("\(name): \(counts), seed \(seed)")
        }
    }

    /// The same command until it is done; the network heals in the end, so that each case does.
    private func finish(
        _ first: Running?, _ proxy: FaultProxy, _ seed: UInt64, again: () throws -> Running
    ) async throws {
        var run = first
        let healing = Task {
            try await Task.sleep(for: .seconds(8))
            proxy.calm()
        }
        defer { healing.cancel() }
        for attempt in 1...20 {
            guard let ended = try await run?.ended(within: Self.runLimit) else { return }
            if ended.status == 0 { return }
            // What the tool asks for is the same command again. It does not wait for a cluster
            // that cannot be reached when it begins, so we do.
            #expect(ended.status == 1 && attempt < 20, "seed \(seed): \(ended)")
            try await Task.sleep(for: .seconds(1))
            run = try again()
        }
    }
}
