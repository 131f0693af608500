import Foundation
import Testing

@testable import StopoverCore

@Suite("The error log of a job")
struct ErrorLogTests {
    private let scratch: JobScratch
    private let directory: JobDirectory

    init() throws {
        scratch = try JobScratch()
        directory = try JobDirectory(home: scratch.path, job: "sample")
        try directory.prepare(spool: directory.spoolPath)
    }

    private func error(_ number: Int) -> StopoverError {
        StopoverError(
            .jobDamaged, "message \(number) \"quoted\"\nwith a second line", remedy: "remedy",
            cause: number % 2 == 0 ? "cause" : nil)
    }

    @Test("gives back its entries, oldest first, a line each")
    func entries() throws {
        let log = ErrorLog(directory)
        #expect(log.entries().isEmpty)
        for number in 1...3 {
            try log.append(error(number), at: Date(timeIntervalSince1970: Double(number)))
        }
        let entries = log.entries()
        #expect(entries.map(\.message) == (1...3).map { error($0).message })
        #expect(entries.map(\.cause) == [nil, "cause", nil])
        #expect(entries.map(\.time.timeIntervalSince1970) == [1, 2, 3])
        #expect(entries.allSatisfy { $0.code == "STO-JOB-DAMAGED" && $0.remedy == "remedy" })
        let text = try String(contentsOfFile: directory.errorsPath, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 3)
    }

    @Test("keeps the newest lines and no more than its limit")
    func bounded() throws {
        let log = ErrorLog(directory)
        try log.append(error(0))
        let line = try String(contentsOfFile: directory.errorsPath, encoding: .utf8)
        let full = String(repeating: line, count: ErrorLog.lineLimit + 50)
        try Data(full.utf8).write(to: URL(filePath: directory.errorsPath))
        try log.append(error(1))
        #expect(log.entries().count == ErrorLog.lineLimit)
        #expect(log.entries().last?.message == error(1).message)
    }

    @Test("tolerates a last line torn at any byte, and goes on after it")
    func torn() throws {
        let log = ErrorLog(directory)
        try log.append(error(1))
        let whole = try Data(contentsOf: URL(filePath: directory.errorsPath))
        for length in 0..<(whole.count - 1) {
            try (whole + whole.prefix(length)).write(to: URL(filePath: directory.errorsPath))
            #expect(log.entries().count == 1, "torn after \(length) bytes")
        }
        try log.append(error(2))
        #expect(log.entries().map(\.message) == [error(1).message, error(2).message])
    }
}

@Suite("The stored plan of a job")
struct StoredPlanTests {
    private let scratch: JobScratch
    private let directory: JobDirectory

    init() throws {
        scratch = try JobScratch()
        directory = try JobDirectory(home: scratch.path, job: "sample")
        try directory.prepare(spool: directory.spoolPath)
    }

    private func store(format: Int = MigrationPlan.currentFormat) throws -> Data {
        let server = ClusterSummary(
            address: "a:1", identity: ServerIdentity(version: "v", kind: .lite, numbers: []))
        var plan = MigrationPlan(
            fingerprint: "f", source: server, target: server, transfers: [])
        plan.format = format
        let identity = try JSONDecoder().decode(
            MigrationIdentity.self, from: Data(#"{"values": {"source.uri": "a:1"}}"#.utf8))
        let data = try StoredPlan(plan: plan, identity: identity).encoded
        try directory.write(data, to: directory.planPath)
        return data
    }

    @Test("is read as it was written")
    func roundTrip() throws {
        let data = try store()
        let stored = try StoredPlan(directory)
        #expect(try stored.encoded == data)
        #expect(stored.identity.values == ["source.uri": "a:1"])
    }

    @Test("is refused when it is cut short anywhere")
    func truncated() throws {
        let data = try store()
        for length in data.indices {
            try directory.write(data.prefix(length), to: directory.planPath)
            let error = #expect(throws: StopoverError.self) { try StoredPlan(directory) }
            #expect(error?.code.rawValue == "STO-JOB-DAMAGED")
        }
    }

    @Test(
        "is refused when it is something else, or not there",
        arguments: ["[]", "{}", "null", "\0", nil])
    func damaged(text: String?) throws {
        if let text { try directory.write(Data(text.utf8), to: directory.planPath) }
        let error = #expect(throws: StopoverError.self) { try StoredPlan(directory) }
        #expect(error?.code == .jobDamaged)
        #expect(error?.message.contains("sample") == true)
        #expect(error?.remedy.contains("--job") == true)
    }

    @Test("is told from one that a later version wrote")
    func newer() throws {
        _ = try store(format: MigrationPlan.currentFormat + 1)
        let error = #expect(throws: StopoverError.self) { try StoredPlan(directory) }
        #expect(error?.code == .ledgerNewer)
    }
}

@Suite("The result of a job")
struct JobResultTests {
    @Test("is nothing before the job has ended, and is read as it was written")
    func roundTrip() throws {
        let scratch = try JobScratch()
        let directory = try JobDirectory(home: scratch.path, job: "sample")
        try directory.prepare(spool: directory.spoolPath)
        #expect(try JobResult.read(directory) == nil)
        try JobResult(transfers: []).write(directory)
        #expect(try JobResult.read(directory)?.isFinal == true)
    }
}

@Suite("The places of a job's spool")
struct SpoolPlacesTests {
    @Test("are remembered once each, whatever is in their names")
    func remembered() throws {
        let scratch = try JobScratch()
        let home = scratch.path + "/my home 100%"
        let directory = try JobDirectory(home: home, job: "sample")
        try directory.prepare(spool: directory.spoolPath)
        #expect(directory.spools().isEmpty)
        for _ in 0..<2 { try directory.noteSpool(directory.spoolPath) }
        let place = try #require(directory.spools().first)
        #expect(directory.spools().count == 1)
        #expect(FileManager.default.fileExists(atPath: place), "\(place)")
        #expect((FreeDisk.bytes(at: home + "/not/yet there") ?? 0) > 0)
    }
}
