import Foundation
import GRDB
import Testing

@testable import StopoverCore

@Suite("A ledger")
struct LedgerTests {
    private let scratch: JobScratch
    private var path: String { scratch.path + "/ledger.sqlite" }
    private let ledger: Ledger

    init() throws {
        scratch = try JobScratch()
        ledger = try Ledger.create(at: scratch.path + "/ledger.sqlite", job: SampleLedger.job)
    }

    @Test("is the same after it was closed and opened")
    func reopened() async throws {
        try await SampleLedger.fill(ledger)
        let before = try await LedgerContent(of: ledger)
        try await ledger.close()
        #expect(try await LedgerContent.read(path) == before)
    }

    @Test("gives back records as they were planned")
    func planned() async throws {
        let splits = [SampleLedger.split(1), SampleLedger.split(2)]
        try await ledger.commit([.transferPlanned(SampleLedger.transfer(), splits: splits)])
        #expect(try await ledger.transfers() == [SampleLedger.transfer()])
        #expect(try await ledger.splits(of: TransferID(1)) == splits)
        #expect(try await ledger.lastChunk() == ChunkID(0))
        #expect(try await ledger.totals(of: TransferID(1)).rows == 0)
    }

    @Test("shows what its entries made of the records")
    func content() async throws {
        try await SampleLedger.fill(ledger)
        let content = try await LedgerContent(of: ledger)
        #expect(content.job == SampleLedger.job)
        #expect(content.transfers.map(\.phase) == [.moving, .planned])
        #expect(content.transfers.map(\.epoch) == [1, 4])
        #expect(content.transfers.map(\.sentThrough) == [ChunkID(32), ChunkID(0)])
        #expect(content.splits[0].map(\.position) == [.int64(499), .int64(509)])
        #expect(content.splits[1].map(\.position) == [.int64(609)])
        #expect(content.quarantine == [SampleLedger.rows(60, split: 3, of: 2)])
        #expect(content.droppedKeys.map(\.rows) == [["a": 3], [:]])
        #expect(content.splits[0].map(\.isFinished) == [false, true])
        #expect(content.lastChunk == ChunkID(60))
        #expect(content.resting.map(\.id.number) == Array(21...50))
        #expect(content.resting.filter(\.isTainted).map(\.id.number) == [30, 31])
        #expect(content.notes == [["one", "three"], ["two"]])
    }

    @Test("sums rows by how far they are")
    func totals() async throws {
        try await SampleLedger.fill(ledger)
        for transfer in [TransferID(1), TransferID(2)] {
            let numbers = (Int64(1)...50).filter { ($0 % 3 == 0) == (transfer.number == 2) }
            let rows = { (chosen: [Int64]) in chosen.reduce(0) { $0 + $1 + 1 } }
            let totals = try await ledger.totals(of: transfer)
            #expect(totals.rows == rows(numbers))
            #expect(totals.ackedRows == rows(numbers.filter { $0 < 30 }))
            #expect(totals.flushedRows == rows(numbers.filter { $0 <= 20 }))
            #expect(totals.flushedChunks == numbers.filter { $0 <= 20 }.count)
            #expect(totals.quarantinedRows == (transfer.number == 2 ? 4 : 0))
            let splits = try await ledger.splits(of: transfer)
            #expect(splits.reduce(0) { $0 + $1.rows } == totals.rows)
        }
    }

