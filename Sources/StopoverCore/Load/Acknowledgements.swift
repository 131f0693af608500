import Synchronization

/// Acknowledgements that are not recorded yet, where keys are ours: they are recorded with what comes
/// next, or after a second.
///
/// None has to be durable before its rows are flushed: a run that takes over trusts no acknowledgement
/// of an earlier one that was not (``LoadCoordinator/resumed(_:_:spooled:acked:tainted:)``), so what is
/// lost here is what would be settled anyway. It saves a transaction a chunk. Keys that the target made
/// are another matter: they name rows that nothing else names, and are recorded at once.
final class Acknowledgements: Sendable {
    /// After so long they are recorded, for those who look at the job meanwhile.
    static let longest = Duration.seconds(1)

    private struct State {
        var held: [LedgerEntry] = []
        var since = ContinuousClock.now
    }
    private let state = Mutex(State())

    func hold(_ entry: LedgerEntry) {
        state.withLock { state in
            if state.held.isEmpty { state.since = .now }
            state.held.append(entry)
        }
    }

    var areDue: Bool {
        state.withLock { !$0.held.isEmpty && .now - $0.since >= Acknowledgements.longest }
    }

    /// All that are held, to be recorded before anything else.
    func take() -> [LedgerEntry] {
        state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
    }
}
