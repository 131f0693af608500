import Foundation
import Testing

@testable import StopoverCore

@Suite("Under a umask of 0")
struct UmaskTests {
    @Test("every directory and file of a job is its owner's alone")
    func modes() async throws {
        let scratch = try JobScratch()
        // Other tests may make files meanwhile; none of them relies on the umask.
        let before = umask(0)
        defer { umask(before) }
        let directory = try JobDirectory(home: scratch.path + "/home", job: "sample")
        try directory.prepare(spool: directory.spoolPath)
        try directory.write(Data(), to: directory.planPath)
        try ErrorLog(directory).append(.ledgerCorrupt("test"))
        let lock = try JobLock(at: directory.lockPath)
        let ledger = try Ledger.create(at: directory.ledgerPath, job: SampleLedger.job)
        try await ledger.commit([.note(code: "STO-A", message: "a")])
        let spool = try Spool(
            directory: directory.spoolPath, limitBytes: 1 << 20, seed: 1, resting: [])
        _ = try spool.makeWriter().seal(SampleChunk.batch(), SampleChunk.header())
        var files = 0
        let home = scratch.path + "/home"
        for entry in try FileManager.default.subpathsOfDirectory(atPath: home) {
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: home + "/" + entry, isDirectory: &isDirectory)
            #expect(
                try mode(home + "/" + entry) == (isDirectory.boolValue ? 0o700 : 0o600), "\(entry)")
            files += isDirectory.boolValue ? 0 : 1
        }
        #expect(files == 7, "plan, errors, lock, ledger and its two, a chunk")
        #expect(try mode(home) == 0o700)
        _ = consume lock
    }
}
