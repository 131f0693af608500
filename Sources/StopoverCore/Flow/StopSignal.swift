import Synchronization

/// Asked for once, from anywhere (a signal handler, a test): stop reading, let what is under way
/// end, keep everything resumable.
public final class StopSignal: Sendable {
    private struct State {
        var isRequested = false
        var handlers: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    public init() {}

    public var isRequested: Bool { state.withLock { $0.isRequested } }

    public func request() {
        let handlers = state.withLock { state in
            state.isRequested = true
            defer { state.handlers = [] }
            return state.handlers
        }
        handlers.forEach { $0() }
    }

    /// Called once, at once when the stop was requested already.
    public func whenRequested(_ handler: @escaping @Sendable () -> Void) {
        let isRequested = state.withLock { state in
            if !state.isRequested { state.handlers.append(handler) }
            return state.isRequested
        }
        if isRequested { handler() }
    }

    /// Sleeps, but no longer than a moment after the stop was requested.
    func sleep(for duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while !isRequested, ContinuousClock.now < end {
            try await Task.sleep(
                until: min(end, .now + StopSignal.moment), clock: .continuous)
        }
    }

    private static let moment = Duration.milliseconds(200)
}
