import Testing

@testable import StopoverCore

@Suite("A rate meter")
struct RateMeterTests {
    @Test("knows nothing before two readings that are apart")
    func unknown() {
        var meter = RateMeter()
        #expect(meter.perSecond == nil && meter.secondsUntilDone(remaining: 5) == nil)
        meter.record(100, at: .zero)
        #expect(meter.perSecond == nil)
        meter.record(200, at: .milliseconds(100))
        #expect(meter.perSecond == nil)
        meter.record(300, at: .seconds(1))
        #expect(meter.perSecond == 200 && meter.secondsUntilDone(remaining: 400) == 2)
    }

    @Test("counts no row that was there when it began")
    func base() {
        var meter = RateMeter()
        meter.record(1_000_000, at: .seconds(5))
        meter.record(1_000_010, at: .seconds(6))
        #expect(meter.perSecond == 10)
    }

    @Test("forgets what was before its window")
    func window() {
        var meter = RateMeter(window: .seconds(10))
        for second in 0...100 { meter.record(Int64(second) * 1000, at: .seconds(second)) }
        for second in 101...112 { meter.record(100_000, at: .seconds(second)) }
        #expect(meter.perSecond == 0 && meter.secondsUntilDone(remaining: 1) == nil)
        #expect(meter.secondsUntilDone(remaining: 0) == 0)
    }

    @Test("begins anew when its counter falls, and does not hear the past")
    func anew() {
        var meter = RateMeter()
        meter.record(100, at: .seconds(1))
        meter.record(50, at: .seconds(2))
        #expect(meter.perSecond == nil)
        meter.record(60, at: .seconds(3))
        meter.record(1_000, at: .seconds(2))
        #expect(meter.perSecond == 10)
    }

    @Test("keeps few readings, however often it is asked")
    func bounded() {
        var meter = RateMeter()
        for step in 0..<100_000 { meter.record(Int64(step), at: .milliseconds(step)) }
        #expect(abs((meter.perSecond ?? 0) - 1000) < 1)
        #expect(
            Mirror(reflecting: meter).children.contains {
                ($0.value as? [Any]).map { $0.count < 70 } ?? false
            })
    }

    @Test("gives a job's snapshots their speeds, and none to what does not move")
    func snapshots() {
        var meter = ProgressMeter()
        var snapshot = ProgressSnapshot(job: "j", transfers: [.named("a"), .named("b", .planned)])
        snapshot = meter.measure(snapshot)
        #expect(snapshot.total.rowsPerSecond == nil && snapshot.total.etaSeconds == nil)
        snapshot.elapsedSeconds = 2
        snapshot.transfers[0].rowsLoaded = 20
        snapshot.transfers[0].bytesLoaded = 4000
        snapshot = meter.measure(snapshot)
        #expect(snapshot.transfers[0].rowsPerSecond == 10)
        #expect(snapshot.transfers[0].bytesPerSecond == 2000)
        #expect(snapshot.transfers[0].etaSeconds == 8)
        #expect(snapshot.transfers[1].rowsPerSecond == nil)
        #expect(snapshot.total.etaSeconds == 18)
    }
}
