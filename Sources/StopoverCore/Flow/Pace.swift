import Synchronization

/// Keeps a flow at or under a rate. A pure value: it is told the time and says how long to wait.
///
/// What is taken is paid afterwards, so that one page larger than a second's share passes and the
/// next one waits for it. Time that was not used is not saved up beyond ``burst``.
struct Pacer {
    /// Seconds of the rate that an idle flow may use at once.
    static let burst = 1.0

    let perSecond: Double
    private var paidUntil = Duration.zero

    init(perSecond: Double) { self.perSecond = perSecond }

    /// How long to wait before going on, having taken `amount` at `now`.
    mutating func take(_ amount: Int, now: Duration) -> Duration {
        let start = max(paidUntil, now - .seconds(Pacer.burst))
        paidUntil = start + .seconds(Double(amount) / perSecond)
        return max(paidUntil - now, .zero)
    }
}

/// A ``Pacer`` on the machine's clock, shared by the workers of a stage.
public final class Pace: Sendable {
    private let pacer: Mutex<Pacer?>
    private let start = ContinuousClock.now

    /// - Parameter perSecond: nil never waits.
    public init(perSecond: Int64?) {
        pacer = Mutex(perSecond.map { Pacer(perSecond: Double($0)) })
    }

    /// Takes `amount`, and waits until the rate allows it. Throws `CancellationError`.
    func take(_ amount: Int) async throws {
        let now = ContinuousClock.now - start
        let delay = pacer.withLock { $0?.take(amount, now: now) ?? .zero }
        if delay > .zero { try await Task.sleep(for: delay) }
    }
}
