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
            keyName: plan.primaryKey.name, input: batches,
            chunkNumbers: ChunkNumbers(after: try await engine.ledger.lastChunk()),
            announce: { post.yield($0) })
        let load = LoadStage(
            engine: engine, transfer: transfer, staging: staging,
            keepsPartitions: plan.target.schema.partitionKey == nil, events: events,
            post: { post.yield($0) })
        let coordinator = try await engine.resumeLoad(of: transfer)
        let splits = try await engine.ledger.splits(of: transfer.id).filter { !$0.isFinished }

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
                if let epoch = result { return epoch }
            }
            throw StopoverError.interrupted
        }
    }
}

extension Engine {
    /// The load of a transfer as an earlier run left it. In doubt is what that run may have sent
    /// and did not see acknowledged. So is what was acknowledged and not flushed: nobody watched
    /// the target meanwhile, and Lite 3 loses such rows when its collection is renamed while a
    /// request of the dead run still writes [measured].
    fileprivate func resumeLoad(of transfer: TransferRecord) async throws -> LoadCoordinator {
        let spooled = try await ledger.chunks(of: transfer.id, in: .spooled)
        let acked = try await ledger.chunks(of: transfer.id, in: .acked)
        var doubtful = LoadCoordinator.chunksInDoubt(
            unacked: spooled.filter { !$0.isTainted }.map(\.id), sentThrough: transfer.sentThrough)
        if transfer.regeneratesKeys {
            if !doubtful.isEmpty { throw StopoverError.leftInDoubt(doubtful.count) }
        } else {
            doubtful += acked.map(\.id)
        }
        if !doubtful.isEmpty { try await ledger.commit([.chunksTainted(doubtful)]) }
        let tainted = spooled.filter(\.isTainted).map(\.id) + doubtful
        return LoadCoordinator(
            transfer: transfer, settings: loadSettings,
            spooled: spooled.map(LoadCoordinator.Chunk.init),
            acked: acked.map(LoadCoordinator.Chunk.init), tainted: Set(tainted))
    }

    private var loadSettings: LoadCoordinator.Settings {
        var settings = LoadCoordinator.Settings(spoolBytes: limits.spoolBytes)
        settings.requestLimit = limits.insertRequests
        return settings
    }
}

extension StopoverError {
    fileprivate static func leftInDoubt(_ chunks: Int) -> StopoverError {
        StopoverError(
            .loadInDoubt,
            "the run before this one ended while \(chunks) chunks may have been on their way, and "
                + "the target makes the keys: sending them again could double their rows",
            remedy: "Drop the half-made copy with `stopover cancel JOB --drop`, then run the "
                + "migration again. With `auto_id: keep` a migration carries on by itself.")
    }
}
