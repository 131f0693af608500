import Foundation
import GRDB
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("A damaged ledger")
struct LedgerDamageTests {
    private let scratch: JobScratch
    private var path: String { scratch.path + "/ledger.sqlite" }

    init() throws { scratch = try JobScratch() }

    private func code(_ body: () async throws -> Void) async throws -> StopoverError.Code? {
        do {
            try await body()
            return nil
        } catch let error as StopoverError {
            #expect(!error.remedy.isEmpty)
            return error.code
        }
    }

    @Test("is refused, or says exactly what was written, whichever bit of its file flips")
    func flipped() async throws {
        let ledger = try Ledger.create(at: path, job: SampleLedger.job)
        try await SampleLedger.fill(ledger)
        try await ledger.close()
        #expect(try scratch.names() == ["ledger.sqlite"], "the log is folded into the file")
        let original = try await LedgerContent.read(path)
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let seed = UInt64.random(in: 0 ... .max)
        print("A damaged ledger: seed \(seed), \(bytes.count) bytes")
        var random = SeededRandom(seed: seed)
        // All of the file's header, and positions from all over the rest.
        var positions = Array(0..<100)
        if ProcessInfo.processInfo.environment["STOPOVER_EVERY_BYTE"] != nil {
            positions += 100..<bytes.count
        } else {
            positions += (0..<2000).map { _ in Int.random(in: 100..<bytes.count, using: &random) }
        }
        var refused = 0
        for position in positions {
            let bit = Int.random(in: 0..<8, using: &random)
            var damaged = bytes
            damaged[position] ^= 1 << bit
            try scratch.write(damaged, to: "damaged.sqlite")
            do {
                let read = try await LedgerContent.read(scratch.path + "/damaged.sqlite")
                #expect(read == original, "byte \(position), bit \(bit), seed \(seed)")
            } catch let error as StopoverError {
                #expect(error.code.rawValue.hasPrefix("STO-LEDGER-"))
                refused += 1
            } catch {
                Issue.record("byte \(position), bit \(bit), seed \(seed): \(error)")
            }
            for suffix in ["", "-wal", "-shm", "-journal"] {
                unlink(scratch.path + "/damaged.sqlite" + suffix)
            }
        }
        print("A damaged ledger: \(refused) of \(positions.count) refused, the others as written")
        #expect(refused > 500, "of \(positions.count)")
    }

    @Test(
        "is refused when a column outside a record was changed by hand",
        arguments: [
            "UPDATE chunk SET state = 'flushed' WHERE id = 50", "UPDATE chunk SET rows = rows + 1",
            "UPDATE chunk SET id = 51 WHERE id = 50", "UPDATE chunk SET transfer = 2",
            "UPDATE split SET transfer = 2 WHERE id = 1", "UPDATE split SET id = 9 WHERE id = 1",
            "UPDATE transfer SET id = 3 WHERE id = 2", "UPDATE ack SET high = 99 WHERE chunk = 40",
            "UPDATE ack SET ids = NULL WHERE chunk = 40", "UPDATE note SET code = 'STO-C'",
            "UPDATE note SET message = 'none'",
            "UPDATE chunk SET sum = 'text' WHERE id = 1", "DELETE FROM fact WHERE name = 'job'",
            "DROP INDEX chunk_state", "DROP TABLE ack", "DROP TABLE fact",
        ])
    func changed(sql: String) async throws {
        let ledger = try Ledger.create(at: path, job: SampleLedger.job)
        try await SampleLedger.fill(ledger)
        try await ledger.close()
        do {
            let database = try DatabaseQueue(path: path)
            try await database.write { db in try? db.execute(sql: sql) }
            try database.close()
        }
        let code = try await code { _ = try await LedgerContent.read(path) }
        #expect(code == .ledgerCorrupt)
    }

    @Test("is refused while it is open, when rows that are summed up change")
    func changedWhileOpen() async throws {
        let ledger = try Ledger.create(at: path, job: SampleLedger.job)
        try await SampleLedger.fill(ledger)
        try await ledger.database.write { db in
            try db.execute(sql: "UPDATE chunk SET rows = 7 WHERE id = 1")
        }
        let code = try await code { _ = try await ledger.totals(of: TransferID(1)) }
        #expect(code == .ledgerCorrupt)
        try await ledger.close()
    }

    @Test(
        "is refused when it is no ledger", arguments: ["", "not a database", "SQLite format 3\0"])
    func noLedger(text: String) async throws {
        let content = text.isEmpty ? "" : String(repeating: text, count: 200)
        try scratch.write(Array(content.utf8), to: "ledger.sqlite")
        let code = try await code { _ = try Ledger.open(at: path) }
        #expect(code == .ledgerCorrupt)
    }

    @Test("is refused when it is cut short", arguments: [1, 100, 512, 4096, 8192, 20_000])
    func truncated(length: Int) async throws {
        let ledger = try Ledger.create(at: path, job: SampleLedger.job)
        try await SampleLedger.fill(ledger)
        try await ledger.close()
        let bytes = try Data(contentsOf: URL(filePath: path))
        try scratch.write(bytes.prefix(length), to: "ledger.sqlite")
        let code = try await code { _ = try await LedgerContent.read(path) }
        #expect(code == .ledgerCorrupt)
    }

    @Test("is not there: nothing is made in its place")
    func absent() async throws {
        let code = try await code { _ = try Ledger.open(at: path) }
        #expect(code == .ledgerIO)
        #expect(try scratch.names().isEmpty)
    }

    @Test("is told from one that a later version wrote")
    func newer() async throws {
        let database = try DatabaseQueue(path: path)
        try await database.write { db in
            try LedgerTables.create(db, format: Ledger.format + 1, job: SampleLedger.job)
        }
        try database.close()
        let code = try await code { _ = try Ledger.open(at: path) }
        #expect(code == .ledgerNewer)
        #expect(code?.exitStatus == .refused)
    }
}
