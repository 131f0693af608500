import Foundation
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

/// The rungs of the load protocol that neither real server here has, on our own server, by the whole
/// tool (Docs/decisions/0007).
@Suite("A rung that no real server here has")
struct LadderTests {
    private static let rows: Int64 = 30_000
    private static let name = CollectionName(collection: "rows")

    /// Every fourth Insert of the first ones is carried out, and nobody hears of it.
    private static let lostAnswers = [2, 6, 10]

    private func migrate(
        _ into: MilvusTwin.Options, autoID: String,
        _ check: (MilvusTwin, Tool.Outcome, Ended) async throws -> Void
    ) async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [Self.name: MilvusTwin.Generated(rows: Self.rows)]
        try await MilvusTwin.with(from) { source in
            try await MilvusTwin.with(into) { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    collections: [{source: rows, auto_id: \(autoID)}]
                    limits: {page: 64KiB, write_timeout_seconds: 1}
                    """)
                let plan = try await tool.run(["plan", file])
                let ended = try await tool.run(["run", file, "--job", "rung"])
                #expect(ended.status == 0, "\(ended)")
                let arrived = try target.tally(of: Self.name)
                #expect(arrived.rows == Self.rows)
                try await check(target, try tool.result(of: "rung"), plan)
            }
        }
    }

    @Test(
        "is a target that cannot rename: time is the fence, and every row is there once",
        arguments: ["keep", "regenerate"])
    func withoutRename(_ autoID: String) async throws {
        var into = MilvusTwin.Options()
        into.behaviour = MilvusTwin.Behaviour { call in
            switch call.method {
            case "RenameCollection": .fail(.unimplemented)
            case "Insert" where Self.lostAnswers.contains(call.number): .applyThenFail(.unavailable)
            default: nil
            }
        }
        try await migrate(into, autoID: autoID) { target, result, plan in
            #expect(plan.output.contains("STO-PLAN-NO-RENAME"), "\(plan)")
            if autoID == "keep" {
                let arrived = try target.tally(of: Self.name)
                #expect(arrived == MilvusTwin.expectedTally(rows: Self.rows))
            } else {
                #expect((result.sweptRows ?? 0) > 0)
            }
        }
    }

    @Test("is an Auto ID that takes keys: they are ours, deleted and inserted where in doubt")
    func minted() async throws {
        var into = MilvusTwin.Options()
        into.version = "v2.6.4-twin"
        into.behaviour = MilvusTwin.Behaviour { call in
            call.method == "Insert" && Self.lostAnswers.contains(call.number)
                ? .applyThenFail(.unavailable) : nil
        }
        try await migrate(into, autoID: "regenerate") { target, _, plan in
            #expect(plan.output.contains("keys are numbers of our own"), "\(plan)")
            #expect(target.calls(of: "Delete") > 0 && target.calls(of: "Upsert") == 0)
            let tally = try target.tally(of: Self.name)
            guard case .int64(let least)? = tally.least, case .int64(let greatest)? = tally.greatest
            else {
                Issue.record("no INT64 keys: \(tally)")
                return
            }
            #expect(least >= 1 << 40 && greatest < 1 << 41)
            let made = try await MilvusCluster.withCluster(target.endpoint) {
                try await $0.describe(Self.name)
            }
            #expect(made?.schema.primaryKey?.isAutoID == true)
            #expect(made?.properties["allow_insert_auto_id"] == nil)
        }
    }
}
