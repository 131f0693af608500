import Foundation
import StopoverTesting
import Testing

/// Milvus 2.3.5 that takes so many bytes of inserts a second, and refuses what is more: few enough that
/// a slow machine sends more.
@Suite("A target with a rate limit")
struct RateLimitTests {
    @Test("is gone slowly on, with one reason in the log, and nothing is lost or doubled")
    func limited() async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(
            .standalone,
            [
                "--set", "quotaAndLimits.enabled=true", "--set", "quotaAndLimits.dml.enabled=true",
                "--set", "quotaAndLimits.dml.insertRate.max=0.5",
            ])
        let file = try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections:
              - source: packages
                fields: {homepage: drop, multi_arch: drop}
            limits: {page: 64KiB}
            """)
        let run = try await tool.run(["run", file, "--job", "slow"])
        #expect(run.status == 0, "\(run)")
        let compared = try await tool.compare(
            source, ("default", "packages"), target, ("default", "packages"),
            ["--drop-field", "homepage", "--drop-field", "multi_arch", "--by-partition"])
        #expect(compared.status == 0, "\(compared)")
        let log = try String(
            contentsOfFile: tool.scratch.path + "/home/jobs/slow/errors.jsonl", encoding: .utf8)
        let refusals = log.split(separator: "\n").filter { $0.contains("STO-CLUSTER-RATE-LIMITED") }
        #expect(!refusals.isEmpty)
    }
}
