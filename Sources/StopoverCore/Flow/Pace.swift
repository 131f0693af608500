import Synchronization

/// Keeps a flow at or under a rate, and finds the rate that the other side allows: a refusal halves
/// it, success raises it step by step (additive increase, multiplicative decrease). A pure value: it
/// is told the time and says how long to wait.
///
/// What is taken is paid afterwards, so that one page larger than a second's share passes and the
/// next one waits for it. Time that was not used is not saved up beyond ``burst``.
struct Pacer {
    /// Seconds of the rate that an idle flow may use at once.
    static let burst = 1.0
    /// Seconds of success from one step up to the next, and at least from one step down to another.
    static let interval = Duration.seconds(1)
    /// Steps up from the half of a rate to the whole. After so many, a step is measured anew: what is
    /// allowed at night may be a hundred times what was allowed in the evening.
    static let steps = 10

    /// What was asked for; nil is no bound.
    private(set) var ceiling: Double?
    /// How often ``bound(to:now:)`` was called.
    private(set) var boundsSet = 0
    /// Amount per second; nil is as fast as it goes.
    private(set) var rate: Double?
    private var step = 0.0
    private var stepsTaken = 0
    private var paidUntil = Duration.zero
    private var lastStepUp = Duration.zero
    private var lastStepDown = Duration.zero
    private var hasSucceeded = false
    /// What was taken since a moment, to know how fast it goes when nothing bounds it.
    private var window = (since: Duration.zero, amount: 0.0)

    init(perSecond: Double?) {
        ceiling = perSecond
        rate = perSecond
    }

    /// From now on no faster than this; nil is no bound. What the other side allows is found out anew.
    mutating func bound(to perSecond: Double?, now: Duration) {
        boundsSet += 1
        ceiling = perSecond
        rate = perSecond
        step = 0
        stepsTaken = 0
        // What was owed at the old rate is not waited for at the new one.
        paidUntil = now
    }

    /// How long to wait before going on, having taken `amount` at `now`.
    mutating func take(_ amount: Int, now: Duration) -> Duration {
        if now - window.since > Pacer.interval * 10 { window = (now, 0) }
        window.amount += Double(amount)
        guard let rate else { return .zero }
        let start = max(paidUntil, now - .seconds(Pacer.burst))
        paidUntil = start + .seconds(Double(amount) / rate)
        return max(paidUntil - now, .zero)
    }

    /// The other side took something.
    mutating func succeeded(now: Duration) {
        hasSucceeded = true
        guard let rate, step > 0, now - lastStepUp >= Pacer.interval else { return }
        lastStepUp = now
        self.rate = min(rate + step, ceiling ?? .infinity)
        stepsTaken += 1
        if stepsTaken.isMultiple(of: Pacer.steps) { step = (rate + step) / 2 / Double(Pacer.steps) }
    }

    /// The other side refused something because it came too fast. Several refusals of one burst are
    /// one; and while nothing passes at all, less would not help.
    mutating func refused(now: Duration) {
        lastStepUp = now
        guard hasSucceeded, now - lastStepDown >= Pacer.interval else { return }
        hasSucceeded = false
        lastStepDown = now
        let seconds = max((now - window.since) / .seconds(1), Pacer.burst)
        let found = min(rate ?? .infinity, max(window.amount, 1) / seconds)
        window = (now, 0)
        rate = found / 2
        step = found / 2 / Double(Pacer.steps)
        stepsTaken = 0
    }
}

/// A ``Pacer`` on the machine's clock, shared by the workers of a stage.
public final class Pace: Sendable {
    private static let longestSleep = Duration.seconds(1)
    private let pacer: Mutex<Pacer>
    private let start = ContinuousClock.now

    /// - Parameter perSecond: the most; nil is no bound.
    public init(perSecond: Int64?) {
        pacer = Mutex(Pacer(perSecond: perSecond.map(Double.init)))
    }

    /// From now on no faster than this; nil or 0 is no bound.
    func bound(to perSecond: Int64?) {
        let rate = perSecond.flatMap { $0 > 0 ? Double($0) : nil }
        let now = ContinuousClock.now - start
        pacer.withLock { $0.bound(to: rate, now: now) }
    }

    /// Takes `amount`, and waits until the rate allows it. Throws `CancellationError`.
    func take(_ amount: Int) async throws {
        let (delay, bound) = pacer.withLock { pacer in
            (pacer.take(amount, now: ContinuousClock.now - start), pacer.boundsSet)
        }
        let due = ContinuousClock.now + delay
        // In steps, so that a bound that is lifted is not waited for at the old one.
        while ContinuousClock.now < due, pacer.withLock({ $0.boundsSet }) == bound {
            try await Task.sleep(for: min(due - .now, Pace.longestSleep))
        }
    }

    /// Tells how what was taken ended: nil for success.
    func ended(_ error: StopoverError?) {
        let now = ContinuousClock.now - start
        pacer.withLock { pacer in
            if error == nil {
                pacer.succeeded(now: now)
            } else if error?.code == .clusterRateLimited {
                pacer.refused(now: now)
            }
        }
    }
}
