extension Engine {
    /// Repeats a read, or a change that may be repeated, while it fails with an error that passes
    /// by itself: a restart, a rate limit, a lost connection. What is waited for is on the board.
    /// Never for an Insert: those are the ``LoadCoordinator``'s.
    func retryingReads<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await retrying(.source, body)
    }

    func retryingControl<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await retrying(.target, body)
    }

    private func retrying<Value: Sendable>(
        _ side: WaitingSide, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        var patience = Patience()
        while true {
            do {
                let value = try await body()
                if patience.failures > 0 { board.waitingEnded(side) }
                return value
            } catch let error as StopoverError where error.isTransient {
                if stop.isRequested { throw StopoverError.interrupted }
                waiting(side, because: error, again: patience.failures > 0)
                try await stop.sleep(for: patience.failed())
            }
        }
    }
}

extension Engine {
    /// Something did not work, and is tried again after a pause: on the board, and once for all tries
    /// in the error log.
    func waiting(_ side: WaitingSide, because error: StopoverError, again: Bool) {
        board.waiting(side, because: error.message)
        // A log that cannot be written is no reason to end a migration.
        if !again { try? errors.append(error, waitedFor: true) }
    }
}

extension StopoverError {
    static let interrupted = StopoverError(
        .interrupted, "stopped before the end", remedy: "Run the same command again: it carries on."
    )
}

extension StopoverError.Code {
    public static let interrupted = Self("STO-INTERRUPTED", exit: .interrupted)
}
