import DequeModule

/// Decides about chunks: what to send, what an outcome means, when to flush, when to fence, when
/// a file may go. A pure value: events in, actions out, no clock, no I/O; the shell around it
/// (``LoadStage``) carries the actions out in the order given.
///
/// The protocol for a transfer that keeps its keys (exactly-once.md, 2.2):
/// * a chunk is inserted once; what was acknowledged becomes *flushed* by the next flush, and
///   only then may its file go;
/// * a request in doubt *taints* its chunk: it is not sent again under this epoch, since the
///   first request may still arrive. With it, and whenever the target cannot be reached, are
///   tainted all chunks that are acknowledged and not flushed: it may have restarted and forgotten;
/// * at the end, or when tainted chunks fill half of the spool, or when a chunk waits for room that
///   nothing but theirs can give: nothing in flight, **fence** (the
///   staging collection takes the next epoch's name, so that a late request finds nothing),
///   upsert tainted chunks and flush, pass by pass; a pass with a request in doubt is made again,
///   from the fence, with half as many chunks.
///
/// With keys of the target's making (exactly-once.md, 2.4): what is in doubt is *disowned* and
/// inserted again at once, and its first rows are nobody's. At the end, when no insert is
/// outstanding: fence, then **sweep**: every row whose key no acknowledgement names is deleted; of a
/// collection that has rows of others (`append`), nothing.
public struct LoadCoordinator: Sendable {
    private enum Stage: Hashable {
        case inserting
        /// Nothing new is sent; the fence follows when nothing is in flight.
        case comingToRest
        case fencing
        case upserting
        case sweeping
        case ended
    }

    /// How many chunks ahead a record of "may have been sent" reaches: one durable write for all.
    static let sentAheadStep: Int64 = 64

    private let transfer: TransferID
    private var settings: Settings

    private var stage = Stage.inserting
    private var sentThrough: ChunkID
    private var chunks: [ChunkID: Chunk] = [:]
    private var inserts: Deque<Part> = []
    private var upserts: Deque<Part> = []
    private var inFlight: Set<Part> = []
    /// Of those, the ones under way when the target was lost: an acknowledgement of theirs may
    /// have crossed the loss, and tells nothing of what the target still has.
    private var crossing: Set<Part> = []
    private var unackedRows: [ChunkID: Int] = [:]
    /// Disowned, with a request still under way whose answer no longer matters.
    private var doomed: Set<ChunkID> = []
    private var needsSweep: Bool
    private var acked: Set<ChunkID> = []
    private var ackedRows: Int64 = 0
    private var ackedBytes: Int64 = 0
    private var tainted: Set<ChunkID> = []
    private var taintedBytes: Int64 = 0
    /// The tainted chunks of this pass: all are upserted and then flushed, without a doubt between,
    /// or the pass is made again.
    private var settling: Set<ChunkID> = []
    private var upserted: Set<ChunkID> = []
    /// Rows of the largest request of a chunk that may pass, where one was too large.
    private var mostRows: [ChunkID: Int] = [:]
    /// Where they are disowned: chunks that may be sent and not flushed at once, for a doubt costs all
    /// of them. Halved by each doubt, so that on a network on which hardly an answer comes back some
    /// chunk still gets through to a flush, and doubled by each flush.
    private var riskLimit = Int.max
    /// Chunks of a pass: halved by each pass that fails, so that a network on which hardly a request
    /// comes back still lets some chunk through, and doubled by each that succeeds.
    private var passLimit = Int.max
    private var flushing: Set<ChunkID>?
    private var isFlushWanted = false
    private var isRoomWanted = false
    private var isExtractionFinished = false
    private var isPaused = false
    /// One request alone, until it is acknowledged: at the start, after a pause and after a
    /// rename. A server that comes back is not met by all workers at once; and Lite 3, when the
    /// first inserts after its restart come side by side, acknowledges all and keeps one [measured].
    private var isProbing = true
    private var patience = Patience()
    private var ending: Ending?

    private struct Ending {
        var error: StopoverError?
    }

