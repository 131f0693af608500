import StopoverCore

extension LoadSimulation {
    mutating func happen(_ happening: Happening) {
        if isOver {
            switch happening {
            case .arrives, .applies, .ends: break
            default: return
            }
        }
        switch happening {
        case .chunkReady: chunkReady()
        case .arrives(let request): arrives(request)
        case .applies(let request, let life): applies(request, life)
        case .replies(let request, let end, let ids): replies(request, end, ids)
        case .sweeps(let process, let removed, let looks): sweeps(process, removed, looks)
        case .flushArrives(let process): flushArrives(process)
        case .flushReplies(let process, let error): tell(process, .flushEnded(error))
        case .flushTick(let process):
            guard process == self.process, coordinator != nil else { return }
            timeline.add(.flushTick(process: process), after: LoadSimulation.flushEvery)
            tell(process, .flushWanted)
        case .pauseEnds(let process): tell(process, .pauseEnded)
        case .fenced(let process): tell(process, .fenceStands)
        case .counts(let process): counts(process)
        case .processDies:
            guard coordinator != nil else { return }
            coordinator = nil
            open = []
            timeline.add(.processStarts, after: delay(10...3_000))
        case .processStarts: processStarts()
        case .serverDies:
            guard server.isUp else { return }
            var random = random
            server.crash { _ in Bool.random(using: &random) }
            self.random = random
            timeline.add(.serverStarts, after: delay(10...8_000))
            // The connections break: the process sees it, whether or not a request was under way.
            tell(process, .targetLost)
        case .serverStarts: server.start()
        case .ends(let error):
            server.flush()
            judge(error)
        }
    }

    // MARK: Our process

    private mutating func chunkReady() {
        // Extraction goes on only while the process lives; the chunk comes when it is back.
        guard coordinator != nil else {
            timeline.add(.chunkReady, after: 500)
            return
        }
        guard nextChunk <= weather.chunks else {
            if ledger.phase == .moving { tell(process, .extractionFinished) }
            return
        }
        guard ledger.restingCount < weather.room else {
            awaitsRoom = true
            if mutant != .waitsSilently { tell(process, .roomWanted) }
            return
        }
        let id = ChunkID(Int64(nextChunk))
        nextChunk += 1
        ledger.spooled(id)
        timeline.add(.chunkReady, after: delay(1...1_500))
        tell(process, .chunkSpooled(chunk(id)))
    }

    /// Chunks left, or a new process tries.
    private mutating func tryForRoom() {
        guard awaitsRoom else { return }
        awaitsRoom = false
        timeline.add(.chunkReady, after: 1)
    }

    private mutating func processStarts() {
        process += 1
        tryForRoom()
        maySweep = true
        if ledger.phase == .moving, process > 1, fence == .name {
            // StagingCollection.takeOver: the next epoch's name, before anything else.
            nextEpoch()
        }
        beginLoad()
    }

    /// What the ledger has, carried on: by a run that begins, or one that was sent back to sweep.
    private mutating func beginLoad() {
        var settings = LoadCoordinator.Settings(
            spoolBytes: Int64(weather.chunks) * 100, doubts: keys == .made ? .sweep : .upsert)
        settings.requestLimit = weather.workers
        var transfer = TransferRecord(
            id: TransferID(1), source: CollectionName(collection: "a"),
            target: CollectionName(collection: "b"), regeneratesKeys: keys == .made,
            phase: .moving, epoch: ledger.epoch, timestamp: nil, sourceRows: 0,
            sentThrough: mutant == .forgetsWhatWasSent ? ChunkID(0) : ledger.sentThrough)
        transfer.needsSweep = ledger.needsSweep
        let spooled = ledger.chunks(in: .spooled).map(chunk)
        let acked = ledger.chunks(in: .acked).map(chunk)
        // Throws only where keys can be neither upserted nor swept.
        guard
            let left = try? LoadCoordinator.resumed(
                transfer, settings, spooled: spooled,
                acked: mutant == .trustsEarlierRun ? [] : acked, tainted: unflushedTaints)
        else { return finish("not resumed") }
        ledger.apply(left.record)
        coordinator = left.load
        if mutant == .trustsEarlierRun {
            transfer.needsSweep = ledger.needsSweep
            coordinator = LoadCoordinator(
                transfer: transfer, settings: settings, spooled: spooled, acked: acked,
                tainted: unflushedTaints)
        }
        if ledger.phase == .checking {
            timeline.add(.counts(process: process), after: LoadSimulation.finalising)
            return
        }
        timeline.add(.flushTick(process: process), after: LoadSimulation.flushEvery)
        carryOut(coordinator?.start() ?? [])
        // A process that comes back reads on; one that had read everything says so again.
        if nextChunk > weather.chunks { tell(process, .extractionFinished) }
    }

