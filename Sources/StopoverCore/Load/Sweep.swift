/// Deletes every row of a staging collection that no acknowledgement names: what requests in doubt
/// left there. To be called when no request can be running any more (after a fence and its drain),
/// and may be repeated after a crash at any point.
///
/// It looks only where such rows can be: into the gaps between the keys that are ours, many gaps a
/// question, halving where something was found. A flush stands before each look, and it ends with a
/// look that found nothing: nothing rests on a delete that was believed, nor on one that an earlier
/// run made and did not flush. Where no name is a fence, it looks once more after a while.
struct Sweep: Sendable {
    /// Looks that found something before it is said that the target does not delete.
    static let mostPasses = 20

    let engine: Engine
    let plan: TransferPlan
    let transfer: TransferID

    func run(on collection: CollectionName) async throws {
        let primaryKey = plan.target.schema.primaryKey ?? plan.primaryKey
        let rows = RowSelection(collection: collection, primaryKey: primaryKey)
        try await engine.createIndexes(plan.target.indexes, on: collection)
        try await engine.load(collection)
        let owned = try OwnedKeys(try await engine.ledger.madeKeys(of: transfer))
        var removed: Int64 = 0
        let looks = plan.lacksRename ? 2 : 1
        var looksLeft = looks
        for _ in 0..<Sweep.mostPasses {
            engine.board.waiting(
                .target, because: "the target is swept of rows of requests in doubt", isRetry: false
            )
            defer { engine.board.waitingEnded(.target) }
            try await engine.retryingControl { try await engine.flush(collection) }
            try await countLosses(rows)
            let found = try await removeStrays(from: rows, owned)
            guard found > 0 else {
                looksLeft -= 1
                if looksLeft > 0 {
                    try await Task.sleep(for: engine.limits.drain)
                    continue
                }
                try await checkOwned(rows, owned)
                try await engine.ledger.commit([.swept(transfer, removed: removed)])
                return
            }
            removed += found
            looksLeft = looks
        }
        throw StopoverError(
            .sweepFailed, "\(collection) has rows again that were deleted from it",
            remedy: "Somebody else writes to it, or the target does not delete: look at its log. "
                + "Then run the same command again.")
    }

    /// Once, before anything is deleted: how many acknowledged rows that came into doubt the target
    /// lost. They were written again; the figure says what an acknowledgement of it is worth. A target
    /// that gave one key to two of them tells nothing, and there is no figure.
    private func countLosses(_ rows: RowSelection) async throws {
        guard try await engine.ledger.transfer(transfer).lostRows == nil else { return }
        let keys = try await engine.ledger.disownedKeys(of: transfer)
        guard let disowned = try? OwnedKeys(keys) else { return }
        var lost = disowned.count
        for asked in disowned.selections(of: rows) { lost -= try await engine.count(asked) }
        try await engine.ledger.commit([.lossesCounted(transfer, lost)])
    }

    private func removeStrays(from rows: RowSelection, _ owned: OwnedKeys) async throws -> Int64 {
        var removed: Int64 = 0
        var questions = owned.gaps.chunked(by: OwnedKeys.rangesPerQuestion)
        while let gaps = questions.popLast() {
            var asked = rows
            asked.anyOf = gaps
            if case .int64 = owned, try await engine.count(asked) == 0 { continue }
            if gaps.count > 1 {
                questions += gaps.chunked(by: (gaps.count + 1) / 2)
            } else {
                removed += try await removeStrays(from: rows, in: gaps[0], owned)
            }
        }
        return removed
    }

    private func removeStrays(
        from rows: RowSelection, in gap: KeyRange, _ owned: OwnedKeys
    ) async throws -> Int64 {
        var removed: Int64 = 0
        var asked = rows
        asked.range = gap
        try await engine.eachKeys(of: asked) { keys in
            let strays = keys.filter { !owned.contains($0) }
            guard !strays.isEmpty else { return }
            try await engine.retryingControl {
                try await engine.target.delete(strays, of: rows.primaryKey, from: rows.collection)
            }
            removed += Int64(strays.count)
        }
        return removed
    }

    /// The rows that are ours are all there. A flush was acknowledged for each of them.
    private func checkOwned(_ rows: RowSelection, _ owned: OwnedKeys) async throws {
        let rowCount = try await engine.count(rows)
        guard rowCount != owned.count else { return }
        throw StopoverError(
            .flushedRowsLost,
            "\(rows.collection) counts \(rowCount) rows, and \(owned.count) were acknowledged and "
                + "flushed",
            remedy:
                "The target lost rows that it had called durable: look at its disk and its log. "
                + "Drop the half-made copy with `stopover cancel JOB --drop`, then run the "
                + "migration again.")
    }
}

extension StopoverError.Code {
    public static let sweepFailed = Self("STO-TARGET-NOT-SWEPT", exit: .failed)
    public static let flushedRowsLost = Self("STO-TARGET-LOST-FLUSHED-ROWS", exit: .failed)
}
