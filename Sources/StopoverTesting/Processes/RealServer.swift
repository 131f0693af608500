import Foundation
import Synchronization

/// A real Milvus server of a test's own, in a private directory, started and stopped through
/// `Scripts/servers`. A test that needs a server fails without one.
public final class RealServer: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case lite3
        case standalone
    }

    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) { self.description = description }
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
        LeftServers.add(directory)
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
        LeftServers.remove(directory)
        let stop = try? Running(Clone.script("servers"), ["stop", directory], in: scratch)
        // Its directory goes with this value: the server must be gone before.
        while stop?.isRunning == true { usleep(5_000) }
    }
}

/// Servers that nobody has stopped when the test program ends: those that tests share, and those of
/// a program that exits early.
private enum LeftServers {
    private static let directories = Mutex<(paths: Set<String>, isWatching: Bool)>(([], false))

    static func add(_ path: String) {
        directories.withLock { state in
            state.paths.insert(path)
            if !state.isWatching { atexit { LeftServers.stopAll() } }
            state.isWatching = true
        }
    }

    static func remove(_ path: String) {
        directories.withLock { _ = $0.paths.remove(path) }
    }

    private static func stopAll() {
        for path in directories.withLock({ $0.paths }) {
            let stop = try? Process.run(
                URL(filePath: Clone.script("servers")), arguments: ["stop", path])
            stop?.waitUntilExit()
            try? FileManager.default.removeItem(
                atPath: URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false))
        }
    }
}

/// A source that many tests read and none changes, started and seeded once.
public actor SharedSource {
    /// Lite 3 with the 6,000 real packages in `default.packages`.
    public static let packages = SharedSource(
        .lite3, seed: "seed_packages.py", ["--collection", "packages"])

    private let kind: RealServer.Kind
    private let seed: String
    private let arguments: [String]
    private var starting: Task<RealServer, any Error>?

    init(_ kind: RealServer.Kind, seed: String, _ arguments: [String]) {
        self.kind = kind
        self.seed = seed
        self.arguments = arguments
    }

    public func server() async throws -> RealServer {
        if let starting { return try await starting.value }
        let task = Task { [kind, seed, arguments] in
            let server = try await RealServer(kind)
            let seeded = try await Clone.fixture(
                seed, ["--uri", server.uri] + arguments, in: try Scratch())
            guard seeded.status == 0 else {
                throw RealServer.Failure(description: "\(seed): \(seeded)")
            }
            return server
        }
        starting = task
        return try await task.value
    }
}
