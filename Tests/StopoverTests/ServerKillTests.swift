import Foundation
import StopoverTesting
import Testing

/// The target dies under load, again and again, and forgets what it had not flushed.
@Suite("A target that is killed under load")
struct ServerKillTests {
    private static let kills = 10
    /// On a machine that is full of servers kills may all come before the first row is acknowledged. So each
    /// comes later than the one before, and there are more until one met a row.
    private static let mostKills = 40

    @Test("costs no row and doubles none, whoever makes the keys")
    func kills() async throws {
        let seed = UInt64.random(in: 0..<1 << 40)
        var random = SeededRandom(seed: seed)
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        var (kills, migrations, rewritten, lost) = (0, 0, 0, 0)
        var isEnough: Bool { kills >= (rewritten > 0 ? Self.kills : Self.mostKills) }
        while !isEnough {
            migrations += 1
            let name = "m\(migrations)"
            let autoID = migrations % 2 == 0 ? "keep" : "regenerate"
            let file = try tool.migration(
                """
                source: {uri: "\(source.uri)"}
                target: {uri: "\(target.uri)"}
                collections: [{source: packages, target: \(name).packages, auto_id: \(autoID)}]
                limits: {page: 128KiB, write_timeout_seconds: 1}
                """, named: name + ".yaml")
            var run = try tool.start(["run", file, "--job", name])
            try await tool.file("plan.json", of: name, by: run)
            for attempt in 1...20 {
                if !isEnough, attempt <= Self.kills, run.isRunning {
                    try await Task.sleep(
                        for: .milliseconds(
                            Int.random(in: 50...1_200 + 200 * kills, using: &random)))
                    try await target.control("kill")
                    kills += 1
                    try await Task.sleep(
                        for: .milliseconds(Int.random(in: 0...800, using: &random)))
                    try await target.control("restart")
                    // Some restarts are met by the run that saw the loss, some by the next one.
                    if run.isRunning, Bool.random(using: &random) { continue }
                }
                let ended = try await run.ended()
                if ended.status == 0 { break }
                try #require(ended.status == 1 && attempt < 20, "seed \(seed): \(ended)")
                run = try tool.start(["run", file, "--job", name])
            }
            let ended = try await run.ended()
            try #require(ended.status == 0, "seed \(seed): \(ended)")
            let compared = try await tool.compare(
                source, ("default", "packages"), target, (name, "packages"), ["--by-partition"],
                autoID: autoID)
            #expect(compared.status == 0, "seed \(seed), \(name): \(compared)")
            let result = try tool.result(of: name)
            rewritten += result.rewrittenRows ?? 0
            lost += result.lostRows ?? 0
        }
        print(
            "\(kills) kills of the target in \(migrations) migrations, seed \(seed): \(rewritten) "
                + "acknowledged rows were in doubt and written again, \(lost) of them were seen to be lost"
        )
        #expect(rewritten > 0, "no kill met an acknowledged row: seed \(seed)")
    }
}
