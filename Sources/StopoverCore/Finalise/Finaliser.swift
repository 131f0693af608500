/// Makes the loaded rows a finished collection: index, count, publish. Every step asks what is
/// there before it acts, so the whole may be repeated after a crash at any point.
struct Finaliser: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let staging: CollectionName

    func run(_ transfer: TransferID) async throws -> TransferResult {
        engine.board.phase(.checking, of: transfer)
        let isPublished = try await engine.retryingControl {
            try await engine.target.describe(staging) == nil
        }
        // After a crash between the rename and its record only the final name exists.
        let current = isPublished ? plan.target.name : staging
        try await createIndexes(on: current)
        let counts = try await count(transfer, on: current)
        let unreadable = try await engine.ledger.notes(
            code: StopoverError.Code.unreadableRows.rawValue
        )
        .filter { $0.hasPrefix("\(plan.source.name):") }
        var result = TransferResult(
            source: plan.source.name, target: plan.target.name, counts: counts,
            unreadable: unreadable)
        guard counts.targetIsWhole else {
            result.leftAs = current
            return result
        }
        if !isPublished { try await publish() }
        try await engine.ledger.commit([.transferPhase(transfer, .published)])
        engine.board.phase(.published, of: transfer)
        return result
    }

    private func createIndexes(on collection: CollectionName) async throws {
        for index in plan.target.indexes {
            try await engine.retryingControl {
                let made = try await engine.target.describe(collection)?.indexes ?? []
                guard !made.contains(where: { $0.field == index.field }) else { return }
                try await engine.target.createIndex(index, on: collection)
            }
        }
    }

    private func count(_ transfer: TransferID, on collection: CollectionName) async throws
        -> TransferCounts
    {
        let key = plan.primaryKey
        var sourceRows: Int64 = 0
        for partition in plan.partitions.map({ $0.map(Optional.some) }) ?? [nil] {
            sourceRows += try await engine.retryingReads {
                try await engine.source.count(
                    RowSelection(
                        collection: plan.source.name, primaryKey: key, partition: partition))
            }
        }
        let totals = try await engine.ledger.totals(of: transfer)
        var target: Int64?
        if !plan.target.indexes.isEmpty {
            target = try await engine.retryingControl {
                try await engine.target.load(collection)
                let rows = try await engine.target.count(
                    RowSelection(collection: collection, primaryKey: key))
                try await engine.target.release(collection)
                return rows
            }
        }
        return TransferCounts(
            sourceAtPlan: plan.sourceRows, sourceAtEnd: sourceRows, read: totals.rows,
            loaded: totals.flushedRows, target: target)
    }

    private func publish() async throws {
        try await engine.retryingControl {
            guard try await engine.target.describe(plan.target.name) == nil else {
                throw StopoverError(
                    .targetNameTaken,
                    "somebody created \(plan.target.name) on the target during the migration",
                    remedy: "Rename or drop that collection, then run the same command again; the "
                        + "migrated rows wait in \(staging).")
            }
        }
        try await engine.rename(staging, to: plan.target.name)
    }
}

extension StopoverError.Code {
    public static let targetNameTaken = Self("STO-TARGET-NAME-TAKEN", exit: .failed)
}
