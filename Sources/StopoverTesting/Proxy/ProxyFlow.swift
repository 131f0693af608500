/// One direction of a connection: what was read and has not gone on, and how far it may.
struct ProxyFlow {
    /// Bytes that wait here before the side that sends them has to wait too.
    static let capacity = 1 << 20

    private(set) var watch: FrameWatch
    private var queue: [UInt8] = []
    private var head = 0
    /// Bytes that were read, and that went on, since the connection began.
    private(set) var taken = 0
    private(set) var passed = 0
    /// The bytes from here on wait.
    var stop: Int?
    /// The connection is cut when all before here have gone on.
    var cut: Int?
    private var rate: Rate?

    private struct Rate {
        var bytesPerSecond: Int
        var until: ContinuousClock.Instant
        var last: ContinuousClock.Instant
        var allowance = 0.0
    }

    init(isOfClient: Bool) { watch = FrameWatch(isOfClient: isOfClient) }

    var waiting: Int { queue.count - head }
    var isFull: Bool { waiting >= ProxyFlow.capacity }
    var isCut: Bool { cut.map { passed >= $0 } ?? false }
    var isThrottled: Bool { rate != nil }

    /// What may go on now.
    var ready: ArraySlice<UInt8> {
        let end = min(taken, stop ?? .max, cut ?? .max)
        var count = max(0, end - passed)
        // Behind a client that is gone everything goes at once, on credit.
        if let rate { count = min(count, max(0, Int(rate.allowance))) }
        return queue[head..<head + count]
    }

    /// Queues what was read, and tells what it means; the ends of requests as positions since the
    /// connection began.
    mutating func take(_ bytes: [UInt8]) -> [FrameWatch.Event] {
        let base = taken
        queue += bytes
        taken += bytes.count
        return watch.read(bytes[...]).map {
            guard case .whole(let stream, let size, let end) = $0 else { return $0 }
            return .whole(stream: stream, bytes: size, end: base + end)
        }
    }

    mutating func went(_ count: Int) {
        head += count
        passed += count
        rate?.allowance -= Double(count)
        if head == queue.count {
            queue.removeAll(keepingCapacity: true)
            head = 0
        } else if head > ProxyFlow.capacity {
            queue.removeFirst(head)
            head = 0
        }
    }

    mutating func throttle(
        _ bytesPerSecond: Int, from now: ContinuousClock.Instant, until: ContinuousClock.Instant
    ) {
        rate = Rate(bytesPerSecond: bytesPerSecond, until: until, last: now)
    }

    /// What has become allowed by the passing of time.
    mutating func tick(_ now: ContinuousClock.Instant) {
        guard var rate else { return }
        let passed = (now - rate.last) / .seconds(1)
        rate.allowance += passed * Double(rate.bytesPerSecond)
        rate.last = now
        self.rate = now < rate.until ? rate : nil
    }
}
