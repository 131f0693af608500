import GRPCCore

extension MilvusTwin {
    /// A fault, and which calls it meets: the same ones for the same seed and order of calls.
    ///
    /// In words, as `milvus-twin` takes them, it is `METHOD WHEN FAULT`:
    ///
    ///     Insert every 7 part-then-fail unavailable
    ///     Query chance 0.05 refuse 8 too fast
    ///     * calls 10-20 delay 0.5
    public struct FaultRule: Sendable {
        public enum Turn: Sendable, Hashable {
            case always
            case calls(ClosedRange<Int>)
            /// The 7th, the 14th and so on.
            case every(Int)
            /// From 0 to 1.
            case chance(Double)
        }

        /// As on the wire; nil is every method.
        public var method: String?
        public var turn: Turn
        public var fault: Behaviour.Fault

        public init(_ method: String?, _ turn: Turn = .always, _ fault: Behaviour.Fault) {
            self.method = method
            self.turn = turn
            self.fault = fault
        }

        func meets(_ call: Behaviour.Call, seed: UInt64) -> Bool {
            guard method == nil || method == call.method else { return false }
            switch turn {
            case .always: return true
            case .calls(let numbers): return numbers.contains(call.number)
            case .every(let count): return call.number % count == 0
            case .chance(let chance):
                var random = SeededRandom(
                    seed: Array(call.method.utf8).withUnsafeBytes { Checksum.value(seed, $0) }
                        ^ Checksum.key(Int64(call.number)))
                return Double.random(in: 0..<1, using: &random) < chance
            }
        }
    }
}

extension MilvusTwin.FaultRule {
    /// What is wrong with the words of a rule.
    public struct Unreadable: Error, CustomStringConvertible {
        public var description: String
    }

    /// - Throws: `Unreadable`.
    public init(_ text: String) throws {
        var words = text.split(separator: " ")[...]
        func next(_ what: String) throws -> String {
            guard let word = words.popFirst() else {
                throw Unreadable(description: "`\(text)` ends where \(what) is missing")
            }
            return String(word)
        }
        func number<Value: LosslessStringConvertible>(_ what: String) throws -> Value {
            let word = try next(what)
            guard let value = Value(word) else {
                throw Unreadable(description: "`\(word)` in `\(text)` is not \(what)")
            }
            return value
        }
        let name = try next("a method")
        guard name == "*" || TwinMethod(rawValue: name) != nil else {
            throw Unreadable(description: "`\(name)` is no method that the twin knows")
        }
        method = name == "*" ? nil : name
        switch try next("always, call, calls, every or chance") {
        case "always": turn = .always
        case "call":
            let only: Int = try number("a number of a call")
            turn = .calls(only...only)
        case "calls":
            let ends = try next("a range of numbers").split(separator: "-").compactMap { Int($0) }
            guard ends.count == 2, ends[0] <= ends[1] else {
                throw Unreadable(description: "`\(text)` has no range as 3-9")
            }
            turn = .calls(ends[0]...ends[1])
        case "every":
            let count: Int = try number("a number of calls")
            guard count > 0 else { throw Unreadable(description: "every 0th call is none") }
            turn = .every(count)
        case "chance": turn = .chance(try number("a chance from 0 to 1"))
        case let other: throw Unreadable(description: "`\(other)` in `\(text)` says no turn")
        }
        func status() throws -> RPCError.Code {
            let word = try next("a status of gRPC")
            guard let code = MilvusTwin.FaultRule.statuses[word] else {
                throw Unreadable(description: "`\(word)` is no status of gRPC that is known here")
            }
            return code
        }
        switch try next("a fault") {
        case "refuse":
            fault = .refuse(
                code: try number("a code of Milvus"), reason: words.joined(separator: " "))
        case "fail": fault = .fail(try status())
        case "apply-then-fail": fault = .applyThenFail(try status())
        case "part-then-fail": fault = .applyPartThenFail(try status())
        case "delay": fault = .delay(.seconds(try number("a number of seconds") as Double))
        case "truncate": fault = .truncatePage(rows: try number("a number of rows"))
        case "restart":
            fault = .restart(down: .seconds(try number("a number of seconds") as Double))
        case "distort":
            let word = try next("a distortion")
            guard let distortion = MilvusTwin.Distortion(rawValue: word) else {
                throw Unreadable(description: "`\(word)` is no distortion")
            }
            fault = .distort(distortion)
        case let other: throw Unreadable(description: "`\(other)` in `\(text)` is no fault")
        }
    }

    private static let statuses: [String: RPCError.Code] = [
        "unavailable": .unavailable, "deadline-exceeded": .deadlineExceeded,
        "unimplemented": .unimplemented, "resource-exhausted": .resourceExhausted,
        "cancelled": .cancelled, "internal": .internalError, "unknown": .unknown,
        "unauthenticated": .unauthenticated, "permission-denied": .permissionDenied,
    ]
}

extension MilvusTwin.Behaviour.Fault {
    /// As a rule has it.
    var name: String {
        switch self {
        case .refuse: "refuse"
        case .fail: "fail"
        case .delay: "delay"
        case .applyThenFail: "apply-then-fail"
        case .applyPartThenFail: "part-then-fail"
        case .truncatePage: "truncate"
        case .reply: "reply"
        case .distort(let distortion): "distort \(distortion.rawValue)"
        case .restart: "restart"
        }
    }
}
