import Foundation
import Synchronization
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The budget of the spool", .timeLimit(.minutes(1)))
struct SpoolBudgetTests {
    private let scratch: JobScratch

    init() throws { scratch = try JobScratch() }

    private func spool(limit: Int64, report: @escaping @Sendable (Int64) -> Void = { _ in })
        throws -> Spool
    {
        try Spool(
            directory: scratch.path, limitBytes: limit, seed: 1, resting: [], report: report)
    }

    /// Returns once a chunk waits for room.
    private func waitUntilFull(_ spool: Spool) async throws {
        while !spool.isAwaited { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("is never exceeded by 20 concurrent writers, and all of them pass")
    func concurrent() async throws {
        let limit: Int64 = 1000
        let worst = Mutex<Int64>(0)
        let spool = try spool(limit: limit) { used in worst.withLock { $0 = max($0, used) } }
        let numbers = ChunkNumbers(after: ChunkID(0))
        let seed = UInt64.random(in: 0 ... .max)
        print("The budget of the spool: seed \(seed)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<20 {
                group.addTask {
                    var random = SeededRandom(seed: seed &+ UInt64(writer))
                    for _ in 0..<100 {
                        let wanted = Int.random(in: 1...400, using: &random)
                        try await spool.reserve(wanted)
                        let use = spool.usedBytes
                        #expect(use <= limit)
                        if Bool.random(using: &random) { await Task.yield() }
                        if Int.random(in: 0..<5, using: &random) == 0 {
                            spool.settle(reserved: wanted, written: nil)
                            continue
                        }
                        // It shrank, as chunks do.
                        let id = numbers.next()
                        let record = SampleChunk.record(
                            Batch(rowCount: 1, columns: []), SampleChunk.header(id.number),
                            fileBytes: Int.random(in: 1...wanted, using: &random),
                            digest: Digest128(high: 1, low: 1))
                        spool.settle(reserved: wanted, written: record)
                        await Task.yield()
                        spool.recorded([id])
                        spool.turnEnded()
                        _ = spool.release([id])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(spool.usedBytes == 0)
        #expect(worst.withLock { $0 } <= limit)
        #expect(worst.withLock { $0 } > limit / 2, "there was never a contest")
    }

    @Test("holds what a chunk has on disk, its header included")
    func header() async throws {
        let spool = try spool(limit: 1 << 20)
        var random = SeededRandom(seed: 4)
        // Null flags in the tail, keys of text: the header is the larger part of this file.
        let batch = Batch(
            rowCount: 500,
            columns: [
                Column(
                    name: "näme", type: .int8Vector, head: random.bytes(20),
                    payload: random.bytes(100)[...], tail: random.bytes(500))
            ])
        var header = SampleChunk.header()
        header.lastKey = .varchar(random.bytes(300))
        let room = ChunkFormat.room(for: batch, header)
        try await spool.reserve(room)
        let record = try spool.makeWriter().seal(batch, header)
        #expect(record.fileBytes <= room)
    }

    @Test("lets a chunk pass that is larger than it, when nothing else is there")
    func large() async throws {
        let spool = try spool(limit: 100)
        try await spool.reserve(10)
        let large = Task { try await spool.reserve(1000) }
        try await waitUntilFull(spool)
        #expect(spool.usedBytes == 10)
        spool.settle(reserved: 10, written: nil)
        try await large.value
        #expect(spool.usedBytes == 1000)
        // However small, the next one waits for it.
        #expect(!spool.isAwaited)
        let small = Task { try await spool.reserve(1) }
        try await waitUntilFull(spool)
        #expect(spool.usedBytes == 1000)
        spool.settle(reserved: 1000, written: nil)
        try await small.value
        spool.settle(reserved: 1, written: nil)
        #expect(spool.usedBytes == 0)
    }

    @Test("is given first come, first served: a small chunk does not overtake a large one")
    func fair() async throws {
        let spool = try spool(limit: 100)
        try await spool.reserve(60)
        let large = Task { try await spool.reserve(80) }
        try await waitUntilFull(spool)
        let isSmallIn = Mutex(false)
        let small = Task {
            try await spool.reserve(10)
            isSmallIn.withLock { $0 = true }
        }
        try await Task.sleep(for: .milliseconds(20))
        #expect(!isSmallIn.withLock { $0 })
        spool.settle(reserved: 60, written: nil)
        try await large.value
        try await small.value
        #expect(spool.usedBytes == 90)
    }

    /// A worker's turn: room, a file, and the end; recorded unless an earlier chunk is missing.
    private func fill(_ spool: Spool, _ id: Int64, recorded: Bool) async throws {
        let record = SampleChunk.record(
            Batch(rowCount: 1, columns: []), SampleChunk.header(id), fileBytes: 60,
            digest: Digest128(high: 1, low: 1))
        try await spool.reserve(60)
        spool.settle(reserved: 60, written: record)
        if recorded { spool.recorded([record.id]) }
        spool.turnEnded()
    }

    /// The chunk that rests there waits for the one before it.
    @Test("lets a chunk pass when loading can free nothing")
    func outOfOrder() async throws {
        let spool = try spool(limit: 100)
        try await fill(spool, 2, recorded: false)
        #expect(!spool.holdsLoadable)
        try await fill(spool, 1, recorded: true)
        spool.recorded([ChunkID(2)])
        #expect(spool.usedBytes == 120)
        #expect(spool.holdsLoadable)

        let third = Task { try await fill(spool, 3, recorded: true) }
        try await waitUntilFull(spool)
        #expect(spool.usedBytes == 120)
        #expect(spool.release([ChunkID(1)]) > 0)
        #expect(spool.release([ChunkID(2)]) > 0)
        try await third.value
        #expect(spool.usedBytes == 60)
    }

    /// What a chunk is told that the disk had no room for.
    @Test("lets a chunk wait for the disk while there is something that makes room, and no longer")
    func fullDisk() async throws {
        let spool = try spool(limit: 1000)
        func mayWait(since released: Int) -> Bool {
            spool.mayFindRoom(ChunkID(9), since: released)
        }
        // Its own turn.
        try await spool.reserve(10)
        #expect(!mayWait(since: 0))
        // A worker that has its room on the disk, or is about to ask for it, records its chunk then.
        try await spool.reserve(10)
        #expect(mayWait(since: 0))
        spool.waitsForDisk(ChunkID(2), true)
        #expect(!mayWait(since: 0))
        spool.waitsForDisk(ChunkID(2), false)
        spool.turnEnded()
        // Chunks that can be loaded; and that left between the refusal and the question.
        try await fill(spool, 1, recorded: true)
        #expect(mayWait(since: 0))
        _ = spool.release([ChunkID(1)])
        #expect(!spool.holdsLoadable)
        #expect(mayWait(since: 0))
        #expect(!mayWait(since: spool.releasedCount))
    }

    @Test("loses no room when one who waits is cancelled")
    func cancelled() async throws {
        let spool = try spool(limit: 100)
        try await spool.reserve(100)
        let waiting = (0..<10).map { _ in Task { try await spool.reserve(30) } }
        try await waitUntilFull(spool)
        waiting.forEach { $0.cancel() }
        for task in waiting {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(spool.usedBytes == 100)
        spool.settle(reserved: 100, written: nil)
        #expect(spool.usedBytes == 0)
        try await spool.reserve(100)
        #expect(spool.usedBytes == 100)
    }

    @Test("serves those behind one who is cancelled")
    func cancelledFirst() async throws {
        let spool = try spool(limit: 100)
        try await spool.reserve(60)
        let large = Task { try await spool.reserve(80) }
        try await waitUntilFull(spool)
        let small = Task { try await spool.reserve(10) }
        try await Task.sleep(for: .milliseconds(20))
        large.cancel()
        try await small.value
        #expect(spool.usedBytes == 70)
    }

    @Test("keeps its account when cancellation and room race")
    func race() async throws {
        let spool = try spool(limit: 100)
        for _ in 0..<500 {
            try await spool.reserve(100)
            let task = Task { try await spool.reserve(50) }
            await Task.yield()
            async let cancel: Void = task.cancel()
            spool.settle(reserved: 100, written: nil)
            await cancel
            let passed = (try? await task.value) != nil
            #expect(spool.usedBytes == (passed ? 50 : 0))
            if passed { spool.settle(reserved: 50, written: nil) }
        }
    }
}
