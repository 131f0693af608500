import Foundation
import StopoverCore

/// An embedded Milvus Lite: a real server, installed on demand, in a directory of its own.
struct LiteInstallation {
    /// The versions that the demo was tried with.
    static let packages = ["milvus-lite==3.2.2", "pymilvus==3.0.2"]

    let python: String

    /// Finds Milvus Lite where `Scripts/install` puts it, else installs it into `home/lite`.
    static func find(
        home: String, environment: [String: String], say: (String) -> Void
    ) throws(StopoverError) -> LiteInstallation {
        var candidates: [String] = []
        if let tools = environment["STOPOVER_TOOLS"] { candidates.append(tools + "/lite3") }
        if let user = environment["HOME"] {
            candidates.append(user + "/.cache/stopover-tools/lite3")
        }
        let own = home + "/lite"
        candidates.append(own)
        for directory in candidates {
            let python = directory + "/bin/python"
            let marker = directory + "/.installed"
            if FileManager.default.isExecutableFile(atPath: python),
                FileManager.default.fileExists(atPath: marker)
            {
                return LiteInstallation(python: python)
            }
        }
        say("installing Milvus Lite into \(own) (once)")
        try run("/usr/bin/env", ["python3", "-m", "venv", own])
        try run(
            own + "/bin/python",
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
                + packages)
        guard FileManager.default.createFile(atPath: own + "/.installed", contents: nil) else {
            throw failure("cannot write to \(own)")
        }
        return LiteInstallation(python: own + "/bin/python")
    }

    private static func run(_ path: String, _ arguments: [String]) throws(StopoverError) {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        do {
            try process.run()
        } catch {
            throw failure("\(path) cannot be started: \(error.localizedDescription)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw failure("\(([path] + arguments).joined(separator: " ")) failed")
        }
    }

    static func failure(_ message: String) -> StopoverError {
        StopoverError(
            .demoServer, message,
            remedy: "The demo needs Python 3.10 or later with venv and pip, and PyPI: "
                + "`apt-get install python3-venv`, or `pip install \(packages[0])` yourself and "
                + "set STOPOVER_TOOLS.")
    }
}

/// One running Milvus Lite. Ends with `stop`, by the process id that was started.
final class LiteServer {
    let uri: String
    private let process: Process
    private let log: String

    init(_ installation: LiteInstallation, directory: String) throws(StopoverError) {
        let port = try LiteServer.freePort()
        uri = "http://127.0.0.1:\(port)"
        log = directory + "/server.log"
        process = Process()
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: log))
            let output = try FileHandle(forWritingTo: URL(filePath: log))
            process.executableURL = URL(filePath: installation.python)
            process.arguments = [
                "-m", "milvus_lite", "server", "--data-dir", directory + "/data", "--host",
                "127.0.0.1", "--port", "\(port)",
            ]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = output
            try process.run()
        } catch {
            throw LiteInstallation.failure(
                "Milvus Lite cannot be started: \(error.localizedDescription)")
        }
    }

    /// Waits until `probe` succeeds, or says what the server's log ends with.
    func waitUntilReady(_ probe: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline, process.isRunning {
            if await probe() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        throw LiteInstallation.failure(
            "Milvus Lite did not come up; its log ends:\n" + String(text.suffix(1000)))
    }

    func stop() {
        guard process.isRunning else { return }
        process.interrupt()
        let deadline = Date.now + 3
        while process.isRunning, Date.now < deadline { usleep(20_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// A port below the kernel's ephemeral range, free now.
    private static func freePort() throws(StopoverError) -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 20_000..<32_000)
            let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard socket >= 0 else { break }
            defer { close(socket) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if bound == 0 { return port }
        }
        throw LiteInstallation.failure("no free port on 127.0.0.1")
    }
}

extension StopoverError.Code {
    static let demoServer = Self("STO-DEMO-SERVER", exit: .failed)
}
