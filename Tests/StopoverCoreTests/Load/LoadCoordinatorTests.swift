import StopoverCore
import Testing

/// Steps the coordinator by hand, answering its actions as a shell would.
private struct Bench {
    var coordinator: LoadCoordinator
    var sent: [(LoadCoordinator.Part, WriteMode)] = []
    var records: [LedgerEntry] = []
    var flushes = 0
    var fences = 0
    var sweeps = 0
    var pauses = 0
    var released: [ChunkID] = []
    var isFinished = false
    var stopped: StopoverError??

    init(
        _ doubts: LoadCoordinator.Doubts = .upsert, requestLimit: Int = 2,
        spoolBytes: Int64 = 1 << 30,
        spooled: [LoadCoordinator.Chunk] = [], acked: [LoadCoordinator.Chunk] = [],
        tainted: Set<ChunkID> = [], sentThrough: Int64 = 0
    ) {
        var settings = LoadCoordinator.Settings(spoolBytes: spoolBytes, doubts: doubts)
        settings.requestLimit = requestLimit
        coordinator = LoadCoordinator(
            transfer: TransferRecord(
                id: TransferID(1), source: CollectionName(collection: "a"),
                target: CollectionName(collection: "b"), regeneratesKeys: doubts != .upsert,
                phase: .moving, epoch: 1, timestamp: nil, sourceRows: 0,
                sentThrough: ChunkID(sentThrough)),
            settings: settings, spooled: spooled, acked: acked, tainted: tainted)
        take(coordinator.start())
    }

    mutating func handle(_ event: LoadCoordinator.Event) { take(coordinator.handle(event)) }

    private mutating func take(_ actions: [LoadCoordinator.Action]) {
        for action in actions {
            switch action {
            case .record(let entries): records += entries
            case .send(let part, let mode): sent.append((part, mode))
            case .flush: flushes += 1
            case .fence: fences += 1
            case .sweep: sweeps += 1
            case .release(let ids): released += ids
            case .pause: pauses += 1
            case .finish: isFinished = true
            case .stop(let error): stopped = .some(error)
            }
        }
    }

    /// A chunk of 10 rows that was too large: the first half is acknowledged, the second under way.
    static func halfAcknowledged(_ doubts: LoadCoordinator.Doubts) -> Bench {
        var bench = Bench(doubts)
        bench.spool(1...1, rows: 10)
        bench.answer(.tooLarge(trouble))
        bench.answer(.acknowledged)
        return bench
    }

    /// Chunks that were disowned, in the order of their records.
    var disowned: [Int64] {
        records.flatMap { (entry) -> [Int64] in
            if case .chunksDisowned(let ids) = entry { ids.map(\.number) } else { [] }
        }
    }

    mutating func spool(_ numbers: ClosedRange<Int64>, rows: Int = 10, bytes: Int = 100) {
        for number in numbers {
            handle(.chunkSpooled(chunk(number, rows: rows, bytes: bytes)))
        }
    }

    /// Ends the oldest request that is not answered yet.
    mutating func answer(_ end: LoadCoordinator.WriteEnd) {
        let (part, _) = sent.removeFirst()
        handle(.writeEnded(part, end))
    }
}

private func chunk(_ number: Int64, rows: Int = 10, bytes: Int = 100) -> LoadCoordinator.Chunk {
    LoadCoordinator.Chunk(id: ChunkID(number), rowCount: rows, fileBytes: bytes)
}

private let trouble = StopoverError(.init("STO-TEST", exit: .failed), "trouble", remedy: "none")
private let passingTrouble = {
    var error = trouble
    error.isTransient = true
    return error
}()

@Suite("The load coordinator")
struct LoadCoordinatorTests {
    @Test("sends no more requests at once than its limit")
    func requestLimit() {
        var bench = Bench(requestLimit: 2)
        bench.spool(1...5)
        bench.answer(.acknowledged)
        #expect(bench.sent.map { $0.0.chunk.number } == [2, 3])
        bench.answer(.acknowledged)
        #expect(bench.sent.map { $0.0.chunk.number } == [3, 4])
    }

