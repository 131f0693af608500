import Foundation
import StopoverTesting
import Testing

/// `on_existing: replace`: the old collection until the new one is whole, then the new one.
@Suite("A collection that is replaced")
struct ReplaceTests {
    private func file(
        _ tool: Tool, _ source: RealServer, _ target: RealServer, _ more: String
    ) throws -> String {
        try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections: [{source: packages, target: moved.packages\(more)}]
            """)
    }

    @Test("stays whole until the other one is, and is gone then; never without being asked")
    func replace() async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let part = try await tool.run([
            "run", try file(tool, source, target, ", filter: 'id < 1000'"), "--job", "part",
        ])
        #expect(part.status == 0, "\(part)")
        let whole = try file(tool, source, target, "")
        let refused = try await tool.run(["run", whole, "--job", "whole"])
        #expect(
            refused.status == 2 && refused.errors.contains("STO-PLAN-TARGET-EXISTS"), "\(refused)")

        let replacing = try file(tool, source, target, ", on_existing: replace")
        let plan = try await tool.run(["plan", replacing])
        #expect(plan.status == 0 && plan.output.contains("STO-PLAN-REPLACES"), "\(plan)")
        let run = try await tool.run(["run", replacing, "--job", "replacing"])
        #expect(run.status == 0, "\(run)")
        let compared = try await tool.compare(
            source, ("default", "packages"), target, ("moved", "packages"), ["--by-partition"])
        #expect(compared.status == 0, "\(compared)")
        let left = try await tool.run(["inspect", target.uri])
        #expect(left.status == 0 && !left.output.contains("__stopover_"), "\(left)")
    }
}
