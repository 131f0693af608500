import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("Limits of a running job")
struct LimitsTests {
    private static let rows: Int64 = 3_000_000

    /// Rows that are loaded, as the job's ledger has them.
    private func loaded(_ tool: Tool) async throws -> Int64 {
        let ledger = try Ledger.open(at: tool.scratch.path + "/home/jobs/bounded/ledger.sqlite")
        return try await ledger.totals(of: TransferID(1)).ackedRows
    }

    @Test("hold within five percent, and change while it runs")
    func change() async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [CollectionName(collection: "rows"): .init(rows: Self.rows)]
        var into = MilvusTwin.Options()
        into.store = .tally
        try await MilvusTwin.with(from) { [into] source in
            try await MilvusTwin.with(into) { target in
                let perSecond = 20_000
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    verify: counts
                    limits: {read_rows_per_second: \(perSecond), page: 64KiB}
                    """)
                let begun = ContinuousClock.now
                let run = try tool.start(["run", file, "--job", "bounded"])
                try await Task.sleep(for: .seconds(12))
                let read = try await loaded(tool)
                let seconds = (ContinuousClock.now - begun) / .seconds(1)
                // A second's worth may go at once, and a page of each cursor is on its way.
                let most = Double(perSecond) * (seconds + Pacer.burst) * 1.05 + 16 * 2_000
                #expect(read > perSecond * 4 && Double(read) < most, "\(read) in \(seconds) s")

                let changed = try await tool.run([
                    "limits", "bounded", "--read-rows-per-second", "none", "--cursors", "3",
                ])
                #expect(changed.status == 0 && changed.output.contains("cursors: 3"), "\(changed)")
                let ended = try await run.ended()
                #expect(ended.status == 0, "\(ended)")
                // At the old bound the rest alone would take more than two minutes.
                #expect(ContinuousClock.now - begun < .seconds(100))
                let late = try await tool.run(["limits", "bounded", "--workers", "2"])
                #expect(late.status == 64 && late.errors.contains("STO-JOB-NOT-RUNNING"), "\(late)")
            }
        }
    }
}
