import Foundation
import Testing

@testable import StopoverCore

@Suite("The record of a lock's owner")
struct LockOwnerTests {
    private let scratch: JobScratch
    private var path: String { scratch.path + "/lock" }

    init() throws { scratch = try JobScratch() }

    /// What the next one is told while somebody holds the lock and the file holds `owner`.
    private func message(_ owner: LockOwner) throws -> String? {
        try scratch.write(try JSONEncoder().encode(owner), to: "lock")
        let holder = open(path, O_RDWR | O_CLOEXEC)
        defer { close(holder) }
        try #require(flock(holder, LOCK_EX | LOCK_NB) == 0)
        return #expect(throws: StopoverError.self) { _ = try JobLock(at: path) {} }?.message
    }

    @Test("names this process as a living one")
    func current() throws {
        let owner = LockOwner.current()
        #expect(owner.started != nil && owner.boot != nil)
        #expect(!owner.hasCertainlyEnded)
        #expect(try message(owner)?.contains("pid \(getpid()) on ") == true)
    }

    @Test("is written by the holder, with what names a process for ever")
    func written() throws {
        let lock = try JobLock(at: path)
        let data = try #require(FileManager.default.contents(atPath: path))
        let owner = try JSONDecoder().decode(LockOwner.self, from: data)
        #expect(owner.pid == getpid())
        #expect(owner.started == LockOwner.startTicks(of: getpid()))
        _ = consume lock
    }

    @Test("is not shown when its process has ended and another has its number")
    func reused() throws {
        var owner = LockOwner.current()
        owner.started = try #require(owner.started) + 1
        #expect(owner.hasCertainlyEnded)
        #expect(try message(owner)?.contains("it has not said which") == true)
    }

    @Test("is not shown when its process is gone")
    func gone() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/true")
        try process.run()
        process.waitUntilExit()
        var owner = LockOwner.current()
        owner.pid = process.processIdentifier
        #expect(owner.hasCertainlyEnded)
    }

    @Test("is shown when it is of another machine, another container, or an older version")
    func unknown() throws {
        var owner = LockOwner.current()
        owner.pid = 1
        for change: (inout LockOwner) -> Void in [
            { $0.boot = "another" }, { $0.namespace = "pid:[1]" }, { $0.boot = nil },
            { $0.namespace = nil }, { $0.started = nil },
        ] {
            var other = owner
            change(&other)
            #expect(!other.hasCertainlyEnded)
            #expect(try message(other)?.contains("pid 1 on ") == true)
        }
    }

    @Test("has the start of a process whatever the process is called")
    func strangeName() throws {
        let name = scratch.path + "/a) R 1 (b"
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: name)
        let process = Process()
        process.executableURL = URL(filePath: name)
        process.arguments = ["60"]
        try process.run()
        defer {
            // SIGTERM would not do: a child inherits the signal mask of the pool's thread.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let own = try #require(LockOwner.startTicks(of: getpid()))
        #expect(try #require(LockOwner.startTicks(of: process.processIdentifier)) >= own)
        #expect(LockOwner.startTicks(of: -1) == nil)
    }
}

@Suite("A lock that is only asked about")
struct LockAskedTests {
    private let scratch: JobScratch
    private var path: String { scratch.path + "/lock" }

    init() throws { scratch = try JobScratch() }

    @Test("is had by the one who takes it at the same time")
    func asked() throws {
        // As `isHeld` does, but for longer than one attempt.
        let asker = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(flock(asker, LOCK_SH | LOCK_NB) == 0)
        var pauses = 0
        let lock = try JobLock(at: path) {
            pauses += 1
            if pauses == 3 { close(asker) }
        }
        #expect(pauses >= 3)
        #expect(JobLock.isHeld(at: path))
        _ = consume lock
    }

    @Test("is refused after a named number of attempts, not for ever")
    func bounded() throws {
        let holder = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(holder) }
        try #require(flock(holder, LOCK_EX | LOCK_NB) == 0)
        var pauses = 0
        let error = #expect(throws: StopoverError.self) {
            _ = try JobLock(at: path) { pauses += 1 }
        }
        #expect(error?.code == .jobLocked)
        #expect(pauses == JobLock.attempts - 1)
    }
}
