import Foundation
import StopoverMilvus

/// A real Milvus server of a test's own, in a private directory, through `Scripts/servers`.
struct RealServer: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case lite3
        case standalone
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let kind: Kind
    let directory: String
    let endpoint: MilvusEndpoint

    /// Starts one, runs `body`, stops it and removes its directory. Throws when it cannot start:
    /// a test that needs a server fails without one.
    static func with<Value: Sendable>(
        _ kind: Kind, _ options: [String] = [],
        _ body: (RealServer) async throws -> Value
    ) async throws -> Value {
        let directory = NSTemporaryDirectory() + "stopover-client-" + UUID().uuidString.prefix(8)
        let line = try await servers(
            ["start", kind.rawValue, "--dir", directory] + options)
        let result: Result<Value, any Error>
        do {
            let server = try RealServer(kind, directory, startedBy: line)
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        _ = try await servers(["stop", directory])
        // `stop` may have removed it with what was in it.
        try? FileManager.default.removeItem(atPath: directory)
        return try result.get()
    }

    private init(_ kind: Kind, _ directory: String, startedBy line: String) throws {
        guard
            let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let uri = (record["uri"] as? String).flatMap(URL.init(string:)),
            let host = uri.host, let port = uri.port
        else { throw Failure(description: "Scripts/servers said: \(line)") }
        self.kind = kind
        self.directory = directory
        endpoint = MilvusEndpoint(host: host, port: port)
    }

    /// `stop`, `kill` or `restart`.
    func control(_ verb: String) async throws { _ = try await Self.servers([verb, directory]) }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The last line of what it prints.
    private static func servers(_ arguments: [String]) async throws -> String {
        let process = Process()
        process.executableURL = root.appending(path: "Scripts/servers")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        // Files, not pipes: the servers inherit them and would keep a pipe open.
        let log = NSTemporaryDirectory() + "stopover-client-" + UUID().uuidString
        try Data().write(to: URL(filePath: log))
        try Data().write(to: URL(filePath: log + ".err"))
        defer {
            try? FileManager.default.removeItem(atPath: log)
            try? FileManager.default.removeItem(atPath: log + ".err")
        }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: log))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: log + ".err"))
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        let output = try String(contentsOfFile: log, encoding: .utf8)
        guard status == 0 else {
            let errors = try String(contentsOfFile: log + ".err", encoding: .utf8)
            throw Failure(description: "Scripts/servers \(arguments): \(status)\n\(errors)")
        }
        return output.split(separator: "\n").last.map(String.init) ?? ""
    }
}
