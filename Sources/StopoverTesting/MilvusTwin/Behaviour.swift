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
            /// A Query answers at most this many rows, whatever its limit.
            case truncatePage(rows: Int)
            /// These bytes are the reply; nothing is done.
            case reply([UInt8])
        }

        let decide: @Sendable (Call) -> Fault?

        public init(_ decide: @escaping @Sendable (Call) -> Fault?) { self.decide = decide }

        /// Does as it is told.
        public static let normal = Behaviour { _ in nil }

        /// One fault in the calls of one method that have these numbers.
        public static func fault(
            _ fault: Fault, of method: String, calls: ClosedRange<Int> = 1...Int.max
        ) -> Behaviour {
            Behaviour { call in
                call.method == method && calls.contains(call.number) ? fault : nil
            }
        }
    }
}

/// The behaviour of the day, and how often each method was called under it.
final class FaultSeam: Sendable {
    private let state: Mutex<(behaviour: MilvusTwin.Behaviour, calls: [TwinMethod: Int])>

    init(_ behaviour: MilvusTwin.Behaviour) { state = Mutex((behaviour, [:])) }

    /// Counting begins anew.
    func become(_ behaviour: MilvusTwin.Behaviour) {
        state.withLock { $0 = (behaviour, [:]) }
    }

    func calls(of method: TwinMethod) -> Int { state.withLock { $0.calls[method] ?? 0 } }

    func fault(in method: TwinMethod) -> MilvusTwin.Behaviour.Fault? {
        let (behaviour, number) = state.withLock { state in
            let number = (state.calls[method] ?? 0) + 1
            state.calls[method] = number
            return (state.behaviour, number)
        }
        return behaviour.decide(.init(method: method.rawValue, number: number))
    }
}