    private var unflushedTaints: Set<ChunkID> {
        ledger.tainted.filter { ledger.states[$0] != .flushed }
    }

    private mutating func tell(_ process: Int, _ event: LoadCoordinator.Event) {
        guard process == self.process, coordinator != nil else { return }
        if mutant == .trustsRestart, case .targetLost = event { return }
        carryOut(coordinator?.handle(event) ?? [])
    }

    private mutating func carryOut(_ actions: [LoadCoordinator.Action]) {
        for action in actions {
            guard coordinator != nil, outcome == nil, !isOver else { return }
            trace?.append("\(timeline.now)     → \(action)")
            switch action {
            case .record(let entries): record(entries)
            case .send(let part, let mode): send(part, mode)
            case .flush:
                if mutant == .noFlush {
                    timeline.add(.flushReplies(process: process, nil), after: 1)
                } else {
                    timeline.add(.flushArrives(process: process), after: delay(1...50))
                }
            case .fence:
                nextEpoch()
                let wait = fence == .name ? LoadSimulation.drain : LoadSimulation.quiet
                timeline.add(.fenced(process: process), after: mutant == .noDrain ? 1 : wait)
            case .sweep:
                timeline.add(
                    .sweeps(process: process, removed: 0, looksLeft: looks), after: delay(1...500))
            case .release: tryForRoom()
            case .pause(let duration, _):
                let milliseconds =
                    duration.components.seconds * 1000
                    + duration.components.attoseconds / 1_000_000_000_000_000
                timeline.add(.pauseEnds(process: process), after: Int(milliseconds))
            case .finish:
                ledger.apply([.transferPhase(TransferID(1), .checking)])
                timeline.add(.counts(process: process), after: LoadSimulation.finalising)
            case .stop(let error): finish(error?.message ?? "stopped")
            }
        }
    }

    private mutating func nextEpoch() {
        ledger.apply([.transferEpoch(TransferID(1), ledger.epoch + 1)])
        if fence == .name, mutant != .noFence { server.epoch = ledger.epoch }
    }

    private mutating func record(_ entries: [LedgerEntry]) {
        if mutant == .recordsLate {
            let kept = entries.filter { if case .sentThrough = $0 { false } else { true } }
            ledger.apply(kept)
        } else if mutant == .keepsDisownedKeys {
            ledger.apply(entries, keepsKeys: true)
        } else {
            ledger.apply(entries)
        }
    }

    /// What is missing before the count would be held by it: a drain is looked for without that second net.
    private var countsAll: Bool { mutant != .noCount && mutant != .noDrain }

    /// ``Finaliser``'s count, and what it says of rows that no acknowledgement names; then the final name,
    /// which is one more fence.
    private mutating func counts(_ process: Int) {
        guard process == self.process, coordinator != nil else { return }
        guard server.isUp else {
            timeline.add(.counts(process: process), after: 250)
            return
        }
        if keys == .made, countsAll, let owned = try? OwnedKeys(ledger.madeKeys),
            server.rowCount > owned.count
        {
            guard maySweep else { return finish("more rows than were acknowledged") }
            maySweep = false
            ledger.apply([.straysCounted(TransferID(1))])
            return beginLoad()
        }
        if fence == .name { server.epoch += 1 }
        finish(nil)
    }

    /// The end of the load. Either the server is stopped once more, so that what was promised to be
    /// durable has to be; or what is still under way may arrive, and must not count any more.
    private mutating func finish(_ error: String?) {
        if Bool.random(using: &random) {
            var random = random
            server.crash { _ in Bool.random(using: &random) }
            judge(error)
        } else {
            isOver = true
            timeline.add(
                .ends(error), after: LoadSimulation.longestDelay + LoadSimulation.deadline)
        }
    }

    private mutating func judge(_ error: String?) {
        let verdict = server.verdict(weather.chunks * weather.rowsPerChunk)
        outcome = Outcome(lost: verdict.lost, doubled: verdict.doubled, error: error)
    }

    // MARK: The network and the server

    private mutating func send(_ part: LoadCoordinator.Part, _ mode: WriteMode) {
        nextRequest += 1
        let request = Request(
            number: nextRequest, part: part, mode: mode,
            epoch: fence == .name ? ledger.epoch : server.epoch, process: process,
            isDelete: keys == .minted && mode == .upsert)
        open.insert(request.number)
        send(request)
    }

    private mutating func send(_ request: Request) {
        guard server.isUp else {
            timeline.add(.replies(request, .unreached(LoadSimulation.trouble), nil), after: 5)
            return
        }
        timeline.add(
            .replies(request, .inDoubt(LoadSimulation.trouble), nil),
            after: LoadSimulation.deadline)
        if chance(weather.dropped) { return }
        let isLate = chance(weather.late)
        let travel = isLate ? delay(50...LoadSimulation.longestDelay) : delay(1...50)
        timeline.add(.arrives(request), after: travel)
        if chance(weather.twice) {
            var second = request
            second.isSecond = true
            timeline.add(.arrives(second), after: travel + delay(1...50))
        }
    }

