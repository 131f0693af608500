import Foundation
import StopoverTesting
import Testing

/// What breaks while a migration runs, or between two runs: found, named, and nothing lost.
@Suite("Trouble in a running migration")
struct TroubleTests {
    /// Two servers, 6,000 rows on one of them, and a migration in many small chunks.
    private struct Stage {
        let tool: Tool
        let source: RealServer
        let target: RealServer

        init() async throws {
            tool = try Tool()
            source = try await SharedSource.packages.server()
            target = try await RealServer(.lite3)
        }

        func file(_ limits: String = "", autoID: String = "keep") throws -> String {
            try tool.migration(
                """
                source: {uri: "\(source.uri)"}
                target: {uri: "\(target.uri)"}
                collections: [{source: packages, target: moved.packages, auto_id: \(autoID)}]
                limits: {page: 128KiB, write_timeout_seconds: 2\(limits)}
                """)
        }

        var job: String { tool.scratch.path + "/home/jobs/job" }

        func run(_ file: String) throws -> Running {
            try tool.start(["run", file, "--job", "job"])
        }

        func chunks(in directory: String) -> [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            return names.filter { $0.hasSuffix(".chunk") }.sorted().map { directory + "/" + $0 }
        }

        /// Runs until chunks rest in the spool, and kills it there.
        func killedWithChunks(_ file: String) async throws {
            let run = try run(file)
            while run.isRunning, chunks(in: job + "/spool").count < 3 {
                try await Task.sleep(for: .milliseconds(2))
            }
            run.signal(SIGKILL)
            _ = try await run.ended()
            try #require(!chunks(in: job + "/spool").isEmpty)
        }

        func expectEverything(
            autoID: String = "keep", _ location: SourceLocation = #_sourceLocation
        ) async throws {
            let compared = try await tool.compare(
                source, ("default", "packages"), target, ("moved", "packages"),
                ["--by-partition"], autoID: autoID)
            #expect(compared.status == 0, "\(compared)", sourceLocation: location)
        }
    }

    private func expect(
        _ ended: Ended, status: Int32, code: String, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(ended.status == status, "\(ended)", sourceLocation: location)
        #expect(ended.errors.contains(code), "\(ended)", sourceLocation: location)
        #expect(ended.errors.contains("→"), "no remedy: \(ended)", sourceLocation: location)
    }

