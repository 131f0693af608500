import Foundation
import StopoverTesting
import Testing

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

    /// Waits until a run has made this file of its job, or has ended.
    func file(_ name: String, of job: String, by run: Running) async throws {
        let path = scratch.path + "/home/jobs/\(job)/\(name)"
        while run.isRunning, !FileManager.default.fileExists(atPath: path) {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Compares a collection of one server with one of another, each `(database, collection)`, row by
    /// row and field by field, by the official Python client.
    func compare(
        _ source: RealServer, _ sourceName: (String, String), _ target: RealServer,
        _ targetName: (String, String), _ options: [String] = [], autoID: String = "keep"
    ) async throws -> Ended {
        // Keys that the target made are nobody else's.
        let keys = autoID == "keep" ? [] : ["--ignore-key"]
        return try await Clone.fixture(
            "compare.py",
            [
                "--source", source.uri, "--source-db", sourceName.0,
                "--source-collection", sourceName.1, "--target", target.uri,
                "--target-db", targetName.0, "--target-collection", targetName.1,
            ] + options + keys, in: scratch)
    }

    /// What `result.json` says of the only transfer of a job that has ended.
    struct Outcome: Decodable {
        var sweptRows: Int?
        var rewrittenRows: Int?
        var lostRows: Int?
    }

    func result(of job: String) throws -> Outcome {
        struct File: Decodable { var transfers: [Outcome] }
        let path = scratch.path + "/home/jobs/\(job)/result.json"
        let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: URL(filePath: path)))
        return try #require(file.transfers.first)
    }

    /// The quarantined rows of a job.
    func quarantine(of job: String) throws -> [[String: Any]] {
        let directory = scratch.path + "/home/jobs/\(job)/quarantine"
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().flatMap {
            try String(contentsOfFile: directory + "/" + $0, encoding: .utf8).split(separator: "\n")
        }.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return object as? [String: Any] ?? [:]
        }
    }
}
