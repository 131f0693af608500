import StopoverCore
import Synchronization

/// What a planned fault does to the call at its point.
public enum PointFault: String, Sendable, CaseIterable {
    /// Our process dies, and the call was never made.
    case crashBefore
    /// Our process dies, and the call was carried out.
    case crashAfter
    /// Our process dies, and half of the call was carried out.
    case torn
    /// The call fails, and nothing of it was done.
    case error
    /// The same, for want of room.
    case full
    /// The call was carried out, and no answer came.
    case unanswered
    /// Half of the call was carried out, and no answer came.
    case half
    /// Our process dies, and the call is carried out some time later.
    case late
    /// The server dies and starts again: what it had not flushed is gone, and the call with it.
    case serverLost
    /// The call was carried out, its answer came, and it was carried out once more.
    case twice

    public static let ofDisk: [PointFault] = [.crashBefore, .torn, .crashAfter, .error, .full]
    /// Whether our process dies of it.
    var kills: Bool { [.crashBefore, .crashAfter, .torn, .late].contains(self) }
}

/// A fault, and the call that it strikes: the `point`-th, from 0, of the disk or of the target.
public struct PlannedFault: Sendable, Hashable, CustomStringConvertible {
    public enum Place: String, Sendable, CaseIterable {
        case disk
        case target
    }

    public var place: Place
    public var point: Int
    public var fault: PointFault

    public init(_ place: Place, _ point: Int, _ fault: PointFault) {
        self.place = place
        self.point = point
        self.fault = fault
    }

    public var description: String { "\(place.rawValue):\(point):\(fault.rawValue)" }
}

/// The numbered calls of one life of our process, to its disk and to the target: at each of them a
/// fault may be planned. After a fault that kills, every call is refused.
public final class FaultPoints: Sendable {
    public enum Verdict: Sendable, Equatable {
        case pass
        case fault(PointFault)
        /// The process is dead: there is nobody to answer.
        case dead
    }

    private struct State {
        var counts: [PlannedFault.Place: Int] = [:]
        var isDead = false
        var struck: [String] = []
        var trace: [String] = []
    }

    private let faults: [PlannedFault]
    private let traces: Bool
    private let state = Mutex(State())
    /// Ends what waits for an answer that a dead process would not wait for.
    let death = StopSignal()

    public init(_ faults: [PlannedFault] = [], traces: Bool = false) {
        self.faults = faults
        self.traces = traces
    }

    public func pass(_ place: PlannedFault.Place, _ call: @autoclosure () -> String) -> Verdict {
        let verdict: Verdict = state.withLock { state in
            guard !state.isDead else { return .dead }
            let point = state.counts[place, default: 0]
            state.counts[place] = point + 1
            let planned = faults.first { $0.place == place && $0.point == point }
            if traces {
                let mark = planned.map { "  <== \($0.fault.rawValue)" } ?? ""
                state.trace.append("\(place.rawValue) \(point): \(call())\(mark)")
            }
            guard let planned else { return .pass }
            state.struck.append("\(call()) [\(planned)]")
            state.isDead = planned.fault.kills
            return .fault(planned.fault)
        }
        if case .fault(let fault) = verdict, fault.kills { death.request() }
        return verdict
    }

    public func note(_ line: String) {
        guard traces else { return }
        state.withLock { $0.trace.append(line) }
    }

    public var isDead: Bool { state.withLock { $0.isDead } }
    /// The calls that faults struck, with the faults.
    public var struck: [String] { state.withLock { $0.struck } }
    public var trace: [String] { state.withLock { $0.trace } }
    public func count(of place: PlannedFault.Place) -> Int {
        state.withLock { $0.counts[place] ?? 0 }
    }
}