    /// - Parameters:
    ///   - record: the transfer as the ledger has it.
    ///   - spooled: chunks that rest in the spool from an earlier run and are not acknowledged.
    ///   - acked: chunks that were acknowledged and are not known to be flushed.
    ///   - tainted: chunks of either kind of which a request was ever in doubt.
    public init(
        transfer record: TransferRecord, settings: Settings, spooled: [Chunk] = [],
        acked: [Chunk] = [], tainted: Set<ChunkID> = []
    ) {
        transfer = record.id
        needsSweep = record.needsSweep
        sentThrough = record.sentThrough
        self.settings = settings
        for chunk in (spooled + acked) { chunks[chunk.id] = chunk }
        for chunk in spooled where !tainted.contains(chunk.id) { enqueue(chunk, for: .insert) }
        for chunk in acked where !tainted.contains(chunk.id) { markAcked(chunk.id) }
        for id in tainted where chunks[id] != nil { markTainted(id) }
    }

    /// Nothing to do before the first event but to begin.
    public mutating func start() -> [Action] { advance([]) }

    public mutating func handle(_ event: Event) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .chunkSpooled(let chunk):
            chunks[chunk.id] = chunk
            enqueue(chunk, for: .insert)
        case .extractionFinished:
            isExtractionFinished = true
        case .writeEnded(let part, let end):
            inFlight.remove(part)
            actions = writeEnded(part, end)
        case .flushEnded(let error):
            actions = flushEnded(error)
        case .flushWanted:
            isFlushWanted = !acked.isEmpty
        case .roomWanted:
            isRoomWanted = true
        case .fenceStands:
            switch settings.doubts {
            case .sweep:
                stage = .sweeping
                actions = [.sweep]
            case .again:
                // Nothing late can arrive any more, and nothing can be swept.
                stage = .sweeping
                needsSweep = false
            case .upsert, .stop:
                stage = .upserting
                isProbing = true
                beginPass()
            }
        case .sweepEnded(let error):
            if let error { ending = Ending(error: error) }
            needsSweep = false
        case .pauseEnded:
            isPaused = false
        case .targetLost:
            isProbing = true
            actions = suspect([])
        case .requestLimit(let limit):
            settings.requestLimit = limit
        case .stopRequested:
            ending = ending ?? Ending(error: nil)
        }
        return advance(actions)
    }
}

// MARK: - What an outcome means

extension LoadCoordinator {
    private mutating func writeEnded(_ part: Part, _ end: WriteEnd) -> [Action] {
        // Of a chunk that was withdrawn meanwhile nothing counts but what it tells of the target.
        let isOver = unackedRows[part.chunk] == nil
        let back = doomed.contains(part.chunk) ? putBack([part.chunk]) : []
        switch end {
        case .acknowledged:
            patience.succeeded()
            isProbing = false
            return isOver ? back : acknowledged(part)
        case .refused(let error):
            if !isOver { sendAgain([part]) }
            return back + pause(because: error)
        case .unreached(let error):
            if !isOver { sendAgain([part]) }
            return back + suspect([]) + pause(because: error)
        case .tooLarge(let error):
            guard part.rows.count > 1 else {
                ending = Ending(error: .rowTooLarge(error))
                return []
            }
            let half = (part.rows.count + 1) / 2
            mostRows[part.chunk] = half
            if !isOver { sendAgain(part.split(by: half)) }
            return back
        case .rejected(let error), .fenced(let error), .failed(let error):
            ending = Ending(error: error)
            return []
        case .inDoubt(let error):
            guard settings.doubts != .stop else {
                ending = Ending(error: .loadInDoubt(error))
                return []
            }
            return back + suspect(isOver ? [] : [part.chunk]) + pause(because: error)
        }
    }

    private mutating func acknowledged(_ part: Part) -> [Action] {
        let isCrossing = crossing.remove(part) != nil
        guard let unacked = unackedRows[part.chunk] else { return [] }
        guard unacked == part.rows.count else {
            unackedRows[part.chunk] = unacked - part.rows.count
            return isCrossing ? suspect([part.chunk]) : []
        }
        unackedRows[part.chunk] = nil
        if isCrossing { return suspect([part.chunk]) }
        switch stage {
        case .inserting, .comingToRest, .fencing, .sweeping, .ended: markAcked(part.chunk)
        case .upserting: upserted.insert(part.chunk)
        }
        return []
    }

