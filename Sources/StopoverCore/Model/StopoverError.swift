/// An error as an instruction: a stable code, one sentence, and what to do next.
///
/// `message` and `remedy` are for people and may change; decisions are made on `code` alone.
public struct StopoverError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    /// One sentence, without the code and without a trailing remedy.
    public var message: String
    /// What to do next: a sentence or a command that can be pasted.
    public var remedy: String
    /// What another component said, verbatim, when this error stands for it.
    public var cause: String?
    /// It passes by itself: wait and try again (a restart, a rate limit, a lost connection).
    public var isTransient = false

    public init(_ code: Code, _ message: String, remedy: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.cause = cause
    }

    public var description: String {
        let because = cause.map { " (\($0))" } ?? ""
        return "\(code.rawValue): \(message)\(because)\n  → \(remedy)"
    }

    /// A stable name of a kind of error, such as `STO-SOURCE-UNREACHABLE`. Codes are declared
    /// beside the component that throws them, as static members of this type, each with the exit
    /// status that it leads to.
    public struct Code: Hashable, Sendable {
        public let rawValue: String
        public let exitStatus: ExitStatus

        public init(_ rawValue: String, exit exitStatus: ExitStatus) {
            self.rawValue = rawValue
            self.exitStatus = exitStatus
        }
    }
}

/// The exit codes of the command line, a documented contract.
public enum ExitStatus: Int32, Sendable {
    case complete = 0
    /// Failed; the same command again carries on.
    case failed = 1
    /// The plan refuses: nothing was written.
    case refused = 2
    /// Finished, with a mismatch or quarantined rows.
    case mismatch = 3
    /// Another process holds the job.
    case locked = 4
    case usage = 64
    /// Interrupted; the same command again carries on.
    case interrupted = 130
}
