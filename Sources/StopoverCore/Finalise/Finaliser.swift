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
        result.droppedKeys = try await engine.ledger.droppedKeys(of: transfer).rows
        guard counts.targetIsWhole else {
            result.leftAs = current
            return result
        }
        if !isPublished { try await publish() }
        result.notes = try await createAliases()
        if let made = try await engine.retryingControl({ [engine, plan] in
            try await engine.target.describe(plan.target.name)
        }) {
            result.notes += SchemaComparison.losses(asked: plan.target, made: made)
        }
        if plan.request.mapping.loads {
            try await load(plan.target.name)
            result.isLoaded = true
        }
        try await engine.ledger.commit([.transferPublished(transfer, result)])
        engine.board.phase(.published, of: transfer)
        return result
    }

    private func createIndexes(on collection: CollectionName) async throws {
        for index in plan.target.indexes {
            try await engine.retryingControl {
                let made = try await engine.target.describe(collection)?.indexes ?? []
                // Lite 3 names an index by its field, whatever it was asked.
                let isOnly = plan.target.indexes.count { $0.field == index.field } == 1
                let isMade = made.contains {
                    $0.field == index.field && (isOnly || $0.name == index.name)
                }
                guard !isMade else { return }
                try await engine.target.createIndex(index, on: collection)
            }
        }
    }

    private func count(_ transfer: TransferID, on collection: CollectionName) async throws
        -> TransferCounts
    {
        let key = plan.target.schema.primaryKey ?? plan.primaryKey
        var sourceRows: Int64 = 0
        for partition in plan.readPartitions {
            sourceRows += try await engine.retryingReads {
                try await engine.source.count(plan.rows(of: partition))
            }
        }
        let totals = try await engine.ledger.totals(of: transfer)
        var target: Int64?
        if plan.target.canBeLoaded {
            try await load(collection)
            target = try await engine.retryingControl {
                let rows = try await engine.target.count(
                    RowSelection(collection: collection, primaryKey: key))
                try await engine.target.release(collection)
                return rows
            }
        }
        return TransferCounts(
            sourceAtPlan: plan.sourceRows, sourceAtEnd: sourceRows,
            read: totals.rows + totals.quarantinedRows, quarantined: totals.quarantinedRows,
            loaded: totals.flushedRows, target: target)
    }

    private func load(_ collection: CollectionName) async throws {
        try await engine.retryingControl {
            try await engine.target.loadWhole(collection) { percent in
                if engine.stop.isRequested { throw StopoverError.interrupted }
                engine.board.waiting(
                    .target, because: "the target loads \(collection): \(percent) %",
                    isRetry: false)
            }
        }
        engine.board.waitingEnded(.target)
    }

    /// Returns what could not be made: a migration is not undone for an alias.
    private func createAliases() async throws -> [String] {
        var notes: [String] = []
        for alias in plan.target.aliases {
            do {
                try await engine.retryingControl {
                    try await engine.target.createAlias(alias, of: plan.target.name)
                }
            } catch let error as StopoverError where error.code == .aliasTaken {
                notes.append("the alias \(alias) was not made: \(error.message)")
            }
        }
        return notes
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
    /// The alias is another collection's, or a collection has that name.
    public static let aliasTaken = Self("STO-ALIAS-TAKEN", exit: .failed)
    public static let targetNameTaken = Self("STO-TARGET-NAME-TAKEN", exit: .failed)
}
