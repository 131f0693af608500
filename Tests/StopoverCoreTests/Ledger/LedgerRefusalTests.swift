import Foundation
import Testing

@testable import StopoverCore

@Suite("A ledger refuses")
struct LedgerRefusalTests {
    private let scratch: JobScratch
    private let ledger: Ledger

    init() async throws {
        scratch = try JobScratch()
        ledger = try Ledger.create(at: scratch.path + "/ledger.sqlite", job: SampleLedger.job)
        try await ledger.commit([
            .transferPlanned(
                SampleLedger.transfer(), splits: [SampleLedger.split(1), SampleLedger.split(2)]),
            .transferEpoch(TransferID(1), 3), .chunkSpooled(SampleLedger.chunk(5)),
        ])
    }

    private func refuses(
        _ code: StopoverError.Code = .ledgerRefuses, _ entries: LedgerEntry...
    ) async throws {
        let before = try await LedgerContent(of: ledger)
        let error = await #expect(throws: StopoverError.self) { try await ledger.commit(entries) }
        #expect(error?.code == code)
        #expect(try await LedgerContent(of: ledger) == before)
    }

    @Test("a position that goes back or stands still")
    func position() async throws {
        try await refuses(.ledgerRefuses, .chunkSpooled(SampleLedger.chunk(4)))
        var same = SampleLedger.chunk(6)
        same.lastKey = SampleLedger.chunk(5).lastKey
        try await refuses(.ledgerRefuses, .chunkSpooled(same))
    }

    @Test("a chunk that is there already")
    func chunkTwice() async throws {
        try await refuses(.ledgerRefuses, .chunkSpooled(SampleLedger.chunk(5, split: 2)))
    }

    @Test("a chunk of an unknown split, a phase of an unknown transfer")
    func unknownParents() async throws {
        try await refuses(.ledgerCorrupt, .chunkSpooled(SampleLedger.chunk(6, split: 3)))
        try await refuses(.ledgerCorrupt, .transferPhase(TransferID(2), .moving))
        try await refuses(.ledgerCorrupt, .splitFinished(SplitID(3)))
    }

    @Test(
        "an acknowledgement of rows that are acknowledged",
        arguments: [0..<10, 2..<3, 0..<3, 3..<6, 4..<10])
    func overlap(rows: Range<Int>) async throws {
        try await ledger.commit([.chunkAcked(ChunkID(5), rows: 2..<5, ids: nil)])
        try await refuses(.ledgerRefuses, .chunkAcked(ChunkID(5), rows: rows, ids: nil))
    }

    @Test(
        "an acknowledgement of no rows, or of rows that there are not",
        arguments: [0..<11, 10..<12, -1..<3, 4..<4])
    func beyond(rows: Range<Int>) async throws {
        try await refuses(.ledgerRefuses, .chunkAcked(ChunkID(5), rows: rows, ids: nil))
    }

    @Test("an acknowledgement, a flush or a doubt of an unknown chunk")
    func unknownChunk() async throws {
        try await refuses(.ledgerCorrupt, .chunkAcked(ChunkID(6), rows: 0..<1, ids: nil))
        try await refuses(.ledgerCorrupt, .chunksFlushed([ChunkID(6)]))
        try await refuses(.ledgerCorrupt, .chunksTainted([ChunkID(6)]))
    }

    @Test("a flush of a chunk that is not acknowledged, or only in part")
    func flush() async throws {
        try await refuses(.ledgerRefuses, .chunksFlushed([ChunkID(5)]))
        try await ledger.commit([.chunkAcked(ChunkID(5), rows: 0..<9, ids: nil)])
        try await refuses(.ledgerRefuses, .chunksFlushed([ChunkID(5)]))
    }

    @Test("a second flush, and a doubt about what is flushed")
    func flushed() async throws {
        try await ledger.commit([
            .chunkAcked(ChunkID(5), rows: 0..<10, ids: nil), .chunksFlushed([ChunkID(5)]),
        ])
        try await refuses(.ledgerRefuses, .chunksFlushed([ChunkID(5)]))
        try await refuses(.ledgerRefuses, .chunksTainted([ChunkID(5)]))
        try await refuses(.ledgerRefuses, .chunkAcked(ChunkID(5), rows: 0..<10, ids: nil))
    }

    @Test("an epoch that goes back or stands still", arguments: [2, 3])
    func epoch(epoch: Int) async throws {
        try await refuses(.ledgerRefuses, .transferEpoch(TransferID(1), epoch))
    }

    @Test("nothing of acknowledgements part by part, in any order")
    func parts() async throws {
        for (rows, state) in [(6..<10, ChunkState.spooled), (0..<2, .spooled), (2..<6, .acked)] {
            try await ledger.commit([.chunkAcked(ChunkID(5), rows: rows, ids: nil)])
            #expect(try await ledger.chunk(ChunkID(5)).state == state)
        }
    }

    @Test("nothing of the same acknowledgements after a doubt took them back")
    func taint() async throws {
        try await ledger.commit([.chunkAcked(ChunkID(5), rows: 0..<10, ids: .int64([1, 2]))])
        try await ledger.commit([.chunksTainted([ChunkID(5)])])
        var chunk = try await ledger.chunk(ChunkID(5))
        #expect(chunk.state == .spooled)
        #expect(chunk.isTainted)
        try await ledger.commit([.chunkAcked(ChunkID(5), rows: 0..<9, ids: nil)])
        #expect(try await ledger.chunk(ChunkID(5)).state == .spooled)
        try await ledger.commit([.chunkAcked(ChunkID(5), rows: 9..<10, ids: nil)])
        chunk = try await ledger.chunk(ChunkID(5))
        #expect(chunk.state == .acked)
        #expect(chunk.isTainted, "the mark stays")
    }

    @Test("to lower the mark of what was sent, silently")
    func sentThrough() async throws {
        try await ledger.commit([.sentThrough(TransferID(1), ChunkID(64))])
        try await ledger.commit([.sentThrough(TransferID(1), ChunkID(32))])
        #expect(try await ledger.transfers()[0].sentThrough == ChunkID(64))
    }
}
