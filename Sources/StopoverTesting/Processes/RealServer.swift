import Foundation

/// A real Milvus server of a test's own, in a private directory, started and stopped through
/// `Scripts/servers`. A test that needs a server fails without one.
public final class RealServer: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case lite3
        case standalone
    }

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public let kind: Kind
    public let uri: String
    public let host: String
    public let port: Int
    private let directory: String
    private let scratch: Scratch

    public init(_ kind: Kind, _ options: [String] = []) async throws {
        scratch = try Scratch()
        directory = scratch.path + "/server"
        let ended = try await Running(
            Clone.script("servers"), ["start", kind.rawValue, "--dir", directory] + options,
            in: scratch
        ).ended()
        guard ended.status == 0, let uri = ended.object["uri"] as? String,
            let address = URL(string: uri), let host = address.host, let port = address.port
        else { throw Failure(description: "\(kind) did not start: \(ended)") }
        self.kind = kind
        self.uri = uri
        self.host = host
        self.port = port
    }

    /// Keeps one for the time of `body`, whatever that does with it.
    public static func with<Value: Sendable>(
        _ kind: Kind, _ options: [String] = [],
        _ body: (RealServer) async throws -> Value
    ) async throws -> Value {
        let server = try await RealServer(kind, options)
        defer { withExtendedLifetime(server) {} }
        return try await body(server)
    }

    /// `stop`, `kill` or `restart`.
    public func control(_ verb: String) async throws {
        let ended = try await Running(Clone.script("servers"), [verb, directory], in: scratch)
            .ended()
        guard ended.status == 0 else { throw Failure(description: "\(verb): \(ended)") }
    }

    deinit {
        let stop = try? Running(Clone.script("servers"), ["stop", directory], in: scratch)
        // Its directory goes with this value: the server must be gone before.
        while stop?.isRunning == true { usleep(5_000) }
    }
}
