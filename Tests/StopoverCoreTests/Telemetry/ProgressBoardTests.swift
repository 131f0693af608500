import Synchronization
import Testing

@testable import StopoverCore

@Suite("A progress board")
struct ProgressBoardTests {
    private final class Hands: Sendable {
        let now = Mutex(Duration.zero)
        func move(_ seconds: Int) { now.withLock { $0 += .seconds(seconds) } }
    }

    private let hands = Hands()
    private let first = TransferID(1)

    private func board() -> ProgressBoard {
        let hands = hands
        let board = ProgressBoard(job: "j") { hands.now.withLock { $0 } }
        board.begin(TransferID(2), .named("b", .planned))
        board.begin(first, .named("a", .moving))
        return board
    }

    @Test("adds up what the stages report, transfer by transfer")
    func counts() {
        let board = board()
        board.rowsRead(7, bytes: 70, of: first)
        board.rowsRead(3, bytes: 30, of: first)
        board.rowsSpooled(9, of: first)
        board.rowsLoaded(8, bytes: 80, of: first)
        board.rowsFlushed(5, of: first)
        board.chunksFlushed(1, of: first)
        board.phase(.checking, of: first)
        board.rowsRead(1, bytes: 1, of: TransferID(99))
        board.spoolUse(4, limit: 10)
        hands.move(3)
        let snapshot = board.snapshot()
        let a = snapshot.transfers[0]
        #expect(snapshot.transfers.map(\.target.collection) == ["a", "b"])
        #expect(a.rowsRead == 10 && a.bytesRead == 100 && a.rowsSpooled == 9)
        #expect(a.rowsLoaded == 8 && a.bytesLoaded == 80 && a.rowsFlushed == 5)
        #expect(a.chunksFlushed == 1 && a.phase == .checking)
        #expect(snapshot.elapsedSeconds == 3 && snapshot.spoolUsedBytes == 4)
        #expect(snapshot.total.rowsRead == 10 && snapshot.total.rowsExpected == 200)
    }

    @Test("says what is waited for, since when, and how often it was tried again")
    func waits() {
        let board = board()
        board.waiting(.target, because: "no answer")
        hands.move(10)
        board.waiting(.source, because: "rate limit")
        board.waiting(.target, because: "connection refused")
        board.waiting(.spool, because: "part of the protocol", isRetry: false)
        hands.move(5)
        var snapshot = board.snapshot()
        #expect(
            snapshot.waits == [
                Wait(side: .target, reason: "connection refused", seconds: 15),
                Wait(side: .source, reason: "rate limit", seconds: 5),
                Wait(side: .spool, reason: "part of the protocol", seconds: 5),
            ])
        #expect(snapshot.retries == 3 && snapshot.limitingStage == .spoolWaiting)
        board.waitingEnded(.spool)
        #expect(board.snapshot().limitingStage == .targetWaiting)
        board.waitingEnded(.target)
        board.waitingEnded(.source)
        snapshot = board.snapshot()
        #expect(snapshot.waits.isEmpty && snapshot.retries == 3)
    }

    @Test("loses no report of many tasks at once")
    func concurrent() async {
        let board = board()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 { board.rowsLoaded(2, bytes: 3, of: TransferID(1)) }
                }
            }
        }
        let transfer = board.snapshot().transfers[0]
        #expect(transfer.bytesLoaded == 24_000)
        // What is inserted again after a doubt is no more than there is.
        #expect(transfer.rowsLoaded == 100)
    }
}

@Suite("The limiting stage")
struct LimitingStageTests {
    private func judge(_ edit: (inout LimitingStage.Signs) -> Void) -> LimitingStage? {
        var signs = LimitingStage.Signs()
        signs.phases = [.moving, .planned]
        signs.rowsInFlight = 800
        edit(&signs)
        return LimitingStage.judge(signs)
    }

    @Test("is read from which buffer is full")
    func buffers() {
        #expect(judge { _ in } == .extract)
        #expect(judge { $0.channelFill = 0.9 } == .spool)
        #expect(judge { $0.spoolFill = 0.8 } == .load)
        #expect(
            judge {
                $0.spoolFill = 0.8
                $0.channelFill = 1
            } == .load)
        #expect(judge { $0.restingRows = 801 } == .load)
        #expect(judge { $0.restingRows = 800 } == .extract)
        #expect(judge { $0.isExtractionFinished = true } == .load)
    }

    @Test("is a wait when there is one, and nothing before and after")
    func others() {
        #expect(
            judge {
                $0.waitingSides = [.source]
                $0.spoolFill = 1
            } == .sourceWaiting)
        #expect(judge { $0.waitingSides = [.source, .target] } == .targetWaiting)
        #expect(judge { $0.waitingSides = [.source, .spool] } == .spoolWaiting)
        #expect(judge { $0.phases = [.published, .checking] } == .finalise)
        #expect(judge { $0.phases = [.planned] } == nil)
        #expect(judge { $0.phases = [] } == nil)
    }
}
