import Foundation
import StopoverCore
import StopoverTesting
import Testing

@Suite("Many small rows")
struct ScaleTests {
    /// Far above what it takes (README), far below what the rows would take if they were kept.
    private static let memoryLimitKiB = 400 << 10

    @Test(
        "arrive whole in bounded memory, by several cursors, each column as the source made it",
        arguments: [
            MilvusTwin.Generated(rows: 2_000_000),
            MilvusTwin.Generated(rows: 600_000, keys: .varchar),
        ])
    func arrive(_ generated: MilvusTwin.Generated) async throws {
        let tool = try Tool()
        let name = CollectionName(collection: "rows")
        var from = MilvusTwin.Options()
        from.generated = [name: generated]
        var into = MilvusTwin.Options()
        into.store = .tally
        try await MilvusTwin.with(from) { [into] source in
            try await MilvusTwin.with(into) { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    verify: counts
                    """)
                let run = try tool.start(["run", file, "--job", "scale"])
                var peak = 0
                while run.isRunning {
                    peak = max(peak, Self.peakKiB(run.pid))
                    try await Task.sleep(for: .milliseconds(50))
                }
                let ended = try await run.ended()
                #expect(ended.status == 0, "\(ended)")
                #expect(
                    try target.tally(of: name)
                        == MilvusTwin.expectedTally(
                            rows: generated.rows, keys: generated.keys))
                let ledger = try Ledger.open(
                    at: tool.scratch.path + "/home/jobs/scale/ledger.sqlite")
                let splits = try await ledger.splits(of: TransferID(1))
                #expect(splits.count >= Int(generated.rows / SplitPlanner.rowsPerSplit))
                #expect(splits.allSatisfy { $0.isFinished && $0.rows > 0 })
                #expect(peak > 0 && peak < Self.memoryLimitKiB, "\(peak) KiB")
            }
        }
    }

    @Test(
        "are planned by the thousand million in seconds: how large, how long, and what bounds it",
        arguments: [
            ("free", "17 d 21 h at 2 MB/s (insert cap of the target's plan)"),
            ("serverless", "3 d 13 h at 10 MB/s (insert cap of the target's plan)"),
            ("dedicated", "4 d 11 h at 8 MB/s (insert cap of the target's plan)"),
            ("self-hosted", "(the source's rate in a short probe)"),
        ])
    func planned(_ plan: String, _ bound: String) async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [
            CollectionName(collection: "vectors"): MilvusTwin.Generated(
                rows: 1_000_000_000, dimension: 768)
        ]
        try await MilvusTwin.with(from) { source in
            try await MilvusTwin.with(MilvusTwin.Options()) { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)", plan: self-hosted}
                    target: {uri: "\(target.uri)", plan: \(plan)}
                    """)
                let ended = try await tool.run(["plan", file])
                #expect(ended.status == 0, "\(ended)")
                #expect(ended.output.contains("1,000,000,000 rows, about 2.8 TiB"), "\(ended)")
                #expect(ended.output.contains(bound), "\(ended)")
            }
        }
    }

    private static func peakKiB(_ pid: pid_t) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
            ?? 0
    }
}
