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

    @Test("that nobody asked for never waits")
    func unlimited() async throws {
        let pace = Pace(perSecond: nil)
        for _ in 0..<1000 { try await pace.take(.max) }
    }
}