    /// A request was in doubt, or the connection was lost and the server may have restarted: beside
    /// `chunks`, everything that is acknowledged and not flushed is in doubt, part of a chunk too.
    /// Lite 3 lost 219 of 695 such rows when it was killed with no request in flight [measured].
    private mutating func suspect(_ chunks: Set<ChunkID>) -> [Action] {
        guard settings.doubts != .stop else { return [] }
        let doubtful = chunks.union(acked).union(upserted).union(begun)
        upserted = []
        for id in acked { unmarkAcked(id) }
        // A flush that is under way may be of a server that has just lost what it should flush.
        if flushing != nil { flushing = [] }
        if settings.doubts.areDisowned { return disown(doubtful.union(inFlight.map(\.chunk))) }
        crossing = inFlight
        guard !doubtful.isEmpty else { return [] }
        for id in doubtful {
            withdraw(id)
            markTainted(id)
        }
        // The pass has failed: what it did not send yet is sent by the next one.
        upserts.removeAll()
        return [.record([.chunksTainted(doubtful.sorted())])]
    }

    /// What was written of these chunks is nobody's; they are inserted again.
    private mutating func disown(_ ids: Set<ChunkID>) -> [Action] {
        guard !ids.isEmpty else { return [] }
        needsSweep = true
        riskLimit = max(ids.count / 2, 1)
        for id in ids { withdraw(id) }
        doomed.formUnion(ids)
        return putBack(ids)
    }

    /// Not while a request of a chunk is under way: its acknowledgement would be recorded. One durable
    /// write for all.
    private mutating func putBack(_ ids: Set<ChunkID>) -> [Action] {
        let ready = ids.subtracting(inFlight.map(\.chunk)).sorted()
        guard !ready.isEmpty else { return [] }
        doomed.subtract(ready)
        for chunk in ready.compactMap({ chunks[$0] }) { enqueue(chunk, for: .insert) }
        return [.record([.chunksDisowned(ready)])]
    }

    /// Nothing of it is queued or counted any longer.
    private mutating func withdraw(_ id: ChunkID) {
        inserts.removeAll { $0.chunk == id }
        unackedRows[id] = nil
    }

    private mutating func flushEnded(_ error: StopoverError?) -> [Action] {
        guard let flushed = flushing else { return [] }
        flushing = nil
        if let error {
            // A right that is missing, a collection that is gone: waiting does not help.
            guard error.isTransient else {
                ending = ending ?? Ending(error: error)
                return []
            }
            isFlushWanted = true
            return pause(because: error)
        }
        guard !flushed.isEmpty else { return [] }
        isRoomWanted = false
        if riskLimit < Int.max / 2 { riskLimit *= 2 }
        for id in flushed {
            mostRows[id] = nil
            unmarkAcked(id)
            if tainted.remove(id) != nil { taintedBytes -= bytes(id) }
            upserted.remove(id)
            settling.remove(id)
            chunks[id] = nil
        }
        let ids = flushed.sorted()
        return [.record([.chunksFlushed(ids)]), .release(ids)]
    }

    private mutating func pause(because error: StopoverError) -> [Action] {
        guard !isPaused else { return [] }
        isPaused = true
        isProbing = true
        return [.pause(patience.failed(), because: error)]
    }
}

// MARK: - What follows from where we are

extension LoadCoordinator {
    private mutating func advance(_ done: [Action]) -> [Action] {
        var actions = done
        if let ending {
            if inFlight.isEmpty, flushing == nil, stage != .ended {
                stage = .ended
                actions.append(.stop(ending.error))
            }
            return actions
        }
        switch stage {
        case .inserting:
            if taintedBytes >= settings.settleAfterBytes || onlySettlingMakesRoom {
                stage = .comingToRest
                return advance(actions)
            }
            actions += sends(.insert)
            if isExtractionFinished, inserts.isEmpty, inFlight.isEmpty {
                if !tainted.isEmpty {
                    stage = .comingToRest
                    return advance(actions)
                }
                guard acked.isEmpty, flushing == nil else { break }
                if needsSweep {
                    stage = .comingToRest
                    return advance(actions)
                }
                stage = .ended
                actions.append(.finish)
            }
        case .comingToRest:
            // Part of the way may be a flush: what it makes durable need not be upserted.
            if inFlight.isEmpty, flushing == nil, !isPaused {
                stage = .fencing
                actions.append(.fence)
            }
        case .upserting:
            actions += sends(.upsert)
            guard upserts.isEmpty, inFlight.isEmpty, flushing == nil, !isPaused else { break }
            if upserted != settling {
                // A request of this pass was in doubt, or the target was lost.
                passLimit = max(settling.count / 2, 1)
                stage = .fencing
                actions.append(.fence)
            } else if settling.isEmpty {
                if passLimit < Int.max / 2 { passLimit *= 2 }
                beginPass()
                if settling.isEmpty { stage = .inserting }
                return advance(actions)
            }
        case .sweeping:
            if !needsSweep {
                stage = .ended
                actions.append(.finish)
            }
        case .fencing, .ended: break
        }
        return actions + flushIfDue()
    }

