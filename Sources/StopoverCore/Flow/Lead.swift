import Synchronization

/// How far reading is ahead of loading, in bytes of rows, and how far it may be.
///
/// A source that is faster than its target would fill the spool at once, and take processor and disk
/// from whatever shares them with it, the target perhaps, for rows that nobody can take yet. So
/// reading waits while more rest here than make up for a pause of the source. But only while rows are
/// taken: what a target does not take now, for it is down, is read on, up to the limit of the spool.
final class Lead: Sendable {
    /// What the fastest target takes in a second or two, and a usual one in ten.
    static let most: Int64 = 512 << 20
    /// Without a row taken for so long the target takes none.
    static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(20)

    private struct State {
        var ahead: Int64 = 0
        var lastLoaded: ContinuousClock.Instant?
    }
    private let state = Mutex(State())
    private let most: Int64

    init(most: Int64 = Lead.most) { self.most = most }

    /// A chunk rests here, to be sent.
    func spooled(_ bytes: Int) { state.withLock { $0.ahead += Int64(bytes) } }

    /// Rows were acknowledged; those that are written again were counted before.
    func loaded(_ bytes: Int) {
        state.withLock { state in
            state.ahead = max(state.ahead - Int64(bytes), 0)
            state.lastLoaded = .now
        }
    }

    /// Whether to read on.
    func isShort(at now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            guard state.ahead > most, let last = state.lastLoaded else { return true }
            return now - last > Lead.patience
        }
    }

    /// Returns when it is time to read on, or a stop was requested.
    func wait(_ stop: StopSignal) async throws {
        while !isShort(), !stop.isRequested { try await Task.sleep(for: Lead.pause) }
    }
}
