import Foundation
import Synchronization

/// What a program said and how it ended.
public struct Ended: Sendable, CustomStringConvertible {
    public var status: Int32
    public var output: String
    public var errors: String

    /// The status of a program that was killed because it did not end in time.
    public static let timedOut: Int32 = 124

    public var description: String {
        "exit \(status)\n--- stdout\n\(output)\n--- stderr\n\(errors)"
    }

    /// The output, or its last line, where that is a JSON object.
    public var object: [String: Any] {
        for text in [output, output.split(separator: "\n").last.map(String.init) ?? ""] {
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            if let object = object as? [String: Any] { return object }
        }
        return [:]
    }
}

/// A program that runs beside a test; its output goes to files, so that no pipe can fill.
public final class Running: Sendable {
    private let process: Mutex<Process>
    public let pid: pid_t
    private let outputPath: String
    private let errorPath: String

    public init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:],
        in scratch: Scratch
    ) throws {
        let name = UUID().uuidString
        outputPath = scratch.path + "/\(name).out"
        errorPath = scratch.path + "/\(name).err"
        for path in [outputPath, errorPath] {
            try Data().write(to: URL(filePath: path))
        }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: outputPath))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errorPath))
        try process.run()
        pid = process.processIdentifier
        self.process = Mutex(process)
    }

    public var isRunning: Bool { process.withLock { $0.isRunning } }
    public var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }
    public var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

    public func signal(_ number: Int32) { kill(pid, number) }

    /// Waits for the end, at most `limit`; then kills it and says so by ``Ended/timedOut``.
    public func ended(within limit: Duration = .seconds(300)) async throws -> Ended {
        let deadline = ContinuousClock.now + limit
        while isRunning {
            if ContinuousClock.now > deadline {
                signal(SIGKILL)
                process.withLock { $0.waitUntilExit() }
                return Ended(status: Ended.timedOut, output: output, errors: errors)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let status = process.withLock { process in
            process.waitUntilExit()
            return process.terminationStatus
        }
        return Ended(status: status, output: output, errors: errors)
    }
}

/// A directory of a test's own, gone with it.
public final class Scratch: Sendable {
    public let path: String

    public init() throws {
        path = NSTemporaryDirectory() + "stopover-test-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
