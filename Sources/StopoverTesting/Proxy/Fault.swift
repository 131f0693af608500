/// What a ``FaultProxy`` does to a connection, once it is met by one.
///
/// The first three are of a request, and happen when its message is whole: nothing of it is missing
/// on the way but what the fault withholds. The others happen in the middle of bytes.
public enum Fault: Hashable, Sendable {
    /// The request arrives; its answer is swallowed, and the client cut off instead.
    case dropAnswer
    /// The client is cut off at once; the last byte of its request, and what came behind it,
    /// arrives only after this time. A *late* request.
    case hold(for: Duration)
    /// All that the connection carried from its first byte to the end of this request is delivered
    /// a second time, on a connection of its own; the client sees nothing of it.
    case deliverTwice(after: Duration)
    /// Both sides are cut off, whatever was under way.
    case reset
    /// Silence in both directions without a close, then a reset: a peer that has vanished.
    case halfOpen(for: Duration)
    /// Silence in both directions, after which every byte goes on: deadlines pass, and the
    /// cancellation arrives behind the request.
    case stall(for: Duration)
    /// Both directions pass so many bytes a second, for a while.
    case throttle(bytesPerSecond: Int, for: Duration)
    /// Every connection is reset, and for a while none is taken.
    case refuse(for: Duration)
    /// So many bytes more in this direction, then a reset.
    case cut(afterBytes: Int, Direction)

    public enum Direction: String, Sendable, CaseIterable {
        case requests
        case answers
    }

    public enum Kind: String, Sendable, CaseIterable {
        case dropAnswer, hold, deliverTwice, reset, halfOpen, stall, throttle, refuse, cut
    }

    public var kind: Kind {
        switch self {
        case .dropAnswer: .dropAnswer
        case .hold: .hold
        case .deliverTwice: .deliverTwice
        case .reset: .reset
        case .halfOpen: .halfOpen
        case .stall: .stall
        case .throttle: .throttle
        case .refuse: .refuse
        case .cut: .cut
        }
    }

    /// Whether it waits for the end of a request.
    var isOfWholeRequest: Bool {
        switch self {
        case .dropAnswer, .hold, .deliverTwice: true
        case .reset, .halfOpen, .stall, .throttle, .refuse, .cut: false
        }
    }
}

/// What a ``FaultProxy`` did so far.
public struct FaultCounts: Sendable, Hashable {
    /// Connections of clients.
    public var connections = 0
    /// Bytes that went on, either way.
    public var bytes = 0
    /// Faults that met a connection.
    public var faults: [Fault.Kind: Int] = [:]
    /// Held requests that the server answered after their client was gone.
    public var lateAnswers = 0
    /// Requests of connections that were delivered twice, which the server answered again.
    public var secondAnswers = 0

    public var total: Int { faults.values.reduce(0, +) }
}

/// A fault, and what it waits for: a request whose message has at least so many bytes.
struct FaultOrder: Sendable {
    var fault: Fault
    var requestBytes: Int
}
