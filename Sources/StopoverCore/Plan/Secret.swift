/// A token or password. It prints `<redacted>` whatever is done with it (description, dump,
/// interpolation, mirror). It is not `Encodable`, on purpose: a type that holds one cannot become
/// part of a ledger, a receipt or a reply, and the compiler says so.
public struct Secret: Sendable {
    static let redacted = "<redacted>"

    private let value: String

    public init(_ value: String) { self.value = value }

    /// The one way out, for the transport that sends it. Grep for this name to see every use.
    public func exposed() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { Secret.redacted }
    public var debugDescription: String { Secret.redacted }
    public var customMirror: Mirror { Mirror(Secret.redacted, children: []) }
}
