import Synchronization

/// How far reading is ahead of loading, in bytes of rows, and how far it may be.
///
/// A source that is faster than its target would fill the spool at once, and take processor, memory and
/// disk from whatever shares them with it, the target perhaps, for rows that nobody can take yet, and that
/// have to be read back from the disk. So reading waits while more rest here than are kept in memory, too.
/// But only while rows are taken, or can be: while the target is in trouble, or a fence stands, reading goes
/// on up to the limit of the spool. That a target is slow to answer is no trouble: a request of 8 MiB takes
/// Lite 3 seconds.
final class Lead: Sendable {
    /// Trouble that is over sooner is a hitch.
    static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(20)

    private struct State {
        /// Chunks that wait to be taken, with the bytes of their rows.
        var waiting: [ChunkID: Int] = [:]
        var ahead: Int64 = 0
        /// Since when the target takes no rows; nil while it does.
        var heldSince: ContinuousClock.Instant?
    }
    private let state = Mutex(State())
    private let most: Int64

    init(most: Int64) { self.most = most }

    /// A chunk rests here, to be sent.
    func spooled(_ chunk: ChunkID, bytes: Int) {
        state.withLock { state in
            state.waiting[chunk] = bytes
            state.ahead += Int64(bytes)
        }
    }

    /// The target takes its rows.
    func taken(_ chunk: ChunkID) {
        left([chunk])
        state.withLock { $0.heldSince = nil }
    }

    /// They wait no longer: they are taken, or in doubt until a fence.
    func left(_ chunks: [ChunkID]) {
        state.withLock { state in
            for chunk in chunks {
                state.ahead -= Int64(state.waiting.removeValue(forKey: chunk) ?? 0)
            }
        }
    }

    /// The target takes no rows for now.
    func held(at now: ContinuousClock.Instant = .now) {
        state.withLock { $0.heldSince = $0.heldSince ?? now }
    }

    /// Whether to read on.
    func isShort(at now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            if state.ahead <= most { return true }
            return state.heldSince.map { now - $0 > Lead.patience } ?? false
        }
    }

    /// Returns when it is time to read on, or a stop was requested.
    func wait(_ stop: StopSignal) async throws {
        while !isShort(), !stop.isRequested { try await Task.sleep(for: Lead.pause) }
    }
}
