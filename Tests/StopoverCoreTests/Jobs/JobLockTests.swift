import Foundation
import Testing

@testable import StopoverCore

@Suite("A job's lock")
struct JobLockTests {
    private let scratch: JobScratch
    private var path: String { scratch.path + "/lock" }

    init() throws { scratch = try JobScratch() }

    /// Another process that holds the lock until its input ends.
    private func holder() throws -> (process: Process, input: Pipe) {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/flock")
        process.arguments = ["-o", path, "sh", "-c", "echo held; read line || exit 0"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = output.fileHandleForReading.availableData
        try #require(String(decoding: line, as: UTF8.self) == "held\n")
        return (process, input)
    }

    @Test("is refused while another process holds it, and is free when that has ended")
    func held() throws {
        let (process, input) = try holder()
        #expect(JobLock.isHeld(at: path))
        let error = #expect(throws: StopoverError.self) { _ = try JobLock(at: path) }
        #expect(error?.code.rawValue == "STO-JOB-LOCKED")
        #expect(error?.code.exitStatus == .locked)
        #expect(error?.remedy.contains("status") == true)
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        waitUntilFree()
        _ = try JobLock(at: path)
    }

    @Test("is free after its holder was killed")
    func killed() throws {
        let (process, input) = try holder()
        kill(process.processIdentifier, SIGKILL)
        waitUntilFree()
        _ = try JobLock(at: path)
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// A process that another test starts shares our files for a moment, between fork and exec.
    private func waitUntilFree() {
        let deadline = ContinuousClock.now + .seconds(10)
        while JobLock.isHeld(at: path), ContinuousClock.now < deadline { usleep(1000) }
        #expect(!JobLock.isHeld(at: path))
    }

    @Test("names its holder to the next")
    func owner() throws {
        let lock = try JobLock(at: path)
        #expect(JobLock.isHeld(at: path))
        let error = #expect(throws: StopoverError.self) { _ = try JobLock(at: path) }
        #expect(error?.code == .jobLocked)
        #expect(error?.message.contains("pid \(getpid()) on ") == true)
        _ = consume lock
        waitUntilFree()
    }

    @Test("does without the name when the file holds something else")
    func nameless() throws {
        try scratch.write(Array("{nonsense".utf8), to: "lock")
        let (process, input) = try holder()
        let error = #expect(throws: StopoverError.self) { _ = try JobLock(at: path) }
        #expect(error?.message.contains("it has not said which") == true)
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    @Test("is not held where there is no file, and asking makes none")
    func absent() throws {
        #expect(!JobLock.isHeld(at: path))
        #expect(try scratch.names().isEmpty)
    }

    @Test("follows no link")
    func link() throws {
        try scratch.write([1, 2, 3], to: "victim")
        try #require(symlink(scratch.path + "/victim", path) == 0)
        let error = #expect(throws: StopoverError.self) { _ = try JobLock(at: path) }
        #expect(error?.code == .jobDirectory)
        #expect(FileManager.default.contents(atPath: scratch.path + "/victim") == Data([1, 2, 3]))
    }
}