    @Test("moves a split on by rows that were set aside, with or without a chunk of their page")
    func quarantined() async throws {
        try await ledger.commit([
            .transferPlanned(SampleLedger.transfer(), splits: [SampleLedger.split(1)]),
            .chunkSpooled(SampleLedger.chunk(1)), .rowsQuarantined(SampleLedger.rows(1)),
            .rowsQuarantined(SampleLedger.rows(2)),
        ])
        #expect(try await ledger.splits(of: TransferID(1)).map(\.position) == [.int64(29)])
        #expect(try await ledger.totals(of: TransferID(1)).quarantinedRows == 8)
        #expect(try await ledger.lastChunk() == ChunkID(2))
        await #expect(throws: StopoverError.self) {
            try await ledger.commit([.rowsQuarantined(SampleLedger.rows(1))])
        }
    }

    @Test("keeps how a published transfer ended")
    func published() async throws {
        let transfer = SampleLedger.transfer()
        let result = TransferResult(
            source: transfer.source, target: transfer.target,
            counts: TransferCounts(
                sourceAtPlan: 5, sourceAtEnd: 5, read: 5, quarantined: 1, loaded: 4, target: 4),
            unreadable: ["x"], droppedKeys: ["a": 2])
        try await ledger.commit([.transferPlanned(transfer, splits: [])])
        await #expect(throws: StopoverError.self) { try await ledger.result(of: transfer.id) }
        try await ledger.commit([.transferPublished(transfer.id, result)])
        #expect(try await ledger.transfers().map(\.phase) == [.published])
        #expect(try await ledger.result(of: transfer.id) == result)
    }

    @Test("keeps the keys of acknowledgements that count no longer")
    func disowned() async throws {
        try await ledger.commit([
            .transferPlanned(SampleLedger.transfer(2), splits: [SampleLedger.split(1, of: 2)]),
            .chunkSpooled(SampleLedger.chunk(1, of: 2)),
            .chunkSpooled(SampleLedger.chunk(2, of: 2)),
            .chunkAcked(ChunkID(1), rows: 0..<2, ids: .int64([5, 6])),
            .chunkAcked(ChunkID(1), rows: 2..<10, ids: .int64(Array(10..<18))),
            .chunkAcked(ChunkID(2), rows: 0..<10, ids: .int64(Array(30..<40))),
            .chunksDisowned([ChunkID(1)]),
        ])
        let transfer = TransferID(2)
        #expect(
            try await OwnedKeys(ledger.disownedKeys(of: transfer)) == .int64([5...6, 10...17]))
        #expect(try await OwnedKeys(ledger.madeKeys(of: transfer)) == .int64([30...39]))
        #expect(try await ledger.transfer(transfer).rewrittenRows == 10)
        try await ledger.commit([.lossesCounted(transfer, 3)])
        #expect(try await ledger.transfer(transfer).lostRows == 3)
    }

    @Test(
        "keeps what chunks say, what verifications found, and the keys of rows that were repaired")
    func verified() async throws {
        let transfer = TransferID(2)
        let content = ContentRecord(
            chunk: ChunkID(1), transfer: transfer, rowCount: 10,
            fields: [Digest128(high: 1, low: .max), Digest128(high: .max, low: 0)],
            samples: [
                SampledRow(row: 0, key: .int64(.min), digests: [1, .max]),
                SampledRow(row: 9, key: nil, digests: []),
            ])
        let proof = ProofRecord(
            chunk: ChunkID(1), transfer: transfer, verification: 3, rows: 10, bytes: 99,
            problems: [
                RowProblem(
                    .differ, chunk: ChunkID(1), row: 4, key: .int64(6), sourceKey: .varchar("a"),
                    fields: ["title"], note: "n")
            ])
        var summary = VerificationSummary(level: .full, ended: .distantPast)
        summary.add(proof)
        #expect(summary.differ == 1 && !summary.isClean)
        let verification = VerificationRecord(
            id: 3, transfer: transfer, level: .full, begun: .distantPast, summary: summary)
        try await ledger.commit([
            .transferPlanned(SampleLedger.transfer(2), splits: [SampleLedger.split(1, of: 2)]),
            .chunkSpooled(SampleLedger.chunk(1, of: 2)), .contentDigested(content),
            .chunkAcked(ChunkID(1), rows: 0..<4, ids: .int64([1, 2, 3, 4])),
            .chunkAcked(ChunkID(1), rows: 4..<10, ids: .int64([10, 11, 12, 13, 14, 15])),
            .chunksFlushed([ChunkID(1)]), .verification(verification), .chunkProved(proof),
            .keysReplaced(ChunkID(1), [3: .int64(70), 4: .int64(71)]),
        ])
        #expect(try await ledger.content(of: ChunkID(1)) == content)
        #expect(try await ledger.content(of: ChunkID(2)) == nil)
        #expect(try await ledger.verification(of: transfer) == verification)
        #expect(try await ledger.verification(of: TransferID(1)) == nil)
        #expect(try await ledger.proofs(ChunkID(1)...ChunkID(5)) == [proof])
        #expect(
            try await ledger.acks(of: ChunkID(1)).flatMap { $0.ids?.keys ?? [] }
                == [1, 2, 3, 70, 71, 11, 12, 13, 14, 15].map { .int64($0) })
        await #expect(throws: StopoverError.self) {
            try await ledger.commit([.contentDigested(content)])
        }
    }

    @Test("knows which keys are a chunk's, whatever the numbers of chunks are")
    func ranges() async throws {
        var chunks = [7, 5, 9].map { SampleLedger.chunk($0) }
        for (place, first) in [Int64(100), 200, 400].enumerated() {
            chunks[place].firstKey = .int64(first)
            chunks[place].lastKey = .int64(first + 9)
        }
        var aside = SampleLedger.rows(10)
        aside.lastKey = .int64(309)
        var split = SampleLedger.split(1)
        split.range = KeyRange(after: .int64(50), through: .int64(500))
        try await ledger.commit([
            .transferPlanned(SampleLedger.transfer(), splits: [split]), .chunkSpooled(chunks[0]),
            .chunkSpooled(chunks[1]), .rowsQuarantined(aside), .chunkSpooled(chunks[2]),
        ])
        var walk = try await ChunkWalk(ledger, of: TransferID(1))
        let places = try await walk.next()
        #expect(places.map(\.chunk.id.number) == [5, 7, 9])
        #expect(places.map(\.chunk.after) == [.int64(109), .int64(50), .int64(209)])
        #expect(walk.tails.map(\.range) == [KeyRange(after: .int64(409), through: .int64(500))])
        #expect(try await walk.next().isEmpty && walk.rows == 30)
    }

    @Test("of an earlier version gets the tables that it lacks")
    func older() async throws {
        try await SampleLedger.fill(ledger)
        let before = try await LedgerContent(of: ledger)
        try await ledger.database.write { db in
            try db.execute(sql: "DROP TABLE disowned")
            try LedgerTables.describe(db, format: Ledger.format - 1)
        }
        try await ledger.close()
        #expect(try await LedgerContent.read(path) == before)
        let reopened = try Ledger.open(at: path)
        #expect(try await reopened.disownedKeys(of: TransferID(2)).isEmpty)
        try await reopened.close()
    }

    @Test("sums dropped keys, and keeps no more of them than its limit")
    func droppedKeys() async throws {
        try await ledger.commit([.keysDropped(TransferID(1), ["a": 1, "b": 2])])
        try await ledger.commit([.keysDropped(TransferID(1), ["b": 5])])
        #expect(try await ledger.droppedKeys(of: TransferID(1)).rows == ["a": 1, "b": 7])
        var keys = DroppedKeys()
        for number in 0..<(DroppedKeys.mostKeys + 50) { keys.add(["k\(number)": 1]) }
        #expect(keys.rows.count == DroppedKeys.mostKeys + 1)
        #expect(keys.rows[DroppedKeys.otherKeys] == 50)
    }

    @Test("makes a commit durable whole or not at all")
    func atomic() async throws {
        try await SampleLedger.fill(ledger)
        let before = try await LedgerContent(of: ledger)
        await #expect(throws: StopoverError.self) {
            try await ledger.commit([
                .chunkSpooled(SampleLedger.chunk(51)), .note(code: "STO-A", message: "four"),
                .sentThrough(TransferID(1), ChunkID(64)), .chunksFlushed([ChunkID(51)]),
            ])
        }
        #expect(try await LedgerContent(of: ledger) == before)
        // Nothing of it is remembered: its split is not beyond the chunk.
        try await ledger.commit([.chunkSpooled(SampleLedger.chunk(51))])
        #expect(try await ledger.chunk(ChunkID(51)).state == .spooled)
    }

    @Test("changes records that it wrote long ago")
    func manyRecords() async throws {
        let last = Int64(RecentRecords.limit) + 10
        try await ledger.commit([
            .transferPlanned(SampleLedger.transfer(), splits: [SampleLedger.split(1)])
        ])
        for first in stride(from: 1, through: last, by: 100) {
            try await ledger.commit(
                (first..<min(first + 100, last + 1)).map { .chunkSpooled(SampleLedger.chunk($0)) })
        }
        try await ledger.commit([
            .chunkAcked(ChunkID(1), rows: 0..<10, ids: nil), .chunksFlushed([ChunkID(1)]),
        ])
        #expect(try await ledger.chunk(ChunkID(1)).state == .flushed)
        #expect(try await ledger.chunks(of: TransferID(1), in: .spooled).count == Int(last) - 1)
    }

    @Test("applies the entries of a commit in their order")
    func order() async throws {
        try await ledger.commit([
            .transferPlanned(SampleLedger.transfer(), splits: [SampleLedger.split(1)]),
            .chunkSpooled(SampleLedger.chunk(1)), .chunkAcked(ChunkID(1), rows: 0..<10, ids: nil),
            .chunksTainted([ChunkID(1)]), .chunkAcked(ChunkID(1), rows: 0..<10, ids: nil),
            .chunksFlushed([ChunkID(1)]),
        ])
        #expect(try await ledger.chunk(ChunkID(1)).state == .flushed)
    }

    @Test("returns to each of 50 concurrent callers only when their entry is on disk")
    func concurrent() async throws {
        try await ledger.commit([
            .transferPlanned(
                SampleLedger.transfer(), splits: (1...50).map { SampleLedger.split($0) })
        ])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in Int64(1)...50 {
                group.addTask {
                    try await ledger.commit([
                        .chunkSpooled(SampleLedger.chunk(number, split: number)),
                        .note(code: "STO-\(number)", message: "done"),
                    ])
                    // What a process would find that is started now, after a crash of this one.
                    let copy = scratch.path + "/copy-\(number).sqlite"
                    try copyLedger(to: copy)
                    let read = try Ledger.open(at: copy)
                    #expect(try await read.chunk(ChunkID(number)).split == SplitID(number))
                    #expect(try await read.notes(code: "STO-\(number)") == ["done"])
                    try await read.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await ledger.restingChunks().map(\.id.number) == Array(1...50))
    }

    /// A copy while others write: the file does not change before a checkpoint of 1000 pages, and a
    /// torn end of the log is left out by SQLite.
    private func copyLedger(to copy: String) throws {
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
        }
    }

    @Test("fails a bad entry alone, not its neighbours in a group")
    func neighbours() async throws {
        try await ledger.commit([
            .transferPlanned(
                SampleLedger.transfer(), splits: (1...40).map { SampleLedger.split($0) })
        ])
        let refused = await withTaskGroup(of: Int64?.self) { group in
            for number in Int64(1)...40 {
                group.addTask {
                    let split = number % 4 == 0 ? 999 : number
                    do {
                        try await ledger.commit([
                            .chunkSpooled(SampleLedger.chunk(number, split: split))
                        ])
                        return nil
                    } catch { return number }
                }
            }
            return await group.reduce(into: Set<Int64>()) {
                if let number = $1 { $0.insert(number) }
            }
        }
        #expect(refused == Set((1...40).filter { $0 % 4 == 0 }))
        let resting = try await ledger.restingChunks().map(\.id.number)
        #expect(resting == (1...40).filter { $0 % 4 != 0 })
    }

    @Test("syncs every commit")
    func synchronous() async throws {
        try await ledger.close()
        let opened = try Ledger.open(at: path)
        for pragma in [("synchronous", "2"), ("journal_mode", "wal")] {
            let value = try await opened.database.read { db in
                try String.fetchOne(db, sql: "PRAGMA \(pragma.0)")
            }
            #expect(value == pragma.1)
        }
        try await opened.close()
    }

    @Test("is readable by its owner alone, whatever the umask")
    func modes() async throws {
        try await ledger.commit([.note(code: "STO-A", message: "a")])
        for name in try scratch.names() { #expect(try mode(scratch.path + "/" + name) == 0o600) }
    }

    @Test("is not made where one is")
    func exists() throws {
        let error = #expect(throws: StopoverError.self) {
            try Ledger.create(at: path, job: SampleLedger.job)
        }
        #expect(error?.code == .ledgerIO)
    }
}
