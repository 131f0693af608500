import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("A pace")
struct PacerTests {
    @Test("keeps a flow at its rate, whatever the sizes")
    func rate() {
        var pacer = Pacer(perSecond: 100)
        var now = Duration.seconds(10)
        var total = 0
        var random = SeededRandom(seed: 5)
        for _ in 0..<1000 {
            let amount = Int.random(in: 1...300, using: &random)
            total += amount
            now += pacer.take(amount, now: now)
        }
        let allowed = (Double((now - .seconds(10)).components.seconds) + 1 + Pacer.burst) * 100
        #expect(Double(total) <= allowed)
        #expect(Double(total) >= allowed - 300)
    }

    @Test("saves up no more than its burst")
    func idle() {
        var pacer = Pacer(perSecond: 10)
        #expect(pacer.take(10, now: .seconds(1000)) == .zero)
        #expect(pacer.take(10, now: .seconds(1000)) == .seconds(1))
        #expect(pacer.take(10, now: .seconds(5000)) == .zero)
        #expect(pacer.take(20, now: .seconds(5000)) == .seconds(2))
    }

    /// A server that takes so much a second, a second's worth at once, and refuses what is more.
    private struct Bucket {
        var perSecond: Double
        private var level = 0.0
        private var last = Duration.zero

        init(perSecond: Double) { self.perSecond = perSecond }

        mutating func takes(_ amount: Int, now: Duration) -> Bool {
            level = max(0, level - (now - last) / .seconds(1) * perSecond)
            last = now
            guard level < perSecond else { return false }
            level += Double(amount)
            return true
        }
    }

    /// Sends pages of 100 for so long, a refused one again after a quarter of a second.
    private func run(
        _ pacer: inout Pacer, _ bucket: inout Bucket, from start: Duration, for length: Duration
    ) -> (passed: Int, refused: Int) {
        var now = start
        var (passed, refused) = (0, 0)
        while now < start + length {
            now += pacer.take(100, now: now) + .milliseconds(10)
            if bucket.takes(100, now: now) {
                passed += 100
                pacer.succeeded(now: now)
            } else {
                refused += 1
                pacer.refused(now: now)
                now += .milliseconds(250)
            }
        }
        return (passed, refused)
    }

    @Test(
        "finds what the other side allows, and stays near it: few refusals, little time lost",
        arguments: [500.0, 2_000, 6_000])
    func adapts(_ allowed: Double) {
        var pacer = Pacer(perSecond: nil)
        var bucket = Bucket(perSecond: allowed)
        let found = run(&pacer, &bucket, from: .seconds(1), for: .seconds(300))
        #expect(Double(found.passed) > allowed * 300 * 0.65)
        // Unpaced, every fourth try or more is one that waits for the bucket.
        #expect(found.refused < found.passed / 100 / 20, "\(found)")
    }

    @Test("goes up again when more is allowed, and never above what was asked for")
    func recovers() {
        var pacer = Pacer(perSecond: 5_000)
        var bucket = Bucket(perSecond: 500)
        _ = run(&pacer, &bucket, from: .seconds(1), for: .seconds(60))
        #expect(pacer.rate ?? 0 < 1_200)
        bucket.perSecond = 100_000
        let after = run(&pacer, &bucket, from: .seconds(61), for: .seconds(100))
        #expect(after.refused == 0)
        #expect(pacer.rate == 5_000)
    }

    @Test("does not fall further while nothing passes at all: a server that is away is not slow")
    func outage() {
        var pacer = Pacer(perSecond: nil)
        _ = pacer.take(1_000, now: .seconds(1))
        pacer.succeeded(now: .seconds(2))
        pacer.refused(now: .seconds(3))
        let rate = pacer.rate
        for second in 4..<3_600 { pacer.refused(now: .seconds(second)) }
        #expect(pacer.rate == rate && rate != nil)
    }

    @Test("that nobody asked for never waits")
    func unlimited() async throws {
        let pace = Pace(perSecond: nil)
        for _ in 0..<1000 { try await pace.take(.max) }
    }
}
