import Foundation

/// What a program said and how it ended.
struct Ended: Sendable, CustomStringConvertible {
    var status: Int32
    var output: String
    var errors: String

    var description: String { "exit \(status)\n--- stdout\n\(output)\n--- stderr\n\(errors)" }
}

/// A program that runs beside the test; its output goes to files, so that no pipe can fill.
final class Running: @unchecked Sendable {
    private let process = Process()
    private let outputPath: String
    private let errorPath: String

    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:],
        in scratch: Scratch
    ) throws {
        let name = UUID().uuidString
        outputPath = scratch.path + "/\(name).out"
        errorPath = scratch.path + "/\(name).err"
        for path in [outputPath, errorPath] {
            try Data().write(to: URL(filePath: path))
        }
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: outputPath))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errorPath))
        try process.run()
    }

    var pid: pid_t { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }
    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Waits for the end, at most `limit`; then kills it and says so by status 124.
    func ended(within limit: Duration = .seconds(300)) async throws -> Ended {
        let deadline = ContinuousClock.now + limit
        while process.isRunning {
            if ContinuousClock.now > deadline {
                signal(SIGKILL)
                process.waitUntilExit()
                return Ended(status: 124, output: output, errors: errors)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, output: output, errors: errors)
    }
}

/// A directory of a test's own, gone with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "stopover-test-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

/// Where things are in the clone that the tests were built from.
enum Clone {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()

    /// The executable that was built beside these tests.
    static var binary: String {
        Bundle.main.bundleURL.appending(path: "stopover").path()
    }

    static func script(_ name: String) -> String { root + "Scripts/" + name }
    static var python: String {
        let environment = ProcessInfo.processInfo.environment
        let tools =
            environment["STOPOVER_TOOLS"]
            ?? (environment["HOME"] ?? "/root") + "/.cache/stopover-tools"
        return tools + "/lite3/bin/python"
    }

    /// Runs a program of `Tests/Fixtures/python` and returns its last line, parsed.
    static func fixture(
        _ name: String, _ arguments: [String], in scratch: Scratch
    ) async throws -> (Ended, [String: Any]) {
        let ended = try await Running(
            python, [root + "Tests/Fixtures/python/" + name] + arguments, in: scratch
        ).ended()
        let last = ended.output.split(separator: "\n").last.map(String.init) ?? ""
        let object = try? JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
        return (ended, object ?? [:])
    }
}
