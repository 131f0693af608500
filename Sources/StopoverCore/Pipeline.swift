/// THE MAP: one transfer, its stages wired together.
///
///     splits ─► Extract ─► batches ─► Transform + Spool ─► chunks ─► Load ─► flushed rows
///               cursors    bounded    seal, record          events    insert, flush, fence, upsert
///                          by bytes   in order of splits
///
/// Each stage is a child task; the first error ends them all, and whatever was recorded in the
/// ledger by then is where the next run carries on.
struct Pipeline: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let transfer: TransferRecord
    let staging: StagingName

    /// Moves what is not moved yet. Returns when every row is flushed on the target, with the
    /// epoch of the staging collection then; throws `interrupted` when a stop was requested.
    func run() async throws -> Int {
        let batches = BoundedChannel<ExtractOutput>(capacity: engine.limits.channelBytes) {
            $0.byteCount
        }
        let (events, post) = AsyncStream.makeStream(of: LoadCoordinator.Event.self)
        let extract = ExtractStage(
            engine: engine, plan: plan, transfer: transfer, output: batches)
        let spool = SpoolStage(
            engine: engine, transfer: transfer,
            transform: BatchTransform(plan: plan, codec: engine.target.codec),
            keepsMisfits: plan.request.mapping.onBadRow == .quarantine,
            mints: plan.mintedKeys(engine.target.codec),
            digester: ContentDigester(
                plan: plan, codec: engine.target.codec, seed: engine.ledger.job.seed),
            keyName: plan.primaryKey.name, input: batches,
            chunkNumbers: ChunkNumbers(after: try await engine.ledger.lastChunk()),
            announce: { post.yield($0) })
        let load = LoadStage(
            engine: engine, transfer: transfer, staging: staging,
            sweep: Sweep(engine: engine, plan: plan, transfer: transfer.id),
            plan: plan, events: events, post: { post.yield($0) })
        let coordinator = try await engine.resumeLoad(of: transfer, plan)
        let splits = try await engine.ledger.splits(of: transfer.id).filter { !$0.isFinished }

        // Whatever ends it; but where rows have moved, a file that stays is an error.
        defer { _ = try? engine.spool.dropSpares() }
        return try await withThrowingTaskGroup(of: Int?.self) { group in
            defer {
                batches.fail()
                group.cancelAll()
            }
            group.addTask {
                try await extract.run(splits)
                if !engine.stop.isRequested {
                    engine.board.extractionFinished(of: transfer.id)
                    batches.finish()
                }
                return nil
            }
            group.addTask(executorPreference: BlockingExecutor.shared) {
                try await spool.run()
                post.yield(.extractionFinished)
                return nil
            }
            group.addTask(executorPreference: BlockingExecutor.shared) {
                let (end, epoch) = try await load.run(coordinator)
                guard case .finished = end else { throw StopoverError.interrupted }
                return epoch
            }
            while let result = try await group.next() {
                if let epoch = result {
                    try engine.spool.dropSpares()
                    return epoch
                }
            }
            throw StopoverError.interrupted
        }
    }
}

extension Engine {
    fileprivate func resumeLoad(
        of transfer: TransferRecord, _ plan: TransferPlan
    ) async throws -> LoadCoordinator {
        var settings = LoadCoordinator.Settings(
            spoolBytes: limits.spoolBytes, doubts: plan.doubts)
        settings.requestLimit = tuning.inserts.now
        let spooled = try await ledger.chunks(of: transfer.id, in: .spooled)
        let (record, load) = try LoadCoordinator.resumed(
            transfer, settings, spooled: spooled.map(LoadCoordinator.Chunk.init),
            acked: try await ledger.chunks(of: transfer.id, in: .acked)
                .map(LoadCoordinator.Chunk.init),
            tainted: Set(spooled.filter(\.isTainted).map(\.id)))
        try await ledger.commit(record)
        return load
    }
}
