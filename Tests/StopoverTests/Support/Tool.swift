import Foundation
import StopoverTesting

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