    private mutating func arrives(_ request: Request) {
        guard server.isUp else {
            timeline.add(.replies(request, .inDoubt(LoadSimulation.trouble), nil), after: 5)
            return
        }
        if request.epoch != server.epoch {
            timeline.add(.replies(request, .fenced(LoadSimulation.trouble), nil), after: 5)
        } else if request.part.rows.count > weather.mostRows {
            timeline.add(.replies(request, .tooLarge(LoadSimulation.trouble), nil), after: 5)
        } else if chance(weather.refused) {
            timeline.add(.replies(request, .refused(LoadSimulation.trouble), nil), after: 5)
        } else {
            // The server's own deadline begins with the arrival.
            let isSlow = chance(weather.slow)
            timeline.add(
                .applies(request, serverLife: server.life),
                after: isSlow ? delay(100...LoadSimulation.deadline) : delay(1...100))
        }
    }

    private mutating func applies(_ request: Request, _ life: Int) {
        guard server.isUp, server.life == life else { return }
        let rows = rows(of: request.part)
        if request.isDelete {
            server.delete(rows)
            if chance(weather.lostReply) { return }
            var insert = request
            insert.isDelete = false
            // Only a process that is there sends what comes next.
            if insert.process == process, coordinator != nil, open.contains(insert.number) {
                send(insert)
            }
            return
        }
        if chance(weather.partial), rows.count > 1 {
            let middle = rows.lowerBound + rows.count / 2
            server.apply(rows.lowerBound..<middle, mode(of: request))
            timeline.add(
                .replies(request, .inDoubt(LoadSimulation.trouble), nil), after: delay(1...50))
            return
        }
        let ids = server.apply(rows, mode(of: request))
        if chance(weather.lostReply) { return }
        timeline.add(.replies(request, .acknowledged, ids), after: delay(1...50))
    }

    private func mode(of request: Request) -> WriteMode {
        keys == .minted ? .insert : request.mode
    }

    private mutating func replies(
        _ request: Request, _ end: LoadCoordinator.WriteEnd, _ ids: WrittenIDs?
    ) {
        guard !request.isSecond, request.process == process, open.remove(request.number) != nil
        else { return }
        var end = end
        switch (mutant, end) {
        case (.insertsAgain, .inDoubt(let error)) where request.mode == .insert:
            end = .refused(error)
        case (.optimist, .inDoubt): end = .acknowledged
        case (.trustsUpsert, .inDoubt) where request.mode == .upsert: end = .acknowledged
        case (.dropsRefused, .refused): end = .acknowledged
        default: break
        }
        if case .acknowledged = end {
            ledger.apply([
                .chunkAcked(
                    request.part.chunk, rows: request.part.rows, ids: keys == .made ? ids : nil)
            ])
        }
        tell(process, .writeEnded(request.part, end))
        if mutant == .trustsAcknowledgements, case .acknowledged = end {
            ledger.apply([.chunksFlushed([request.part.chunk])])
            tell(process, .flushEnded(nil))
        }
    }

    private mutating func flushArrives(_ process: Int) {
        guard server.isUp else {
            timeline.add(.flushReplies(process: process, LoadSimulation.trouble), after: 5)
            return
        }
        server.flush()
        timeline.add(.flushReplies(process: process, nil), after: delay(1...500))
    }

    /// Looks of a sweep that have to find nothing, one after the other.
    private var looks: Int { fence == .name ? 1 : 2 }

    /// ``Sweep``'s loop: a flush, a look, deletes, and again until a look finds nothing.
    private mutating func sweeps(_ process: Int, _ removed: Int, _ looksLeft: Int) {
        guard process == self.process, coordinator != nil else { return }
        func again(_ removed: Int, _ looksLeft: Int, after delay: Int) {
            timeline.add(
                .sweeps(process: process, removed: removed, looksLeft: looksLeft), after: delay)
        }
        guard server.isUp else { return again(removed, looksLeft, after: 250) }
        server.flush()
        guard let owned = try? OwnedKeys(ledger.madeKeys) else {
            return tell(process, .sweepEnded(LoadSimulation.trouble))
        }
        let found =
            mutant == .noSweep ? 0 : server.sweep { owned.contains(.int64($0)) }
        if found > 0 { return again(removed + found, looks, after: delay(1...500)) }
        if looksLeft > 1 { return again(removed, looksLeft - 1, after: LoadSimulation.drain) }
        if mutant != .noSweep, server.rowCount != owned.count {
            return tell(process, .sweepEnded(LoadSimulation.trouble))
        }
        ledger.apply([.swept(TransferID(1), removed: Int64(removed))])
        tell(process, .sweepEnded(nil))
    }
}
