extension LoadCoordinator {
    /// The load as an earlier run left it. In doubt is what that run may have sent and did not see
    /// acknowledged. So is what was acknowledged and not flushed: nobody watched the target
    /// meanwhile, and Lite 3 loses such rows when its collection is renamed while a request of the
    /// dead run still writes [measured].
    /// - Parameters:
    ///   - spooled: chunks of the ledger that are not acknowledged.
    ///   - acked: those that are, and are not known to be flushed.
    ///   - tainted: those of either kind that an earlier run tainted.
    /// - Returns: what is to be recorded before the load begins, and the load.
    public static func resumed(
        _ transfer: TransferRecord, _ settings: Settings, spooled: [Chunk], acked: [Chunk],
        tainted: Set<ChunkID>
    ) throws(StopoverError) -> (record: [LedgerEntry], load: LoadCoordinator) {
        let unanswered = spooled.map(\.id)
            .filter { $0 <= transfer.sentThrough && !tainted.contains($0) }
        let doubtful = unanswered + acked.map(\.id)
        switch settings.doubts {
        case .upsert:
            let load = LoadCoordinator(
                transfer: transfer, settings: settings, spooled: spooled, acked: acked,
                tainted: tainted.union(doubtful))
            return (doubtful.isEmpty ? [] : [.chunksTainted(doubtful)], load)
        case .sweep, .again:
            var resumed = transfer
            resumed.needsSweep = transfer.needsSweep || !doubtful.isEmpty
            let load = LoadCoordinator(
                transfer: resumed, settings: settings, spooled: spooled + acked)
            return (doubtful.isEmpty ? [] : [.chunksDisowned(doubtful)], load)
        case .stop:
            guard unanswered.isEmpty else { throw .leftInDoubt(unanswered.count) }
            let load = LoadCoordinator(
                transfer: transfer, settings: settings, spooled: spooled, acked: acked)
            return ([], load)
        }
    }
}
