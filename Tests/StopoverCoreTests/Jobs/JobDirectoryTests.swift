import Foundation
import Testing

@testable import StopoverCore

@Suite("A job directory")
struct JobDirectoryTests {
    private let scratch: JobScratch

    init() throws { scratch = try JobScratch() }

    private func directory() throws -> JobDirectory {
        try JobDirectory(home: scratch.path, job: "sample")
    }

    @Test(
        "has a name of 1 to 64 of a–z, 0–9, - and _",
        arguments: ["a", "0", "-", "_", "my-job_2", String(repeating: "x", count: 64)])
    func goodName(name: String) throws {
        #expect(try JobDirectory(home: "/h", job: name).path == "/h/jobs/" + name)
    }

    @Test(
        "has no other name",
        arguments: [
            "", ".", "..", "a/b", "../a", "A", "a b", "a.b", "ä", "a\u{0}", "a\n", "é", "🙂",
            String(repeating: "x", count: 65),
        ])
    func badName(name: String) {
        let error = #expect(throws: StopoverError.self) { try JobDirectory(home: "/h", job: name) }
        #expect(error?.code == .jobName)
        #expect(error?.code.exitStatus == .usage)
    }

    @Test("lists only directories that are jobs' by name, sorted")
    func names() throws {
        #expect(JobDirectory.names(home: scratch.path).isEmpty)
        for name in ["b", "a", "Not", ".hidden"] {
            try FileManager.default.createDirectory(
                atPath: scratch.path + "/jobs/" + name, withIntermediateDirectories: true)
        }
        #expect(JobDirectory.names(home: scratch.path) == ["a", "b"])
    }

    struct HomeCase: Sendable {
        var option: String?
        var environment: [String: String]
        var home: String
    }

    @Test(
        "lies where the option says, or the environment, or at home",
        arguments: [
            HomeCase(
                option: "/o", environment: ["STOPOVER_HOME": "/s", "HOME": "/h"], home: "/o"),
            HomeCase(
                environment: ["STOPOVER_HOME": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"],
                home: "/s"),
            HomeCase(
                environment: ["STOPOVER_HOME": "", "XDG_STATE_HOME": "/x", "HOME": "/h"],
                home: "/x/stopover"),
            HomeCase(
                environment: ["XDG_STATE_HOME": "", "HOME": "/h"],
                home: "/h/.local/state/stopover"),
            HomeCase(environment: ["HOME": "/h"], home: "/h/.local/state/stopover"),
            HomeCase(environment: [:], home: "/root/.local/state/stopover"),
        ])
    func home(example: HomeCase) {
        let home = JobDirectory.home(option: example.option, environment: example.environment)
        #expect(home == example.home)
    }

    @Test("is closed to others where it was open to them")
    func open() throws {
        let directory = try directory()
        for path in [directory.path, directory.spoolPath] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            chmod(path, 0o777)
        }
        try directory.prepare(spool: directory.spoolPath)
        #expect(try mode(directory.path) == 0o700)
        #expect(try mode(directory.spoolPath) == 0o700)
        // Again is nothing.
        try directory.prepare(spool: directory.spoolPath)
    }

    @Test("is refused when it, or its spool, is a link", arguments: ["job", "spool", "dangling"])
    func link(which: String) throws {
        let directory = try directory()
        let link = which == "spool" ? directory.spoolPath : directory.path
        let parent = String(link[..<(link.lastIndex(of: "/") ?? link.endIndex)])
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        let elsewhere = scratch.path + "/elsewhere"
        if which != "dangling" {
            try FileManager.default.createDirectory(
                atPath: elsewhere, withIntermediateDirectories: true)
        }
        try #require(symlink(elsewhere, link) == 0)
        let error = #expect(throws: StopoverError.self) {
            try directory.prepare(spool: directory.spoolPath)
        }
        #expect(error?.code == .jobDirectory)
        if which != "dangling" {
            #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere).isEmpty)
        }
    }

    @Test("is refused when a file stands in its place")
    func file() throws {
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/jobs", withIntermediateDirectories: true)
        try scratch.write([], to: "jobs/sample")
        let error = #expect(throws: StopoverError.self) {
            try directory().prepare(spool: scratch.path + "/jobs/sample/spool")
        }
        #expect(error?.code == .jobDirectory)
    }

    @Test("is refused when it belongs to somebody else")
    func owner() throws {
        let directory = try directory()
        try directory.prepare(spool: directory.spoolPath)
        try #require(chown(directory.spoolPath, 12345, 12345) == 0, "needs root")
        let error = #expect(throws: StopoverError.self) {
            try directory.prepare(spool: directory.spoolPath)
        }
        #expect(error?.code == .jobDirectory)
    }

    @Test("replaces a small file whole, over what a crash left, through no link")
    func write() throws {
        let directory = try directory()
        try directory.prepare(spool: directory.spoolPath)
        let path = directory.planPath
        try directory.write(Data("one".utf8), to: path)
        try Data("torn".utf8).write(to: URL(filePath: path + ".part"))
        try directory.write(Data("two".utf8), to: path)
        try scratch.write(Array("mine".utf8), to: "victim")
        try #require(symlink(scratch.path + "/victim", path + ".part") == 0)
        try directory.write(Data("three".utf8), to: path)
        #expect(FileManager.default.contents(atPath: path) == Data("three".utf8))
        #expect(try scratch.names().contains("victim"))
        #expect(
            FileManager.default.contents(atPath: scratch.path + "/victim") == Data("mine".utf8))
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(Set(names) == ["plan.json", "quarantine", "spool"])
    }

    @Test("says why a file cannot be written")
    func cannotWrite() throws {
        let error = #expect(throws: StopoverError.self) {
            try directory().write(Data(), to: scratch.path + "/none/plan.json")
        }
        #expect(error?.code == .jobDirectory)
    }
}
