import Foundation
import Testing

/// A real Milvus server of a test's own, started and stopped through `Scripts/servers`.
final class RealServer: @unchecked Sendable {
    enum Kind: String {
        case lite3
        case standalone
    }

    struct CannotStart: Error, CustomStringConvertible {
        var description: String
    }

    let uri: String
    let directory: String
    private let scratch: Scratch

    init(_ kind: Kind, _ options: [String] = []) async throws {
        scratch = try Scratch()
        directory = scratch.path + "/server"
        let ended = try await Running(
            Clone.script("servers"), ["start", kind.rawValue, "--dir", directory] + options,
            in: scratch
        ).ended()
        let line = ended.output.split(separator: "\n").last.map(String.init) ?? ""
        guard ended.status == 0,
            let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let uri = record["uri"] as? String
        else { throw CannotStart(description: "\(kind) did not start: \(ended)") }
        self.uri = uri
    }

    func control(_ verb: String) async throws {
        let ended = try await Running(Clone.script("servers"), [verb, directory], in: scratch)
            .ended()
        guard ended.status == 0 else { throw CannotStart(description: "\(verb): \(ended)") }
    }

    deinit {
        let process = Process()
        process.executableURL = URL(filePath: Clone.script("servers"))
        process.arguments = ["stop", directory]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
    }
}

/// Runs `stopover` as a user does: the real binary, a home of its own.
struct Tool: Sendable {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
        var all = environment
        all["STOPOVER_HOME"] = scratch.path + "/home"
        return try Running(Clone.binary, arguments, environment: all, in: scratch)
    }

    func run(
        _ arguments: [String], environment: [String: String] = [:],
        within limit: Duration = .seconds(300)
    ) async throws -> Ended {
        try await start(arguments, environment: environment).ended(within: limit)
    }

    func migration(_ text: String, named name: String = "migration.yaml") throws -> String {
        try scratch.write(text, to: name)
    }
}
