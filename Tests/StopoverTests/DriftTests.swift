import Foundation
import StopoverTesting
import Testing

/// A migration of 2,000 rows that takes some seconds, between servers that somebody else uses too.
private struct Stage {
    let tool: Tool
    let source: RealServer
    let target: RealServer

    init() async throws {
        tool = try Tool()
        source = try await RealServer(.lite3)
        target = try await RealServer(.lite3)
        try await change("seed")
    }

    func change(
        _ action: String, of server: RealServer? = nil, in database: String = "default"
    ) async throws {
        let ended = try await Clone.fixture(
            "drift.py",
            [
                "--uri", (server ?? source).uri, "--db", database, "--collection", "things", action,
            ], in: tool.scratch)
        try #require(ended.status == 0, "\(ended)")
    }

    /// Starts a migration that takes some seconds, and waits until it moves rows.
    func begun() async throws -> Running {
        let file = try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections: [{source: things, target: moved.things}]
            limits: {page: 64KiB, read_rows_per_second: 250, write_timeout_seconds: 2}
            """)
        let run = try tool.start(["run", file, "--job", "job"])
        try await tool.file("ledger.sqlite", of: "job", by: run)
        return run
    }
}

/// Somebody writes to the source while it is migrated, which must not go unnoticed.
@Suite("A source that changes")
struct DriftTests {
    @Test("by rows: the count of the end differs from the plan's, and the exit code is 3")
    func rows() async throws {
        let stage = try await Stage()
        let run = try await stage.begun()
        try await stage.change("add")
        let ended = try await run.ended()
        #expect(ended.status == 3, "\(ended)")
        #expect(
            ended.output.contains("2000 rows when it was planned, 2003 at the end"), "\(ended)")
        // What was read is whole, and published.
        let listed = try await stage.tool.run(["inspect", stage.target.uri])
        #expect(!listed.output.contains("__stopover_"), "\(listed)")
    }

    @Test("by another collection of the same name: the next run refuses to go on")
    func remade() async throws {
        let stage = try await Stage()
        let killed = try await stage.begun()
        try await Task.sleep(for: .seconds(1))
        killed.signal(SIGKILL)
        _ = try await killed.ended()
        try await stage.change("remake")
        let again = try await stage.begun().ended()
        #expect(again.status == 2 && again.errors.contains("STO-SOURCE-CHANGED"), "\(again)")
        #expect(again.errors.contains("field vector, dim"), "\(again)")
    }

    @Test("by its schema while it is read: the result says what, and the exit code is 3")
    func altered() async throws {
        let stage = try await Stage()
        let run = try await stage.begun()
        try await Task.sleep(for: .seconds(1))
        try await stage.change("divide")
        let ended = try await run.ended()
        #expect(ended.status == 3, "\(ended)")
        #expect(
            ended.output.contains("the source was changed during the migration: partitions"),
            "\(ended)")
    }
}

@Suite("A target that changes")
struct TakenNameTests {
    @Test("by a collection of the final name: the rows wait beside it, and the next run publishes")
    func taken() async throws {
        let stage = try await Stage()
        let run = try await stage.begun()
        try await Task.sleep(for: .seconds(1))
        let cancelled = try await stage.tool.run(["cancel", "job"])
        #expect(cancelled.status == 4 && run.isRunning, "it is running: \(cancelled)")
        try await stage.change("seed", of: stage.target, in: "moved")
        let ended = try await run.ended()
        #expect(ended.status == 1 && ended.errors.contains("STO-TARGET-NAME-TAKEN"), "\(ended)")
        let listed = try await stage.tool.run(["inspect", stage.target.uri])
        #expect(listed.output.contains("things__stopover_"), "\(listed)")

        let again = try await stage.begun().ended()
        #expect(again.status == 1 && again.errors.contains("STO-TARGET-NAME-TAKEN"), "\(again)")

        try await stage.change("drop", of: stage.target, in: "moved")
        let last = try await stage.begun().ended()
        #expect(last.status == 0, "\(last)")
        let compared = try await stage.tool.compare(
            stage.source, ("default", "things"), stage.target, ("moved", "things"))
        #expect(compared.status == 0, "\(compared)")
    }
}