    @Test("sends one request alone at the start and after a pause, until it is acknowledged")
    func probe() {
        var bench = Bench(requestLimit: 3)
        bench.spool(1...6)
        #expect(bench.sent.count == 1)
        bench.answer(.acknowledged)
        #expect(bench.sent.count == 3)
        bench.answer(.acknowledged)
        bench.answer(.acknowledged)
        for _ in 0..<3 { bench.answer(.refused(trouble)) }
        bench.handle(.pauseEnded)
        #expect(bench.sent.count == 1)
    }

    @Test("records that a chunk may be sent before it sends it, many chunks at a time")
    func sentAhead() throws {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...1)
        guard case .sentThrough(_, let through) = try #require(bench.records.first) else {
            Issue.record("the first record is not of what is sent")
            return
        }
        #expect(through >= ChunkID(1))
        bench.answer(.acknowledged)
        bench.spool(2...2)
        #expect(bench.records.count == 1)
    }

    @Test("finishes when every row is flushed, and lets files go only then")
    func plainEnd() {
        var bench = Bench()
        bench.spool(1...2)
        bench.handle(.extractionFinished)
        bench.answer(.acknowledged)
        #expect(bench.flushes == 0 && bench.released.isEmpty)
        bench.answer(.acknowledged)
        #expect(bench.flushes == 1 && bench.released.isEmpty && !bench.isFinished)
        bench.handle(.flushEnded(nil))
        #expect(bench.released.map(\.number) == [1, 2])
        #expect(bench.isFinished && bench.fences == 0)
    }

    @Test("finishes at once when there is nothing to load")
    func empty() {
        var bench = Bench()
        #expect(!bench.isFinished)
        bench.handle(.extractionFinished)
        #expect(bench.isFinished && bench.flushes == 0)
    }

    @Test("does not send a chunk in doubt again before the fence, and upserts it after")
    func doubt() {
        var bench = Bench()
        bench.spool(1...2)
        bench.handle(.extractionFinished)
        bench.answer(.inDoubt(trouble))
        bench.handle(.pauseEnded)
        bench.answer(.acknowledged)
        #expect(bench.fences == 1 && bench.sent.isEmpty)
        bench.handle(.fenceStands)
        #expect(bench.sent.allSatisfy { $0.1 == .upsert })
        #expect(bench.sent.map { $0.0.chunk.number } == [1])
        bench.answer(.acknowledged)
        #expect(bench.flushes == 1)
        bench.handle(.flushEnded(nil))
        #expect(bench.isFinished)
        #expect(bench.released.map(\.number).sorted() == [1, 2])
    }

    @Test("doubts what was acknowledged and not flushed when a request is in doubt")
    func doubtSpreads() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...2)
        bench.handle(.extractionFinished)
        bench.answer(.acknowledged)
        bench.answer(.inDoubt(trouble))
        bench.handle(.pauseEnded)
        bench.handle(.fenceStands)
        #expect(bench.sent.map { $0.0.chunk.number } == [1])
        bench.answer(.acknowledged)
        #expect(bench.sent.map { $0.0.chunk.number } == [2])
    }

    @Test("doubts what is not flushed when the target cannot be reached, and sends the rest again")
    func unreached() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...2)
        bench.handle(.extractionFinished)
        bench.answer(.acknowledged)
        bench.answer(.unreached(trouble))
        bench.handle(.pauseEnded)
        #expect(bench.sent.map { $0.0.chunk.number } == [2] && bench.sent.map(\.1) == [.insert])
        bench.answer(.acknowledged)
        #expect(bench.fences == 1)
        bench.handle(.fenceStands)
        #expect(bench.sent.map { $0.0.chunk.number } == [1] && bench.sent.map(\.1) == [.upsert])
    }

    @Test("fences again when a request of the final pass is in doubt")
    func doubtInFinalPass() {
        var bench = Bench()
        bench.spool(1...1)
        bench.handle(.extractionFinished)
        bench.answer(.inDoubt(trouble))
        bench.handle(.pauseEnded)
        bench.handle(.fenceStands)
        bench.answer(.inDoubt(trouble))
        #expect(bench.flushes == 0)
        bench.handle(.pauseEnded)
        #expect(bench.fences == 2)
        bench.handle(.fenceStands)
        bench.answer(.acknowledged)
        #expect(bench.flushes == 1)
        bench.handle(.flushEnded(nil))
        #expect(bench.isFinished)
    }

    @Test("forgets a flush during which a request came into doubt")
    func doubtDuringFlush() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...2)
        bench.answer(.acknowledged)
        bench.handle(.flushWanted)
        #expect(bench.flushes == 1)
        bench.answer(.inDoubt(trouble))
        bench.handle(.flushEnded(nil))
        #expect(bench.released.isEmpty)
    }

    @Test(
        "inserts again at once what is in doubt with keys of the target's making, and sweeps once")
    func regeneratedDoubt() throws {
        var bench = Bench(.sweep)
        bench.spool(1...3)
        bench.answer(.acknowledged)
        // 2 and 3 are under way: with the doubt about 2, what is acknowledged is nobody's either.
        bench.answer(.inDoubt(trouble))
        #expect(bench.disowned == [1, 2])
        bench.handle(.pauseEnded)
        // The answer of 3 crossed the loss: it counts for nothing.
        bench.answer(.acknowledged)
        #expect(bench.disowned == [1, 2, 3])
        bench.handle(.extractionFinished)
        // One chunk at a time is at risk now, then two.
        for (flush, left) in [(1, 1), (2, 2)] {
            #expect(bench.sent.count == left)
            while !bench.sent.isEmpty { bench.answer(.acknowledged) }
            #expect(bench.flushes == flush && bench.fences == 0)
            bench.handle(.flushEnded(nil))
            #expect(bench.released.count == left * (left + 1) / 2)
        }
        #expect(bench.fences == 1 && bench.sweeps == 0)
        bench.handle(.fenceStands)
        #expect(bench.sweeps == 1 && !bench.isFinished)
        bench.handle(.sweepEnded(nil))
        #expect(bench.isFinished)
    }

    @Test("needs no fence and no sweep when nothing was ever in doubt")
    func regeneratedWithoutDoubt() {
        var bench = Bench(.sweep)
        bench.spool(1...2)
        bench.handle(.extractionFinished)
        while !bench.sent.isEmpty { bench.answer(.acknowledged) }
        bench.handle(.flushEnded(nil))
        #expect(bench.isFinished)
        #expect(bench.fences == 0 && bench.sweeps == 0)
    }

    @Test("puts a chunk back whole when one of its parts is in doubt and another is acknowledged")
    func regeneratedParts() {
        var bench = Bench.halfAcknowledged(.sweep)
        bench.answer(.inDoubt(trouble))
        #expect(bench.disowned == [1])
        bench.handle(.pauseEnded)
        bench.answer(.acknowledged)
        #expect(bench.sent.map { $0.0.rows } == [5..<10])
    }

    @Test("doubts the acknowledged part of a chunk when the target is lost between two parts")
    func lossBetweenParts() {
        var bench = Bench.halfAcknowledged(.upsert)
        bench.handle(.targetLost)
        bench.answer(.acknowledged)
        bench.handle(.extractionFinished)
        #expect(bench.fences == 1)
        bench.handle(.fenceStands)
        // What was too large once is not tried whole again.
        bench.answer(.acknowledged)
        #expect(bench.sent.map { $0.0.rows } == [5..<10])
    }

    @Test("does not insert again what is refused of a chunk that came into doubt meanwhile")
    func refusedAfterDoubt() {
        var bench = Bench.halfAcknowledged(.upsert)
        bench.handle(.targetLost)
        bench.answer(.refused(trouble))
        bench.handle(.pauseEnded)
        #expect(bench.sent.isEmpty)
    }

    @Test("stops at a request in doubt what can be neither upserted nor swept")
    func unsettledDoubt() throws {
        var bench = Bench(.stop)
        bench.spool(1...3)
        bench.answer(.acknowledged)
        bench.answer(.inDoubt(trouble))
        #expect(bench.stopped == nil)
        bench.answer(.acknowledged)
        let stopped = try #require(bench.stopped)
        let error = try #require(stopped)
        #expect(error.code == .loadInDoubt)
    }

    @Test("sends a refused chunk again after a pause, and nothing else meanwhile")
    func refused() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...2)
        bench.answer(.refused(trouble))
        #expect(bench.pauses == 1 && bench.sent.isEmpty)
        bench.handle(.pauseEnded)
        #expect(bench.sent.map { $0.0.chunk.number } == [1])
    }

    @Test("halves a chunk that is too large until it fits, and stops at a single row")
    func tooLarge() throws {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...1, rows: 3)
        bench.answer(.tooLarge(trouble))
        #expect(bench.sent.map(\.0.rows) == [0..<2])
        bench.answer(.tooLarge(trouble))
        #expect(bench.sent.map(\.0.rows) == [0..<1])
        bench.answer(.acknowledged)
        #expect(bench.sent.map(\.0.rows) == [1..<2])
        bench.answer(.tooLarge(trouble))
        let stopped = try #require(bench.stopped)
        let error = try #require(stopped)
        #expect(error.code == .loadRowTooLarge)
    }

    @Test("counts a chunk as acknowledged only when all its parts are")
    func parts() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...1, rows: 4)
        bench.handle(.extractionFinished)
        bench.answer(.tooLarge(trouble))
        bench.answer(.acknowledged)
        #expect(bench.flushes == 0)
        bench.answer(.acknowledged)
        #expect(bench.flushes == 1)
    }

    @Test("waits before it flushes again after a flush that failed")
    func flushFails() {
        var bench = Bench()
        bench.spool(1...1)
        bench.handle(.extractionFinished)
        bench.answer(.acknowledged)
        bench.handle(.flushEnded(passingTrouble))
        #expect(bench.flushes == 1 && bench.pauses == 1 && bench.released.isEmpty)
        bench.handle(.pauseEnded)
        #expect(bench.flushes == 2)
    }

    @Test("ends with a flush that no waiting will help, and keeps the chunk")
    func flushRefused() {
        var bench = Bench()
        bench.spool(1...1)
        bench.handle(.extractionFinished)
        bench.answer(.acknowledged)
        bench.handle(.flushEnded(trouble))
        #expect(bench.stopped??.message == trouble.message)
        #expect(bench.pauses == 0 && bench.released.isEmpty)
    }

    @Test("stops only when nothing is in flight, and sends nothing more")
    func stop() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...2)
        bench.handle(.stopRequested)
        #expect(bench.stopped == nil)
        bench.answer(.acknowledged)
        #expect(bench.stopped != nil && bench.sent.isEmpty)
    }

    @Test("upserts what an earlier run left in doubt and inserts what it never sent")
    func resume() {
        var bench = Bench(
            requestLimit: 8, spooled: [chunk(1), chunk(70)], acked: [chunk(2)],
            tainted: [ChunkID(1)], sentThrough: 64)
        #expect(bench.sent.map { $0.0.chunk.number } == [70])
        bench.handle(.extractionFinished)
        bench.answer(.acknowledged)
        bench.handle(.fenceStands)
        #expect(bench.sent.map { $0.0.chunk.number } == [1])
        bench.answer(.acknowledged)
        bench.handle(.flushEnded(nil))
        #expect(bench.isFinished)
        #expect(bench.released.map(\.number).sorted() == [1, 2, 70])
    }

    @Test(
        "finds in what an earlier run left what may have been sent",
        arguments: [
            LoadCoordinator.Doubts.upsert, .sweep, .again,
        ])
    func takesOver(_ doubts: LoadCoordinator.Doubts) throws {
        let (record, _) = try LoadCoordinator.resumed(
            TransferRecord(
                id: TransferID(1), source: CollectionName(collection: "a"),
                target: CollectionName(collection: "b"), regeneratesKeys: doubts != .upsert,
                phase: .moving, epoch: 1, timestamp: nil, sourceRows: 0, sentThrough: ChunkID(64)),
            LoadCoordinator.Settings(spoolBytes: 1, doubts: doubts),
            spooled: [chunk(1), chunk(3), chunk(70)], acked: [chunk(2)], tainted: [ChunkID(3)])
        let found = record.flatMap { (entry) -> [ChunkID] in
            switch entry {
            case .chunksTainted(let ids) where doubts == .upsert: ids
            case .chunksDisowned(let ids) where doubts != .upsert: ids
            default: []
            }
        }
        #expect(found == [ChunkID(1), ChunkID(2)])
    }

    @Test(
        "beside rows of others inserts what is in doubt again, waits for what is late, sweeps nothing"
    )
    func again() {
        var bench = Bench(.again, requestLimit: 1)
        bench.spool(1...1)
        bench.handle(.extractionFinished)
        bench.answer(.inDoubt(trouble))
        #expect(bench.disowned == [1])
        bench.handle(.pauseEnded)
        bench.answer(.acknowledged)
        bench.handle(.flushEnded(nil))
        #expect(bench.sent.map(\.1) == [] && bench.released.map(\.number) == [1])
        #expect(bench.fences == 1 && !bench.isFinished)
        bench.handle(.fenceStands)
        #expect(bench.isFinished && bench.sweeps == 0)
    }

    @Test("settles in mid-run when tainted chunks fill the spool, then goes on inserting")
    func settlesUnderPressure() {
        var bench = Bench(requestLimit: 1, spoolBytes: 200)
        bench.spool(1...3)
        bench.answer(.inDoubt(trouble))
        #expect(bench.fences == 0)
        bench.handle(.pauseEnded)
        #expect(bench.fences == 1 && bench.sent.isEmpty)
        bench.handle(.fenceStands)
        #expect(bench.sent.map { $0.0.chunk.number } == [1])
        bench.answer(.acknowledged)
        bench.handle(.flushEnded(nil))
        #expect(bench.released.map(\.number) == [1])
        #expect(bench.sent.map { $0.0.chunk.number } == [2])
        #expect(bench.sent.map(\.1) == [.insert])
    }

    @Test("settles in mid-run when a chunk waits for room that only tainted chunks hold")
    func settlesForRoom() {
        var bench = Bench(requestLimit: 1)
        bench.spool(1...2)
        bench.answer(.inDoubt(trouble))
        bench.handle(.roomWanted)
        bench.handle(.pauseEnded)
        // The second may still make room, and does.
        #expect(bench.fences == 0 && bench.sent.map { $0.0.chunk.number } == [2])
        bench.answer(.acknowledged)
        #expect(bench.fences == 0 && bench.flushes == 1)
        bench.handle(.flushEnded(nil))
        #expect(bench.fences == 0 && bench.released.map(\.number) == [2])
        // It was not enough.
        bench.handle(.roomWanted)
        #expect(bench.fences == 1)
        bench.handle(.fenceStands)
        bench.answer(.acknowledged)
        bench.handle(.flushEnded(nil))
        #expect(bench.released.map(\.number) == [2, 1])
        bench.spool(3...3)
        #expect(bench.fences == 1 && bench.sent.map(\.1) == [.insert])
    }

    @Test("flushes what is acknowledged after room was wanted; a lost flush is settled for it")
    func roomWantedBefore() {
        var bench = Bench(requestLimit: 1)
        bench.handle(.roomWanted)
        bench.spool(1...1)
        #expect(bench.flushes == 0)
        bench.answer(.acknowledged)
        #expect(bench.flushes == 1)
        bench.handle(.targetLost)
        bench.handle(.flushEnded(nil))
        #expect(bench.released.isEmpty && bench.fences == 1)
    }
}
