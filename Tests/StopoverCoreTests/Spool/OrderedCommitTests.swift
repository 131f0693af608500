import Synchronization
import Testing

@testable import StopoverCore

@Suite("Workers that record in order")
struct OrderedCommitTests {
    private struct Failure: Error {}

    private struct Item: Sendable {
        var split: SplitID
        var ordinal: Int
    }

    /// A ledger that takes its time: others become ready meanwhile.
    private final class SlowLedger: Sendable {
        private let state = Mutex<(items: [Item], isWriting: Bool)>(([], false))

        var items: [Item] { state.withLock(\.items) }

        func record(_ ready: [Item]) async throws {
            state.withLock { state in
                #expect(!state.isWriting)
                state.isWriting = true
            }
            for _ in 0..<Int.random(in: 0..<5) { await Task.yield() }
            state.withLock { state in
                state.items += ready
                state.isWriting = false
            }
        }
    }

    @Test("record every item once, in the order of its split, one transaction at a time")
    func inOrder() async throws {
        let order = OrderedCommit<Item>()
        let ledger = SlowLedger()
        let splits = [SplitID(1), SplitID(2)]
        let items = splits.flatMap { split in (0..<200).map { Item(split: split, ordinal: $0) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for item in items.shuffled() {
                group.addTask {
                    try await order.sealed(
                        item, split: item.split, ordinal: item.ordinal, record: ledger.record)
                }
            }
            try await group.waitForAll()
        }
        for split in splits {
            let ordinals = ledger.items.filter { $0.split == split }.map(\.ordinal)
            #expect(ordinals == Array(0..<200))
        }
    }

    @Test("record nothing behind what could not be recorded")
    func error() async throws {
        let order = OrderedCommit<Int>()
        let split = SplitID(1)
        await #expect(throws: Failure.self) {
            try await order.sealed(0, split: split, ordinal: 0) { _ in throw Failure() }
        }
        try await order.sealed(1, split: split, ordinal: 1) { items in
            Issue.record("\(items) is recorded behind a hole")
        }
    }
}
