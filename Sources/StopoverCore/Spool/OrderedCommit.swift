import Synchronization

/// Records what the workers of one run have sealed: in ``CommitOrder``, one transaction after the
/// other.
///
/// The order in which items become ready must be the order of their transactions. Handed to the
/// ledger side by side, chunk 5 was sometimes recorded before chunk 4: the split's position was past
/// rows that were recorded nowhere, chunk 4 was refused, and the next run read on behind them [35 of
/// 6,000 rows lost in one of 30 runs without any fault]. So one worker records at a time, and what
/// becomes ready meanwhile is left to it.
final class OrderedCommit<Item: Sendable>: Sendable {
    private struct State {
        var order = CommitOrder<Item>()
        var ready: [Item] = []
        var isRecording = false
    }

    private let state = Mutex(State())

    /// Returns when everything that is ready is recorded, or left to the worker that records. After
    /// an error nothing is recorded any more: what followed would lie behind a hole.
    func sealed(
        _ item: Item, split: SplitID, ordinal: Int, record: ([Item]) async throws -> Void
    ) async throws {
        let records = state.withLock { state in
            state.ready += state.order.sealed(item, split: split, ordinal: ordinal)
            if state.isRecording { return false }
            state.isRecording = true
            return true
        }
        guard records else { return }
        while let items = next() { try await record(items) }
    }

    private func next() -> [Item]? {
        state.withLock { state in
            guard !state.ready.isEmpty else {
                state.isRecording = false
                return nil
            }
            defer { state.ready = [] }
            return state.ready
        }
    }
}
