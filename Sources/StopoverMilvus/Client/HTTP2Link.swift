import NIOCore
import NIOPosix
import StopoverCore
import Synchronization

/// One connection to a cluster, made when it is needed and made again when it is lost.
final class HTTP2Link: Sendable {
    private struct State {
        var stage = LinkStage()
        /// Of the stage `.connecting` and `.open`.
        var connection: EventLoopFuture<HTTP2Connection>?
    }

    private let route: HTTP2Route
    private let loop: any EventLoop
    private let losses: LossSignal
    private let state = Mutex(State())

    init(_ route: HTTP2Route, on loop: any EventLoop, losses: LossSignal) {
        self.route = route
        self.loop = loop
        self.losses = losses
    }

    /// Waits while it is being made; fails at once between two tries.
    func connection() async throws(CallFailure) -> HTTP2Connection {
        let promise = loop.makePromise(of: HTTP2Connection.self)
        let (step, known) = state.withLock { state in
            let step = state.stage.wanted(at: .now)
            if case .connect = step { state.connection = promise.futureResult }
            return (step, state.connection)
        }
        switch step {
        case .connect(let attempt): begin(attempt, promise)
        case .use: promise.fail(CancellationError())
        case .fail(let why):
            promise.fail(CancellationError())
            throw CallFailure(.unavailable, why, wasSent: false)
        }
        do {
            return try await (known ?? promise.futureResult).get()
        } catch {
            throw CallFailure(.unavailable, HTTP2Link.words(error), wasSent: false)
        }
    }

    /// For good: what is under way on it fails.
    func close() {
        let connection = state.withLock { state in
            state.stage.closed()
            return state.connection
        }
        connection?.whenSuccess { $0.channel.close(promise: nil) }
    }

    private func begin(_ attempt: Int, _ promise: EventLoopPromise<HTTP2Connection>) {
        let made = route.connect(on: loop, losses: losses) { [weak self] in
            self?.state.withLock { $0.stage.ended(attempt) }
        }
        made.whenComplete { [weak self] result in
            let isWanted =
                self?.state.withLock { state in
                    switch result {
                    case .success: state.stage.opened(attempt)
                    case .failure(let error):
                        state.stage.failed(attempt, HTTP2Link.words(error), at: .now)
                    }
                } ?? false
            if case .success(let connection) = result, !isWanted {
                connection.channel.close(promise: nil)
            }
            promise.completeWith(result)
        }
    }

    /// The innermost reason, as a clause.
    private static func words(_ error: any Error) -> String {
        guard let several = error as? NIOConnectionError else { return String(describing: error) }
        let reason: any Error =
            several.connectionErrors.first?.error ?? several.dnsAError ?? several.dnsAAAAError
            ?? several
        return String(describing: reason)
    }
}

/// Where a connection stands, and when it may be tried again. A pure value: it is told the time.
struct LinkStage {
    enum Step: Hashable {
        /// Begin an attempt, of this number.
        case connect(Int)
        /// There is one, or one is being made.
        case use
        /// It was tried a moment ago, and will be again.
        case fail(String)
    }

    private enum Phase {
        case idle
        case connecting
        case open
        case resting(until: ContinuousClock.Instant, why: String)
        case closed
    }

    private var phase = Phase.idle
    private var attempt = 0
    private var delay = MilvusLimits.firstReconnectDelay

    mutating func wanted(at now: ContinuousClock.Instant) -> Step {
        switch phase {
        case .connecting, .open: return .use
        case .closed: return .fail("the connection was closed by us")
        case .resting(let end, let why) where now < end: return .fail(why)
        case .idle, .resting:
            attempt += 1
            phase = .connecting
            return .connect(attempt)
        }
    }

    /// Whether it is still wanted.
    mutating func opened(_ attempt: Int) -> Bool {
        guard attempt == self.attempt, case .connecting = phase else { return false }
        phase = .open
        delay = MilvusLimits.firstReconnectDelay
        return true
    }

    @discardableResult
    mutating func failed(_ attempt: Int, _ why: String, at now: ContinuousClock.Instant) -> Bool {
        guard attempt == self.attempt, case .connecting = phase else { return false }
        phase = .resting(until: now + delay, why: why)
        delay = min(delay * 2, MilvusLimits.longestReconnectDelay)
        return true
    }

    /// An open connection is over, or takes no new calls.
    mutating func ended(_ attempt: Int) {
        guard attempt == self.attempt, case .open = phase else { return }
        phase = .idle
    }

    mutating func closed() { phase = .closed }
}
