/// Something that the plan says about a transfer before a byte moves.
public struct Finding: Hashable, Sendable, Codable {
    public enum Severity: String, Sendable, Codable {
        /// Good to know: what the target keeps otherwise than the source.
        case note
        /// The migration is refused until this is settled.
        case refusal
    }

    public var severity: Severity
    /// A stable code, as of a ``StopoverError``.
    public var code: String
    /// What it is about: `default.packages.homepage`.
    public var subject: String
    public var message: String
    /// For a refusal: what to do.
    public var remedy: String

    public init(
        _ severity: Severity, code: String, subject: String, message: String, remedy: String = ""
    ) {
        self.severity = severity
        self.code = code
        self.subject = subject
        self.message = message
        self.remedy = remedy
    }
}
