/// Finds how many workers of a stage are useful, from what they get done. A pure value: it is told the
/// time.
///
/// From time to time one more is tried, or one fewer (at first twice as many, as long as that pays).
/// A change stays when the throughput says so, and is tried less and less often when it does not.
/// What the other side refuses for its rate halves the number.
struct WorkerCount {
    /// The least time of one measurement, and the units of work that each worker must have done in it.
    static let interval = Duration.seconds(1)
    static let unitsPerWorker = 4
    /// The part of its fair share that one more worker has to bring to stay, and that one fewer may
    /// cost to go.
    static let worthwhile = 0.3
    /// Measurements between two tries, at most.
    static let longestRest = 64

    private(set) var most: Int
    private(set) var count: Int

    private struct Trial {
        var from: Int
        var rate: Double
    }

    private var since: Duration?
    private var amount = 0.0
    private var units = 0
    private var trial: Trial?
    private var isDoubling = true
    private var isShedding = false
    private var rest = 0
    private var nextRest = 1

    init(most: Int, start: Int) {
        self.most = max(most, 1)
        count = min(max(start, 1), self.most)
    }

    /// A worker has done one unit of so many bytes.
    mutating func did(_ bytes: Int, now: Duration) {
        guard let since else { return begin(now) }
        amount += Double(bytes)
        units += 1
        let elapsed = now - since
        guard elapsed >= WorkerCount.interval, units >= WorkerCount.unitsPerWorker * count else {
            return
        }
        let rate = amount / (elapsed / .seconds(1))
        judge(rate)
        if trial == nil { attempt(rate) }
        begin(now)
    }

    /// The other side refused something because too much came.
    mutating func refused(now: Duration) {
        count = max(count / 2, 1)
        trial = nil
        isDoubling = false
        rest = nextRest
        begin(now)
    }

    /// From now on at most so many.
    mutating func bound(to most: Int) {
        self.most = max(most, 1)
        guard count > self.most else { return }
        count = self.most
        trial = nil
    }

    private mutating func begin(_ now: Duration) {
        (since, amount, units) = (now, 0, 0)
    }

    /// Keeps what the trial changed, or takes it back.
    private mutating func judge(_ rate: Double) {
        guard let trial else { return }
        self.trial = nil
        let change = Double(count - trial.from) / Double(trial.from)
        let gain = rate / max(trial.rate, 1) - 1
        // One fewer may lose a part of its share; one more must bring it.
        if gain >= change * WorkerCount.worthwhile {
            nextRest = 1
            return
        }
        count = trial.from
        isDoubling = false
        isShedding.toggle()
        rest = nextRest
        nextRest = min(nextRest * 2, WorkerCount.longestRest)
    }

    private mutating func attempt(_ rate: Double) {
        guard rest == 0 else {
            rest -= 1
            return
        }
        let next = isDoubling ? count * 2 : count + (isShedding ? -1 : 1)
        guard (1...most).contains(min(next, most)), min(next, most) != count else {
            isDoubling = false
            isShedding.toggle()
            rest = nextRest
            nextRest = min(nextRest * 2, WorkerCount.longestRest)
            return
        }
        trial = Trial(from: count, rate: rate)
        count = min(next, most)
    }
}
