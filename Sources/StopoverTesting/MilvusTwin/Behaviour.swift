import GRPCCore
import Synchronization

extension MilvusTwin {
    /// Where a test makes the server misbehave: asked before every call, in the order in which
    /// calls arrive.
    public struct Behaviour: Sendable {
        public struct Call: Sendable, Hashable {
            /// As on the wire: `Query`.
            public var method: String
            /// Counts the calls of this method, from 1.
            public var number: Int
        }

        public enum Fault: Sendable {
            /// A reply with this status inside; nothing is done.
            case refuse(code: Int32, reason: String)
            /// gRPC's own error; nothing is done.
            case fail(RPCError.Code, message: String = "the twin was told to fail")
            /// The call waits, then runs as ever: it meets what was changed meanwhile.
            case delay(Duration)
            /// The call runs as ever, and the caller is told that it failed.
            case applyThenFail(RPCError.Code, message: String = "the twin was told to fail")
            /// A write takes the rows of one of two shards, and the caller is told that it failed.
            case applyPartThenFail(RPCError.Code, message: String = "one shard of two failed")
            /// A Query answers at most this many rows, whatever its limit.
            case truncatePage(rows: Int)
            /// These bytes are the reply; nothing is done.
            case reply([UInt8])
            /// The call runs as ever, and its reply says something else.
            case distort(Distortion)
            /// Nothing is done, and the server goes down: see ``MilvusTwin/restart(down:)``.
            case restart(down: Duration)
        }

        let decide: @Sendable (Call) -> [Fault]

        public init(_ decide: @escaping @Sendable (Call) -> Fault?) {
            self.decide = { call in decide(call).map { [$0] } ?? [] }
        }

        /// Every rule that meets a call has its effect on it: a delay, say, and a failure behind it.
        /// - Parameter seed: decides what the rules leave to chance.
        public init(_ rules: [FaultRule], seed: UInt64 = 0) {
            decide = { call in
                rules.enumerated().filter { index, rule in
                    rule.meets(call, seed: seed &+ UInt64(index) &* Checksum.golden)
                }.map(\.element.fault)
            }
        }

        /// Does as it is told.
        public static let normal = Behaviour { _ in nil }

        /// One fault in the calls of one method that have these numbers.
        public static func fault(
            _ fault: Fault, of method: String, calls: ClosedRange<Int> = 1...Int.max
        ) -> Behaviour {
            Behaviour([FaultRule(method, .calls(calls), fault)])
        }
    }
}

/// The behaviour of the day, and how often each method was called under it.
final class FaultSeam: Sendable {
    private struct State: Sendable {
        var behaviour: MilvusTwin.Behaviour
        var calls: [TwinMethod: Int] = [:]
        var faults: [String: Int] = [:]
    }
    private let state: Mutex<State>

    init(_ behaviour: MilvusTwin.Behaviour) { state = Mutex(State(behaviour: behaviour)) }

    /// Counting begins anew.
    func become(_ behaviour: MilvusTwin.Behaviour) {
        state.withLock { $0 = State(behaviour: behaviour) }
    }

    func calls(of method: TwinMethod) -> Int { state.withLock { $0.calls[method] ?? 0 } }

    /// By name, of what was called and of what went wrong.
    var counts: (calls: [String: Int], faults: [String: Int]) {
        state.withLock { state in
            var calls: [String: Int] = [:]
            for (method, count) in state.calls { calls[method.rawValue] = count }
            return (calls, state.faults)
        }
    }

    func faults(in method: TwinMethod) -> [MilvusTwin.Behaviour.Fault] {
        let (behaviour, number) = state.withLock { state in
            let number = (state.calls[method] ?? 0) + 1
            state.calls[method] = number
            return (state.behaviour, number)
        }
        let faults = behaviour.decide(.init(method: method.rawValue, number: number))
        if !faults.isEmpty {
            state.withLock { state in
                for fault in faults { state.faults[fault.name, default: 0] += 1 }
            }
        }
        return faults
    }
}
