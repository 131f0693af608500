import Synchronization

/// Says each time that a connection to a cluster has ended, with or without a request on it. A
/// server that restarts ends its connections, and may have forgotten what it acknowledged.
public final class LossSignal: Sendable {
    private let handler = Mutex<(@Sendable () -> Void)?>(nil)

    public init() {}

    /// Calls `handler` from now on, and the one before no more.
    public func watch(_ handler: @escaping @Sendable () -> Void) {
        self.handler.withLock { $0 = handler }
    }

    public func occurred() {
        handler.withLock { $0 }?()
    }
}
