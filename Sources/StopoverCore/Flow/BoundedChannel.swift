import DequeModule
import Synchronization

/// A queue between two stages, bounded by weight (bytes), with many producers and many consumers.
///
/// `send` suspends while the channel is full, `next` while it is empty. An element heavier than
/// the whole channel passes when the channel is empty, so that a limit never becomes a deadlock.
/// `finish` lets the consumers drain what is inside and then get nil; `fail` drops what is inside
/// and wakes everybody with `CancellationError`. A cancelled task leaves its wait with
/// `CancellationError` and loses nothing that another task could still take.
public final class BoundedChannel<Element: Sendable>: Sendable {
    fileprivate struct Waiting<Value: Sendable> {
        var id: UInt64
        var weight: Int
        var continuation: CheckedContinuation<Value, any Error>
    }

    fileprivate struct State {
        var elements: Deque<(Element, Int)> = []
        var weight = 0
        var isFinished = false
        var isFailed = false
        var producers: Deque<Waiting<Void>> = []
        var consumers: Deque<Waiting<Element?>> = []
        var nextID: UInt64 = 0
        /// Cancelled before they began to wait: the handler can run before the continuation is stored.
        var cancelledEarly: Set<UInt64> = []
    }

    private enum SendStep {
        case sent
        case handedOver(
            to: CheckedContinuation<Element?, any Error>,
            roomFor: [CheckedContinuation<Void, any Error>])
        case wait(UInt64)
        case ended
    }

    public let capacity: Int
    private let weigh: @Sendable (Element) -> Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: the greatest total weight inside, above 0.
    ///   - weigh: the weight of an element, asked once.
    public init(capacity: Int, weigh: @escaping @Sendable (Element) -> Int) {
        precondition(capacity > 0, "a channel must hold something")
        self.capacity = capacity
        self.weigh = weigh
    }

    /// Total weight inside now, for gauges.
    public var weight: Int { state.withLock { $0.weight } }

    /// Puts an element in, waiting for room. Throws `CancellationError` when the task is
    /// cancelled or the channel has ended.
    public func send(_ element: Element) async throws {
        let weight = weigh(element)
        while true {
            let step: SendStep = state.withLock { state in
                if state.isFailed || state.isFinished { return .ended }
                if let consumer = state.consumers.popFirst() {
                    // The room that this producer may have been woken for is left to the next.
                    return .handedOver(
                        to: consumer.continuation, roomFor: state.producersThatFit(capacity))
                }
                if state.elements.isEmpty || state.weight + weight <= capacity {
                    state.elements.append((element, weight))
                    state.weight += weight
                    return .sent
                }
                state.nextID += 1
                return .wait(state.nextID)
            }
            switch step {
            case .sent: return
            case .handedOver(let consumer, let producers):
                producers.forEach { $0.resume() }
                consumer.resume(returning: element)
                return
            case .ended: throw CancellationError()
            case .wait(let id): try await waitForRoom(id, weight: weight)
            }
        }
    }

    /// Takes the oldest element, waiting for one; nil when the channel is finished and empty.
    public func next() async throws -> Element? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Element?, any Error>) in
                let now: (Result<Element?, any Error>, [CheckedContinuation<Void, any Error>])? =
                    state.withLock { state in
                        if state.cancelledEarly.remove(id) != nil || state.isFailed {
                            return (.failure(CancellationError()), [])
                        }
                        if let (element, weight) = state.elements.popFirst() {
                            state.weight -= weight
                            return (.success(element), state.producersThatFit(capacity))
                        }
                        if state.isFinished { return (.success(nil), []) }
                        state.consumers.append(
                            Waiting(id: id, weight: 0, continuation: continuation))
                        return nil
                    }
                if let (result, producers) = now {
                    producers.forEach { $0.resume() }
                    continuation.resume(with: result)
                }
            }
        } onCancel: {
            let consumer = state.withLock { state -> CheckedContinuation<Element?, any Error>? in
                guard let at = state.consumers.firstIndex(where: { $0.id == id }) else {
                    state.cancelledEarly.insert(id)
                    return nil
                }
                return state.consumers.remove(at: at).continuation
            }
            consumer?.resume(throwing: CancellationError())
        }
    }

    /// No more elements: consumers drain what is inside, then get nil. May be repeated.
    public func finish() {
        let (producers, consumers) = state.withLock { state in
            state.isFinished = true
            return state.takeAllWaiting()
        }
        producers.forEach { $0.resume(throwing: CancellationError()) }
        consumers.forEach { $0.resume(returning: nil) }
    }

    /// The work is given up: what is inside is dropped and everybody is woken. May be repeated.
    public func fail() {
        let (producers, consumers) = state.withLock { state in
            state.isFailed = true
            state.elements.removeAll()
            state.weight = 0
            return state.takeAllWaiting()
        }
        producers.forEach { $0.resume(throwing: CancellationError()) }
        consumers.forEach { $0.resume(throwing: CancellationError()) }
    }

    private func waitForRoom(_ id: UInt64, weight: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                let now: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelledEarly.remove(id) != nil || state.isFailed || state.isFinished
                    {
                        return .failure(CancellationError())
                    }
                    if state.elements.isEmpty || state.weight + weight <= capacity {
                        return .success(())
                    }
                    state.producers.append(
                        Waiting(id: id, weight: weight, continuation: continuation))
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            let producer = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let at = state.producers.firstIndex(where: { $0.id == id }) else {
                    state.cancelledEarly.insert(id)
                    return nil
                }
                return state.producers.remove(at: at).continuation
            }
            producer?.resume(throwing: CancellationError())
        }
    }
}

extension BoundedChannel.State {
    /// The producers that could put their element in now. They are woken, not served: each looks
    /// again, so a wake-up for too many costs a second wait, never an element over the limit.
    fileprivate mutating func producersThatFit(
        _ capacity: Int
    ) -> [CheckedContinuation<Void, any Error>] {
        var woken: [CheckedContinuation<Void, any Error>] = []
        var expected = weight
        while let first = producers.first,
            expected + first.weight <= capacity || (elements.isEmpty && woken.isEmpty)
        {
            expected += first.weight
            woken.append(producers.removeFirst().continuation)
        }
        return woken
    }

    fileprivate mutating func takeAllWaiting()
        -> ([CheckedContinuation<Void, any Error>], [CheckedContinuation<Element?, any Error>])
    {
        defer {
            producers.removeAll()
            consumers.removeAll()
        }
        return (producers.map(\.continuation), consumers.map(\.continuation))
    }
}
