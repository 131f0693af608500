/// Carries out what the ``LoadCoordinator`` decides: sends chunks, flushes, fences, frees files.
struct LoadStage: Sendable {
    let engine: Engine
    let transfer: TransferRecord
    let staging: StagingName
    let sweep: Sweep
    let plan: TransferPlan
    let events: AsyncStream<LoadCoordinator.Event>
    let post: @Sendable (LoadCoordinator.Event) -> Void

    /// How a run of the stage ended.
    enum End: Sendable {
        /// Every row of every chunk is flushed on the target.
        case finished
        case stopped
    }

    private let acknowledgements = Acknowledgements()

    init(
        engine: Engine, transfer: TransferRecord, staging: StagingName, sweep: Sweep,
        plan: TransferPlan, events: AsyncStream<LoadCoordinator.Event>,
        post: @escaping @Sendable (LoadCoordinator.Event) -> Void
    ) {
        self.engine = engine
        self.transfer = transfer
        self.staging = staging
        self.sweep = sweep
        self.plan = plan
        self.events = events
        self.post = post
    }

    private struct Send: Sendable {
        var part: LoadCoordinator.Part
        var mode: WriteMode
        var collection: CollectionName
    }

    /// Returns the epoch under which the rows ended, beside how it ended.
    func run(_ start: LoadCoordinator) async throws -> (End, epoch: Int) {
        var coordinator = start
        // The coordinator sends no more than its request limit at once: the channel never fills.
        let senders = MigrationLimits.mostWorkers
        let sends = BoundedChannel<Send>(capacity: senders + 1) { _ in 1 }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                sends.fail()
                group.cancelAll()
            }
            for _ in 0..<senders {
                group.addTask {
                    var reader: ChunkReader?
                    while let send = try await sends.next() {
                        let own = try reader ?? engine.spool.makeReader()
                        reader = own
                        let end = try await write(send, own)
                        post(.requestLimit(engine.tuning.inserts.now))
                        post(.writeEnded(send.part, end))
                    }
                }
            }
            group.addTask { await wantFlushes() }
            engine.stop.whenRequested { post(.stopRequested) }
            engine.target.losses.watch { post(.targetLost) }

            func record(_ entries: [LedgerEntry]) async throws {
                let entries = acknowledgements.take() + entries
                if !entries.isEmpty { try await engine.ledger.commit(entries) }
            }

