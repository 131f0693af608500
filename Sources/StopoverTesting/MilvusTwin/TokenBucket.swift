import Synchronization

/// A rate that a server keeps, as Milvus does: a second's worth may come at once, and a request that
/// is larger than what is left is taken on credit, so that none is too large for ever.
struct TokenBucket: Sendable {
    let perSecond: Double
    private var tokens: Double
    private var last: Duration?

    init(perSecond: Double) {
        self.perSecond = perSecond
        tokens = perSecond
    }

    /// Whether it is out of debt at this time.
    mutating func isOpen(at now: Duration) -> Bool {
        if let last { tokens = min(perSecond, tokens + (now - last).asSeconds * perSecond) }
        last = now
        return tokens > 0
    }

    mutating func spend(_ amount: Int) { tokens -= Double(amount) }
}

extension Duration {
    fileprivate var asSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

extension MilvusTwin {
    public enum Rate: String, Sendable, CaseIterable {
        /// Bytes of Insert and Upsert.
        case writes
        /// Rows that Query answers.
        case reads
    }
}

/// The rates of the day.
final class TwinRates: Sendable {
    private let buckets = Mutex<[MilvusTwin.Rate: TokenBucket]>([:])
    private let start = ContinuousClock.now
    private let refusals = Atomic(0)

    var refusalCount: Int { refusals.load(ordering: .relaxed) }

    func limit(_ rate: MilvusTwin.Rate, to perSecond: Double?) {
        buckets.withLock { $0[rate] = perSecond.map { TokenBucket(perSecond: $0) } }
    }

    /// - Throws: the refusal of a server that limits rates, while more was taken than there was.
    func check(_ rate: MilvusTwin.Rate) throws {
        let now = ContinuousClock.now - start
        let isOpen = buckets.withLock { $0[rate]?.isOpen(at: now) ?? true }
        guard !isOpen else { return }
        refusals.wrappingAdd(1, ordering: .relaxed)
        throw TwinRefusal(code: 8, reason: "the twin limits the rate of \(rate.rawValue)")
    }

    func spend(_ amount: Int, of rate: MilvusTwin.Rate) {
        buckets.withLock { $0[rate]?.spend(amount) }
    }

    var limitsReads: Bool { buckets.withLock { $0[.reads] != nil } }
}