    @Test("a chunk that changed on disk is never loaded")
    func corruptChunk() async throws {
        let stage = try await Stage()
        let file = try stage.file()
        try await stage.killedWithChunks(file)
        for path in stage.chunks(in: stage.job + "/spool") {
            var bytes = try Data(contentsOf: URL(filePath: path))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: path))
        }
        let ended = try await stage.run(file).ended()
        expect(ended, status: 1, code: "STO-SPOOL-CORRUPT-CHUNK")
        let errors = try await stage.tool.run(["errors", "job"])
        #expect(errors.output.contains("STO-SPOOL-CORRUPT-CHUNK"), "\(errors)")

        // The way out that the error names.
        let cancelled = try await stage.tool.run(["cancel", "job", "--drop"])
        #expect(cancelled.status == 0 && cancelled.output.contains("dropped"), "\(cancelled)")
        let again = try await stage.tool.run(["run", file, "--job", "second"])
        #expect(again.status == 0, "\(again)")
        try await stage.expectEverything()
    }

    @Test("a damaged ledger is refused")
    func corruptLedger() async throws {
        let stage = try await Stage()
        let file = try stage.file()
        try await stage.killedWithChunks(file)
        let path = stage.job + "/ledger.sqlite"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes.replaceSubrange(0..<64, with: Data(repeating: 0x55, count: 64))
        try bytes.write(to: URL(filePath: path))
        // What the write-ahead log holds would mend it, so that is gone too.
        try? FileManager.default.removeItem(atPath: path + "-wal")
        try? FileManager.default.removeItem(atPath: path + "-shm")
        expect(try await stage.run(file).ended(), status: 1, code: "STO-LEDGER-CORRUPT")
    }

    @Test("a second process on the job is told who has it")
    func secondProcess() async throws {
        let stage = try await Stage()
        let file = try stage.file()
        let first = try stage.run(file)
        while first.isRunning, stage.chunks(in: stage.job + "/spool").isEmpty {
            try await Task.sleep(for: .milliseconds(2))
        }
        let second = try await stage.run(file).ended()
        expect(second, status: 4, code: "STO-JOB-LOCKED")
        #expect(second.errors.contains("pid \(first.pid)"), "\(second)")
        let ended = try await first.ended()
        #expect(ended.status == 0, "\(ended)")
    }

    @Test("another migration under the name of a job is refused with the difference")
    func otherMigration() async throws {
        let stage = try await Stage()
        try await stage.killedWithChunks(try stage.file())
        let other = try stage.tool.migration(
            """
            source: {uri: "\(stage.source.uri)"}
            target: {uri: "\(stage.target.uri)"}
            collections: [{source: packages, target: moved.others}]
            """, named: "other.yaml")
        let ended = try await stage.run(other).ended()
        expect(ended, status: 2, code: "STO-JOB-DIFFERS")
        #expect(ended.errors.contains("moved.others"), "\(ended)")
    }

    @Test(
        "a target that goes away is waited for, and what it left in doubt is settled",
        arguments: ["keep", "regenerate"])
    func targetGone(_ autoID: String) async throws {
        let stage = try await Stage()
        let run = try stage.run(try stage.file(autoID: autoID))
        while run.isRunning, stage.chunks(in: stage.job + "/spool").count < 5 {
            try await Task.sleep(for: .milliseconds(2))
        }
        try await stage.target.control("kill")
        let deadline = ContinuousClock.now + .seconds(30)
        while run.isRunning, !run.errors.contains("waiting for the target"),
            ContinuousClock.now < deadline
        {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(run.isRunning && run.errors.contains("waiting for the target"), "\(run.errors)")
        try await stage.target.control("restart")
        let ended = try await run.ended()
        #expect(ended.status == 0, "\(ended)")
        try await stage.expectEverything(autoID: autoID)
    }

    @Test("a full disk holds extraction until loading has freed it")
    func diskFull() async throws {
        let stage = try await Stage()
        let disk = try SmallDisk("3m")
        let ended = try await stage.run(try stage.file(", spool_dir: \"\(disk.path)\"")).ended()
        #expect(ended.status == 0, "\(ended)")
        try await stage.expectEverything()
        withExtendedLifetime(disk) {}
    }

    @Test("a disk without room for a chunk ends the run with the way out")
    func diskTooSmall() async throws {
        let stage = try await Stage()
        let disk = try SmallDisk("64k")
        let ended = try await stage.run(try stage.file(", spool_dir: \"\(disk.path)\"")).ended()
        expect(ended, status: 1, code: "STO-SPOOL-DISK-FULL")
        // With room elsewhere the same command carries on.
        let again = try await stage.run(try stage.file()).ended()
        #expect(again.status == 0, "\(again)")
        try await stage.expectEverything()
        // What rested there was fetched from there.
        #expect(stage.chunks(in: disk.path + "/job").isEmpty)
        withExtendedLifetime(disk) {}
    }
}

/// A file system of a few kilobytes. Needs root, which CI and this project's machines are.
private final class SmallDisk: Sendable {
    let path: String

    init(_ size: String) throws {
        path = NSTemporaryDirectory() + "stopover-disk-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try SmallDisk.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path])
    }

    deinit {
        try? SmallDisk.run("/bin/umount", [path])
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func run(_ path: String, _ arguments: [String]) throws {
        let process = try Process.run(URL(filePath: path), arguments: arguments)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw RealServer.Failure(description: "\(path) \(arguments) failed: it needs root")
        }
    }
}