    /// Whether somebody waits for room, and no chunk is left whose flush would make some. A full disk, or
    /// a small spool with chunks whose predecessor waits, too, comes to that below ``Settings/settleAfterBytes``.
    private var onlySettlingMakesRoom: Bool {
        isRoomWanted && !tainted.isEmpty && inserts.isEmpty && inFlight.isEmpty && acked.isEmpty
            && flushing == nil
    }

    private mutating func beginPass() {
        upserted = []
        settling = Set(tainted.sorted().prefix(passLimit))
        for id in settling.sorted() {
            if let chunk = chunks[id] { enqueue(chunk, for: .upsert) }
        }
    }

    private mutating func sends(_ mode: WriteMode) -> [Action] {
        var actions: [Action] = []
        let limit = isProbing ? 1 : settings.requestLimit
        while !isPaused, inFlight.count < limit,
            let part = mode == .insert ? nextInsert() : upserts.popFirst()
        {
            if part.chunk > sentThrough {
                sentThrough = ChunkID(part.chunk.number + LoadCoordinator.sentAheadStep)
                actions.append(.record([.sentThrough(transfer, sentThrough)]))
            }
            inFlight.insert(part)
            actions.append(.send(part, mode))
        }
        return actions
    }

    /// Of a chunk that is at risk already, before another one comes to be.
    private mutating func nextInsert() -> Part? {
        guard riskLimit < Int.max else { return inserts.popFirst() }
        let atRisk = acked.union(inFlight.map(\.chunk)).union(begun)
        if let next = inserts.firstIndex(where: { atRisk.contains($0.chunk) }) {
            return inserts.remove(at: next)
        }
        return atRisk.count < riskLimit ? inserts.popFirst() : nil
    }

    /// Chunks of which some rows are acknowledged, and not all.
    private var begun: some Sequence<ChunkID> {
        unackedRows.lazy.filter { $0.value < self.chunks[$0.key]?.rowCount ?? 0 }.map(\.key)
    }

    private mutating func flushIfDue() -> [Action] {
        guard flushing == nil, !isPaused else { return [] }
        switch stage {
        case .inserting:
            let isEnd = isExtractionFinished && inserts.isEmpty && inFlight.isEmpty
            let isDue =
                isFlushWanted || isRoomWanted || isEnd || acked.count >= riskLimit
                || ackedRows >= settings.flushAfterRows
                || ackedBytes >= settings.flushAfterBytes
            guard isDue, !acked.isEmpty else { return [] }
            flushing = acked
        case .upserting:
            guard upserts.isEmpty, inFlight.isEmpty, upserted == settling, !settling.isEmpty
            else { return [] }
            flushing = upserted.union(acked)
        case .comingToRest, .fencing, .sweeping, .ended: return []
        }
        isFlushWanted = false
        return [.flush]
    }

    private mutating func enqueue(_ chunk: Chunk, for mode: WriteMode) {
        let parts = Part(chunk: chunk.id, rows: 0..<chunk.rowCount)
            .split(by: max(mostRows[chunk.id] ?? chunk.rowCount, 1))
        switch mode {
        case .insert: inserts += parts
        case .upsert: upserts += parts
        }
        unackedRows[chunk.id] = chunk.rowCount
    }

    /// In the order given, before what is queued.
    private mutating func sendAgain(_ parts: [Part]) {
        for part in parts.reversed() {
            if stage == .upserting { upserts.prepend(part) } else { inserts.prepend(part) }
        }
    }

    private func bytes(_ id: ChunkID) -> Int64 { Int64(chunks[id]?.fileBytes ?? 0) }

    private mutating func markAcked(_ id: ChunkID) {
        guard acked.insert(id).inserted else { return }
        ackedRows += Int64(chunks[id]?.rowCount ?? 0)
        ackedBytes += bytes(id)
    }

    private mutating func unmarkAcked(_ id: ChunkID) {
        guard acked.remove(id) != nil else { return }
        ackedRows -= Int64(chunks[id]?.rowCount ?? 0)
        ackedBytes -= bytes(id)
    }

    private mutating func markTainted(_ id: ChunkID) {
        guard tainted.insert(id).inserted else { return }
        taintedBytes += bytes(id)
    }
}
