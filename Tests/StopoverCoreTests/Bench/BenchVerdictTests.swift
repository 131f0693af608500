import Testing

@testable import StopoverCore

@Suite("The verdict of a bench")
struct BenchVerdictTests {
    private func sample(
        _ side: BenchSample.Side, _ requests: Int, rows: Int64, cpuSeconds: Double = 1
    ) -> BenchSample {
        BenchSample(
            side: side, requestsAtOnce: requests, seconds: 1, cpuSeconds: cpuSeconds, rows: rows,
            bytes: rows * 100, requests: 10)
    }

    private func verdict(_ samples: [BenchSample]) -> BenchVerdict {
        BenchVerdict(samples, cores: 2, current: (cursors: 4, workers: 4))
    }

    @Test("names the slower side, and the fewest requests from which more gain little")
    func slower() {
        let made = verdict([
            sample(.source, 1, rows: 100), sample(.source, 2, rows: 195),
            sample(.source, 4, rows: 200), sample(.target, 1, rows: 50),
            sample(.target, 4, rows: 90), sample(.target, 8, rows: 150),
            sample(.both, 4, rows: 145),
        ])
        #expect(made.limit == .target)
        #expect(made.settings == ["cursors": 2, "workers": 8])
        #expect(made.sentences.last == "try `limits: {cursors: 2, workers: 8}`")
    }

    @Test("says so when the settings are right")
    func right() {
        let made = verdict([
            sample(.source, 4, rows: 100), sample(.target, 4, rows: 300),
            sample(.both, 4, rows: 99),
        ])
        #expect(made.limit == .source && made.settings == [:])
        #expect(made.sentences.last == "the settings are right as they are")
    }

    @Test("does not say what limits where only one side was measured")
    func oneSide() {
        let made = verdict([sample(.target, 4, rows: 100), sample(.both, 4, rows: 50)])
        #expect(made.limit == nil && made.settings == [:])
    }

    @Test("tells a busy machine from sides that are in each other's way", arguments: [1.9, 0.4])
    func together(_ cpuSeconds: Double) {
        let made = verdict([
            sample(.source, 4, rows: 100), sample(.target, 4, rows: 100),
            sample(.both, 4, rows: 50, cpuSeconds: cpuSeconds),
        ])
        #expect(made.limit == (cpuSeconds > 1 ? .processor : .between))
    }
}
