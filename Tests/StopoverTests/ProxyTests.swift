import Foundation
import StopoverCore
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

    /// Kills of a migration in a short case.
    private static let kills = 3
    /// Tells a run that hangs from one on a machine that is full of servers.
    private static let runLimit = Duration.seconds(300)
    /// From the last kill of a migration until the network heals, so that each ends.
    private static let weather = Duration.seconds(6)

    @Test(
        "loses nothing and doubles nothing", arguments: Side.allCases, Mapping.allCases)
    func faults(_ side: Side, _ mapping: Mapping) async throws {
        let seed = UInt64.random(in: 0..<1 << 40)
        var random = SeededRandom(seed: seed)
        let stage = try await Stage(side, mapping)
        try await stage.migration(1, kills: Self.kills, seed: seed, &random)
    }

    /// No request is ever in doubt: the job learns of it by the target's count alone.
    @Test("sweeps rows of the target's making that the network delivered twice behind our back")
    func twice() async throws {
        let stage = try await Stage(.target, .regenerate)
        let proxy = try FaultProxy(to: stage.target.port)
        let file = try stage.tool.migration(
            """
            source: {uri: "\(stage.source.uri)"}
            target: {uri: "\(proxy.uri)"}
            collections: [{source: packages, auto_id: regenerate}]
            limits: {page: 128KiB, read_rows_per_second: 2000, write_timeout_seconds: 10}
            """)
        let ended = try await deliveredTwice(file, by: stage.tool, proxy)
        #expect(ended.status == 0, "\(proxy.counts): \(ended)")
        let result = try stage.tool.result(of: "job")
        #expect((result.sweptRows ?? 0) > 0 && result.rewrittenRows == 0, "\(result)")
        let compared = try await stage.tool.compare(
            stage.source, ("default", "packages"), stage.target, ("default", "packages"),
            ["--by-partition"], autoID: "regenerate")
        #expect(compared.status == 0, "\(compared)")
    }

    /// A load can neither see nor sweep them, for they have the keys of its rows.
    @Test(
        "tells of copies that the network made behind our back of rows with keys of ours, for repair"
    )
    func copies() async throws {
        let tool = try Tool()
        let name = CollectionName(collection: "rows")
        let rows: Int64 = 6_000
        var from = MilvusTwin.Options()
        from.generated = [name: MilvusTwin.Generated(rows: rows)]
        try await MilvusTwin.with(from) { source in
            try await MilvusTwin.with { target in
                let proxy = try FaultProxy(to: target.endpoint.port)
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(proxy.uri)"}
                    limits: {page: 128KiB, read_rows_per_second: 2000}
                    """)
                let ended = try await deliveredTwice(file, by: tool, proxy)
                #expect(ended.status == 3, "\(proxy.counts): \(ended)")
                #expect(ended.output.contains("stopover repair"), "\(ended)")
                let repaired = try await tool.run(["repair", "job"])
                #expect(repaired.output.contains("it is repaired"), "\(repaired)")
                let published = try await tool.run(["run", file, "--job", "job"])
                #expect(published.status == 0, "\(published)")
                #expect(try target.tally(of: name) == MilvusTwin.expectedTally(rows: rows))
            }
        }
    }

    /// A run of `job` of which the network delivers an insert, and what came before it, once more.
    private func deliveredTwice(
        _ file: String, by tool: Tool, _ proxy: FaultProxy
    ) async throws -> Ended {
        let run = try tool.start(["run", file, "--job", "job"])
        try await tool.file("plan.json", of: "job", by: run)
        proxy.inflict(.deliverTwice(after: .milliseconds(50)), onRequestOf: 64 << 10)
        return try await run.ended(within: Self.runLimit)
    }

    /// Kills of the long case; `STOPOVER_KILLS` asks for more.
    private static let manyKills =
        ProcessInfo.processInfo.environment["STOPOVER_KILLS"].flatMap { Int($0) } ?? 100

    @Test("loses nothing and doubles nothing over many kills, with keys of the target's making")
    func kills() async throws {
        let seed = UInt64.random(in: 0..<1 << 40)
        var random = SeededRandom(seed: seed)
        let stage = try await Stage(.target, .regenerate)
        var (migrations, kills) = (0, 0)
        while kills < Self.manyKills {
            let next = min(Int.random(in: 5...15, using: &random), Self.manyKills - kills)
            kills += next
            migrations += 1
            try await stage.migration(migrations, kills: next, seed: seed, &random)
        }
        print("\(kills) kills in \(migrations) migrations over the proxy, seed \(seed)")
    }

    /// Two servers, and a proxy before one of them.
    private struct Stage {
        let side: Side
        let mapping: Mapping
        let tool: Tool
        let source: RealServer
        let target: RealServer

        init(_ side: Side, _ mapping: Mapping) async throws {
            self.side = side
            self.mapping = mapping
            tool = try Tool()
            source = try await SharedSource.packages.server()
            target = try await RealServer(.lite3)
        }

        func migration(
            _ number: Int, kills: Int, seed: UInt64, _ random: inout SeededRandom
        ) async throws {
            let proxy = try FaultProxy(to: side == .source ? source.port : target.port)
            let name = "\(side)\(number)"
            let file = try tool.migration(
                """
                source: {uri: "\(side == .source ? proxy.uri : source.uri)"}
                target: {uri: "\(side == .target ? proxy.uri : target.uri)"}
                collections: [{source: packages, target: \(name).packages, auto_id: \(mapping)}]
                limits: {page: 128KiB, write_timeout_seconds: 2}
                """, named: name + ".yaml")
            // The plan is not made over a failing network: it would be refused, rightly.
            var run = try tool.start(["run", file, "--job", name])
            try await tool.file("plan.json", of: name, by: run)
            proxy.follow(FaultScript(seed: random.next(), pauseSeconds: 0.05...1))
            for _ in 0..<kills {
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...2_500, using: &random)))
                run.signal(SIGKILL)
                _ = try await run.ended()
                run = try tool.start(["run", file, "--job", name])
            }
            try await finish(run, proxy, seed) { try tool.start(["run", file, "--job", name]) }
            let compared = try await tool.compare(
                source, ("default", "packages"), target, (name, "packages"), ["--by-partition"],
                autoID: mapping.rawValue)
            let counts = proxy.counts
            #expect(compared.status == 0, "seed \(seed), \(name), \(counts): \(compared)")
            #expect(counts.total > 0, "no fault met a connection")
        }

        /// The same command until it is done.
        private func finish(
            _ first: Running, _ proxy: FaultProxy, _ seed: UInt64, again: () throws -> Running
        ) async throws {
            var run = first
            let healing = Task {
                try await Task.sleep(for: ProxyTests.weather)
                proxy.calm()
            }
            defer { healing.cancel() }
            for attempt in 1...20 {
                let ended = try await run.ended(within: ProxyTests.runLimit)
                if ended.status == 0 { return }
                // What the tool asks for is the same command again. It does not wait for a cluster
                // that cannot be reached when it begins, so we do.
                #expect(ended.status == 1 && attempt < 20, "seed \(seed): \(ended)")
                try await Task.sleep(for: .seconds(1))
                run = try again()
            }
        }
    }
}