            var epoch = transfer.epoch
            var troubles: Set<StopoverError.Code> = []
            var pending = coordinator.start()
            var stream = events.makeAsyncIterator()
            while true {
                for action in pending {
                    switch action {
                    case .record(let entries):
                        try await record(entries)
                        for case .chunksTainted(let ids) in entries { engine.lead.left(ids) }
                    case .send(let part, let mode):
                        try await sends.send(
                            Send(part: part, mode: mode, collection: staging.name(epoch: epoch)))
                    case .flush:
                        let collection = staging.name(epoch: epoch)
                        group.addTask {
                            post(
                                .flushEnded(try await error { try await engine.flush(collection) }))
                        }
                    case .fence:
                        engine.lead.held()
                        try await fence(from: epoch, to: epoch + 1)
                        epoch += 1
                        // From now on: a request that the network held back may have passed the
                        // check of its name a moment ago, however old it is.
                        try await sleep(
                            until: .now
                                + (plan.lacksRename ? engine.limits.quiet : engine.limits.drain))
                        post(.fenceStands)
                    case .sweep:
                        let collection = staging.name(epoch: epoch)
                        group.addTask {
                            post(
                                .sweepEnded(try await error { try await sweep.run(on: collection) })
                            )
                        }
                    case .release(let ids):
                        troubles = []
                        let rows = engine.spool.release(ids)
                        engine.board.rowsFlushed(rows, of: transfer.id)
                        engine.board.chunksFlushed(ids.count, of: transfer.id)
                        // It was told when they began to wait; these were not enough for all.
                        if engine.spool.isAwaited { post(.roomWanted) }
                    case .pause(let delay, let error):
                        engine.lead.held()
                        // A long outage is one line in the error log, until something was flushed.
                        let isNew = troubles.insert(error.code).inserted
                        engine.waiting(.target, because: error, again: !isNew)
                        group.addTask {
                            try? await Task.sleep(for: delay)
                            engine.board.waitingEnded(.target)
                            post(.pauseEnded)
                        }
                    case .finish:
                        try await record([])
                        return (.finished, epoch)
                    case .stop(let error):
                        try await record([])
                        if let error { throw error }
                        return (.stopped, epoch)
                    }
                }
                if acknowledgements.areDue { try await record([]) }
                guard let event = await stream.next() else { throw CancellationError() }
                pending = coordinator.handle(event)
            }
        }
    }

    // MARK: One request

    private func write(
        _ send: Send, _ reader: ChunkReader
    ) async throws(CancellationError) -> LoadCoordinator.WriteEnd {
        do {
            return try await outcome(send, reader)
        } catch let error as StopoverError {
            return .failed(error)
        } catch {
            throw CancellationError()
        }
    }

    private func outcome(
        _ send: Send, _ reader: ChunkReader
    ) async throws -> LoadCoordinator.WriteEnd {
        let (record, whole) = try engine.spool.read(send.part.chunk, with: reader)
        let batch =
            send.part.rows == 0..<record.rowCount
            ? whole : try engine.target.codec.slice(whole, rows: send.part.rows)
        // Rows go to the partitions that they came from, unless a partition key chooses.
        let keepsPartitions = plan.target.schema.partitionKey == nil
        let destination = InsertDestination(
            collection: send.collection, partition: keepsPartitions ? record.partition : nil)
        try await engine.writing.take(batch.byteCount)
        let target = engine.target
        let begun = ContinuousClock.now
        let outcome =
            switch send.mode {
            case .insert: await target.write(batch, to: destination, mode: plan.writeMode)
            case .upsert: await target.settle(batch, to: destination, by: plan.settlingWrite)
            }
        switch outcome {
        case .acknowledged(let ids):
            guard ids.isEmpty || ids.type == plan.target.schema.primaryKey?.type else {
                return .failed(.keysOfAnotherType(send.collection))
            }
            engine.writing.ended(nil)
            engine.tuning.writeTook(.now - begun, of: engine.limits.drain)
            engine.tuning.inserts.did(batch.byteCount)
            let entry = LedgerEntry.chunkAcked(
                record.id, rows: send.part.rows, ids: transfer.regeneratesKeys ? ids : nil)
            if transfer.regeneratesKeys {
                try await engine.ledger.commit([entry])
            } else {
                acknowledgements.hold(entry)
            }
            // An upsert writes rows again that were counted when they were inserted.
            if send.mode == .insert {
                engine.lead.taken(record.id)
                engine.board.rowsLoaded(batch.rowCount, bytes: batch.byteCount, of: transfer.id)
            }
            return .acknowledged
        case .refused(let error):
            engine.writing.ended(error)
            engine.tuning.inserts.ended(error)
            return .refused(error)
        case .unreached(let error): return .unreached(error)
        case .rejected(let error): return .rejected(error)
        case .tooLarge(let error):
            engine.tuning.wasTooLarge()
            return .tooLarge(error)
        case .fenced(let error): return .fenced(error)
        case .inDoubt(let error): return .inDoubt(error)
        }
    }

    // MARK: Flush and fence

    /// The error that `body` ended with, if it did.
    private func error(
        of body: () async throws -> Void
    ) async throws(CancellationError) -> StopoverError? {
        do {
            try await body()
            return nil
        } catch let error as StopoverError {
            return error
        } catch {
            throw CancellationError()
        }
    }

    private func wantFlushes() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: engine.limits.flushInterval)
            post(.flushWanted)
        }
    }

    /// Gives the staging collection the next epoch's name. The ledger knows the epoch first, so
    /// that a crash between the two is found and finished by ``StagingRecovery``.
    private func fence(from epoch: Int, to next: Int) async throws {
        try await engine.ledger.commit([.transferEpoch(transfer.id, next)])
        try await engine.rename(staging.name(epoch: epoch), to: staging.name(epoch: next))
    }

    private func sleep(until moment: ContinuousClock.Instant) async throws {
        guard moment > .now else { return }
        engine.board.waiting(
            .target, because: "until no older request can be running", isRetry: false)
        try await Task.sleep(until: moment, clock: .continuous)
        engine.board.waitingEnded(.target)
    }
}
