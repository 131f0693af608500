/// Finds how many workers of a stage are useful, from what they get done. A pure value: it is told the
/// time.
///
/// At first twice as many are tried, as long as that pays; from then on, from time to time, a step more
/// or a step fewer. What a cluster gets done varies by a tenth from second to second, and a step may
/// gain a twentieth: so a step is taken when some tries, each compared with what was usual just before,
/// say so together. Tries that change nothing come less and less often. What the other side refuses for
/// its rate halves the number.
struct WorkerCount {
    /// The least time of one measurement, and the units of work that each worker must have done in it.
    static let interval = Duration.seconds(1)
    static let unitsPerWorker = 3
    /// What a step more must gain, and what a step fewer may lose.
    static let worthwhile = 0.02
    static let negligible = 0.01
    /// What twice as many must gain at first; and where that is just a step more, one beside one, which else
    /// is judged as any other. What is kept by mistake is left by three tries only.
    static let worthDoubling = 0.02
    static let worthStep = 0.3
    /// Tries that must agree before a step is taken, and how many of the last ones count.
    static let agreeing = 3
    static let remembered = 6
    /// Measurements between two tries, at most.
    static let longestRest = 24
    /// What tries that lose may cost of all that gets done: the more one lost, the longer the rest.
    static let tolerated = 0.02
    /// A loss that may be chance, and makes no rest longer.
    static let luck = 0.05
    /// A try that is so far behind is over after a third of its measurement; or at once, where it is even if
    /// all that is under way were done.
    static let hopeless = 0.1
    /// The part of a new measurement in what is usual.
    private static let news = 0.3

    private(set) var most: Int
    /// As many are to work now.
    private(set) var count: Int

    /// The number that is worked with between tries.
    private var settled: Int
    /// Bytes per second with that number.
    private var usual: Double?
    private var more = Tries()
    private var fewer = Tries()
    private var isDoubling = true
    private var triesMore = true
    private var rest = 0
    private var nextRest = 1

    /// What a step gained, as a part of what was usual.
    private struct Tries {
        var number = 0
        var gain = 0.0

        mutating func add(_ one: Double) {
            number += 1
            gain += (one - gain) / Double(min(number, WorkerCount.remembered))
        }

        /// The step back.
        var reversed: Tries { Tries(number: number, gain: 1 / (1 + gain) - 1) }
    }

    // The measurement under way.
    /// Units that were begun with another number of workers, and say little of this one: it begins anew when
    /// the last of them ends.
    private var foreign: Int
    private var since = Duration.zero
    private var amount = 0.0
    private var units = 0

    init(most: Int, start: Int) {
        self.most = max(most, 1)
        count = min(max(start, 1), self.most)
        settled = count
        foreign = count
    }

    /// A worker has done one unit of so many bytes.
    mutating func did(_ bytes: Int, now: Duration) {
        amount += Double(bytes)
        units += 1
        let elapsed = now - since
        let seconds = elapsed / .seconds(1)
        let isTry = count != settled
        // Even if all that is under way were done.
        let atMost = (amount + Double(count * bytes)) / seconds
        if isTry, isHopeless(atMost) { return measured(atMost, now) }
        guard foreign == 0 else {
            foreign -= 1
            if foreign == 0 { begin(now) }
            return
        }
        guard isEnough(elapsed * 3, units * 3) else { return }
        let rate = amount / seconds
        if isTry && isHopeless(rate) || isEnough(elapsed, units) { measured(rate, now) }
    }

    private mutating func begin(_ now: Duration) { (since, amount, units) = (now, 0, 0) }

    /// For a measurement.
    private func isEnough(_ time: Duration, _ units: Int) -> Bool {
        time >= WorkerCount.interval && units >= WorkerCount.unitsPerWorker * count
    }

    /// Of a rate over what is usual.
    private func gain(_ rate: Double) -> Double { rate / max(usual ?? rate, 1) - 1 }

    private func isHopeless(_ rate: Double) -> Bool { gain(rate) < -WorkerCount.hopeless }

    /// The other side refused something because too much came.
    mutating func refused() {
        isDoubling = false
        move(to: max(count / 2, 1))
        rest = nextRest
    }

    /// From now on at most so many.
    mutating func bound(to most: Int) {
        self.most = max(most, 1)
        if max(count, settled) > self.most { move(to: min(settled, self.most)) }
    }

    // MARK: Tries

    private mutating func measured(_ rate: Double, _ now: Duration) {
        defer { begin(now) }
        guard count != settled else {
            usual = usual.map { $0 + (rate - $0) * WorkerCount.news } ?? rate
            guard rest == 0 else {
                rest -= 1
                return
            }
            return attempt()
        }
        judge(rate)
    }

    private mutating func attempt() {
        if isDoubling {
            work(min(settled * 2, most))
            isDoubling = count != settled
            if isDoubling { return }
        }
        let (above, below) = (
            min(WorkerCount.step(above: settled), most), WorkerCount.step(below: settled)
        )
        triesMore = triesMore ? above > settled : below == settled
        work(triesMore ? above : below)
        if count == settled { wait() }
    }

    /// Takes the step that was tried, or takes it back.
    private mutating func judge(_ rate: Double) {
        let gain = gain(rate)
        if isDoubling {
            let isStep = count == WorkerCount.step(above: settled)
            isDoubling = gain >= (isStep ? WorkerCount.worthStep : WorkerCount.worthDoubling)
            if isDoubling {
                move(to: count)
                usual = rate
                return attempt()
            }
            if !isStep { return work(settled) }
        }
        let isMore = count > settled
        var tries = isMore ? more : fewer
        tries.add(gain)
        let isWorth =
            isMore ? tries.gain >= WorkerCount.worthwhile : tries.gain >= -WorkerCount.negligible
        if isWorth, tries.number >= WorkerCount.agreeing {
            move(to: count)
            if isMore { fewer = tries.reversed } else { more = tries.reversed }
            usual = rate
            nextRest = 1
            return
        }
        if isMore { more = tries } else { fewer = tries }
        // What may be worth it is tried again at once, anything else later.
        if !isWorth {
            triesMore.toggle()
            wait(after: tries)
        }
        work(settled)
    }

    /// While the number that was tried still works.
    private mutating func wait(after tries: Tries = Tries()) {
        // In measurements of the settled number: what was begun before the try, and the try.
        let length = Double(count + units) / Double(settled * WorkerCount.unitsPerWorker)
        let owed = max(-tries.gain - WorkerCount.luck, 0) * length / WorkerCount.tolerated
        rest = min(max(nextRest, Int(owed)), WorkerCount.longestRest)
        nextRest = min(nextRest * 2, WorkerCount.longestRest)
    }

    private mutating func move(to number: Int) {
        settled = number
        usual = nil
        (more, fewer) = (Tries(), Tries())
        work(number)
    }

    private mutating func work(_ number: Int) {
        guard number != count else { return }
        foreign = max(foreign, count)
        count = number
    }

    // Steps go over 1, 2, 3, 4, 6, 8, 12, 16, 24, …: a third or a half more each.

    private static func step(above number: Int) -> Int {
        let power = powerOfTwo(atMost: number)
        return max(number < power * 3 / 2 ? power * 3 / 2 : power * 2, number + 1)
    }

    private static func step(below number: Int) -> Int {
        let power = powerOfTwo(atMost: max(number - 1, 1))
        return number > power * 3 / 2 ? power * 3 / 2 : power
    }

    private static func powerOfTwo(atMost number: Int) -> Int {
        1 << (Int.bitWidth - 1 - number.leadingZeroBitCount)
    }
}
