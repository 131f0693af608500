import Foundation
import StopoverTesting
import Testing

/// `on_existing: append`: rows beside those that are there, in a collection that stays the user's.
@Suite("A collection that is added to")
struct AppendTests {
    /// migration.yaml of the source's packages that match, into `moved.packages`.
    private func file(
        _ tool: Tool, _ source: RealServer, _ target: RealServer, _ name: String,
        where filter: String, _ more: String
    ) throws -> String {
        try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections: [{source: packages, target: moved.packages, filter: '\(filter)', \(more)}]
            limits: {page: 64KiB, write_timeout_seconds: 2}
            """, named: name + ".yaml")
    }

    @Test(
        "has each row once: those that it had and those that came, through a kill",
        arguments: ["keep", "regenerate"])
    func append(_ autoID: String) async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let first = try file(
            tool, source, target, "first", where: "id < 2000", "auto_id: \(autoID)")
        let begun = try await tool.run(["run", first, "--job", "first"])
        #expect(begun.status == 0, "\(begun)")

        // Kept keys may meet: the later row takes the place of the earlier one.
        let from = autoID == "keep" ? 1_000 : 2_000
        let rest = try file(
            tool, source, target, "rest", where: "id >= \(from)",
            "auto_id: \(autoID), on_existing: append")
        let plan = try await tool.run(["plan", rest])
        #expect(plan.status == 0 && plan.output.contains("STO-PLAN-APPENDS"), "\(plan)")
        if autoID == "keep" {
            let killed = try tool.start(["run", rest, "--job", "rest"])
            try await tool.file("ledger.sqlite", of: "rest", by: killed)
            try await Task.sleep(for: .milliseconds(300))
            killed.signal(SIGKILL)
            _ = try await killed.ended()
        }
        let run = try await tool.run(["run", rest, "--job", "rest"])
        #expect(run.status == 0, "\(run)")
        #expect(run.output.contains(", before "), "\(run)")
        #expect(run.output.contains("took the place of one with their key") == (autoID == "keep"))
        let compared = try await tool.compare(
            source, ("default", "packages"), target, ("moved", "packages"), ["--by-partition"],
            autoID: autoID)
        #expect(compared.status == 0, "\(compared)")
        let left = try await tool.run(["inspect", target.uri])
        #expect(left.status == 0 && !left.output.contains("__stopover_"), "\(left)")
    }

    @Test("is refused rows that do not fit it, and is not dropped by a cancel")
    func refused() async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let first = try file(
            tool, source, target, "first", where: "id < 2000", "auto_id: keep")
        #expect(try await tool.run(["run", first, "--job", "first"]).status == 0)
        for (more, subject) in [
            ("auto_id: regenerate", "moved.packages.id"),
            ("fields: {name: {rename: title}}", "moved.packages.title"),
            ("fields: {name: drop}", "moved.packages.name"),
        ] {
            let misfit = try file(
                tool, source, target, "misfit", where: "id > 0", more + ", on_existing: append")
            let refused = try await tool.run(["run", misfit, "--job", "misfit"])
            #expect(refused.status == 2, "\(refused)")
            #expect(refused.errors.contains("STO-PLAN-APPEND"), "\(refused)")
            #expect(refused.errors.contains(subject), "\(refused)")
        }
        let rest = try file(
            tool, source, target, "rest", where: "id >= 2000", "on_existing: append")
        let killed = try tool.start(["run", rest, "--job", "rest"])
        try await tool.file("ledger.sqlite", of: "rest", by: killed)
        try await Task.sleep(for: .milliseconds(300))
        killed.signal(SIGKILL)
        _ = try await killed.ended()
        let cancelled = try await tool.run(["cancel", "rest", "--drop"])
        #expect(cancelled.status == 0 && !cancelled.output.contains("dropped"), "\(cancelled)")
        let left = try await tool.run(["inspect", target.uri])
        #expect(left.output.contains("packages"), "\(left)")
    }
}
