/// Makes the loaded rows a finished collection: index, count, publish. Every step asks what is
/// there before it acts, so the whole may be repeated after a crash at any point.
struct Finaliser: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let names: StagingName
    let epoch: Int
    let verification: Migration.Verification
    /// Whether rows that no acknowledgement names send the transfer back to be swept.
    var maySweep = false

    private var staging: CollectionName { names.name(epoch: epoch) }
    /// The name of the collection that this one replaces, between the two renames.
    private var replaced: CollectionName { names.replaced }

    /// - Returns: nil where the target counts more rows than were acknowledged, without a doubt of ours: something
    ///   between us delivered a request twice. The ledger has it then, and the transfer moves again, to a
    ///   fence and a sweep.
    func run(_ transfer: TransferID) async throws -> TransferResult? {
        engine.board.phase(.checking, of: transfer)
        if plan.appends { return try await end(transfer) }
        let isPublished = try await hasFinalName()
        do {
            return try await finish(transfer, isPublished: isPublished)
        } catch let error as StopoverError where error.code == .collectionMissing {
            // The rename of a run that was killed came late, behind our look: what is there counts.
            guard !isPublished, try await hasFinalName() else { throw error }
            return try await finish(transfer, isPublished: true)
        }
    }

    private func hasFinalName() async throws -> Bool {
        try await engine.retryingControl { [engine, names] in
            if names.isFinal { return true }
            return try await engine.target.describe(staging) == nil
        }
    }

    private func finish(
        _ transfer: TransferID, isPublished: Bool
    ) async throws -> TransferResult? {
        // After a crash between the rename and its record only the final name exists.
        let current = isPublished ? plan.target.name : staging
        try await engine.createIndexes(plan.target.indexes, on: current)
        let record = try await engine.ledger.transfer(transfer)
        let counts = try await count(record, on: current)
        // Under its final name it may have rows of the user's.
        if maySweep, plan.doubts == .sweep, counts.hasStrays, !isPublished || names.isFinal {
            if verifies { try await engine.release(current) }
            try await engine.ledger.commit([.straysCounted(transfer)])
            return nil
        }
        var result = try await result(of: record, counts, on: current, isPublished: isPublished)
        guard result.isWhole else {
            result.leftAs = current
            try await engine.ledger.commit([.resultChanged(transfer, result)])
            return result
        }
        if !isPublished { try await publish() }
        // All rows are where they belong: whatever else has a name of ours is an empty double.
        try await engine.retryingControl {
            for double in try await names.generations(on: engine.target) {
                try await engine.target.drop(double)
            }
        }
        if plan.request.mapping.onExisting == .replace {
            try await engine.retryingControl {
                if try await engine.target.describe(replaced) != nil {
                    try await engine.target.drop(replaced)
                }
            }
        }
        try await endMinting()
        result.notes = try await createAliases()
        if let made = try await engine.retryingControl({ [engine, plan] in
            try await engine.target.describe(plan.target.name)
        }) {
            result.notes += SchemaComparison.losses(asked: asked, made: made)
        }
        return try await recorded(result, of: transfer)
    }

    /// Of a collection that was there and keeps its name nothing is made, and all is the user's.
    private func end(_ transfer: TransferID) async throws -> TransferResult {
        let record = try await engine.ledger.transfer(transfer)
        let counts = try await count(record, on: plan.target.name)
        var result = try await result(of: record, counts, on: plan.target.name)
        result.isLoaded = plan.target.isLoaded
        return try await recorded(result, of: transfer)
    }

    /// The last step: loaded where that was asked for, and in the ledger.
    private func recorded(
        _ result: TransferResult, of transfer: TransferID
    ) async throws -> TransferResult {
        var result = result
        if plan.request.mapping.loads {
            try await engine.load(plan.target.name)
            result.isLoaded = true
        }
        try await engine.ledger.commit([.transferPublished(transfer, result)])
        engine.board.phase(.published, of: transfer)
        return result
    }

    private func result(
        of record: TransferRecord, _ counts: TransferCounts, on collection: CollectionName,
        isPublished: Bool = false
    ) async throws -> TransferResult {
        let unreadable = try await engine.ledger.notes(
            code: StopoverError.Code.unreadableRows.rawValue
        )
        .filter { $0.hasPrefix("\(plan.source.name):") }
        var result = TransferResult(
            source: plan.source.name, target: plan.target.name, counts: counts,
            unreadable: unreadable)
        if plan.doubts == .sweep { result.sweptRows = record.sweptRows }
        result.rewrittenRows = record.rewrittenRows
        result.lostRows = record.lostRows
        result.verification = try await verify(record, on: collection, isPublished: isPublished)
        let source = try await engine.retryingReads {
            try await engine.source.describe(plan.source.name)
        }
        result.drift = SchemaComparison.changes(of: plan.source, to: source).map {
            "the source was changed during the migration: \($0)"
        }
        result.droppedKeys = try await engine.ledger.droppedKeys(of: record.id).rows
        return result
    }

    /// Of a collection that ``count(_:on:)`` left loaded; nil where counts are all that is asked for,
    /// or all that can be.
    private func verify(
        _ transfer: TransferRecord, on collection: CollectionName, isPublished: Bool
    ) async throws -> VerificationSummary? {
        guard verifies else { return nil }
        // After a crash between the rename and its record.
        if isPublished, let last = try await engine.ledger.verification(of: transfer.id)?.summary,
            last.isClean, last.level == verification
        {
            return last
        }
        let summary = try await Verification(
            engine: engine, plan: plan, transfer: transfer, level: verification,
            collection: collection
        ).run()
        if !staysLoaded { try await engine.release(collection) }
        return summary
    }

    private var verifies: Bool { verification != .counts && plan.target.canBeLoaded }
    private var staysLoaded: Bool { plan.appends && plan.target.isLoaded }

    private func count(
        _ transfer: TransferRecord, on collection: CollectionName
    ) async throws -> TransferCounts {
        var sourceRows: Int64 = 0
        for partition in plan.readPartitions {
            sourceRows += try await engine.retryingReads {
                try await engine.source.count(plan.rows(of: partition))
            }
        }
        let totals = try await engine.ledger.totals(of: transfer.id)
        var counted = plan.target
        counted.name = collection
        var counts = TransferCounts(
            sourceAtPlan: plan.sourceRows, sourceAtEnd: sourceRows,
            read: totals.rows + totals.quarantinedRows, quarantined: totals.quarantinedRows,
            loaded: totals.flushedRows,
            target: try await engine.rowCount(
                of: counted, keepsLoaded: staysLoaded || verifies))
        counts.before = transfer.rowsBefore
        counts.mayOverwrite = plan.writeMode == .upsert
        return counts
    }

    /// From now on the target makes the keys of new rows, as its Auto ID says, and takes none.
    private func endMinting() async throws {
        guard plan.keys == .minted else { return }
        try await engine.retryingControl {
            try await engine.target.removeProperty(
                TargetCollection.takesKeys, of: plan.target.name)
        }
    }

    /// The collection as it is meant to be in the end.
    private var asked: CollectionDescription {
        var asked = plan.target
        if plan.keys == .minted { asked.properties[TargetCollection.takesKeys] = nil }
        return asked
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

    /// An existing collection steps aside first, so that at every moment the old or the new one is
    /// whole, and a crash between the two renames is found by the next run.
    private func publish() async throws {
        let (isTaken, isAside) = try await engine.retryingControl {
            let taken = try await engine.target.describe(plan.target.name) != nil
            return (taken, try await engine.target.describe(replaced) != nil)
        }
        if isTaken {
            guard plan.request.mapping.onExisting == .replace, !isAside else {
                throw StopoverError.nameTaken(
                    plan.target.name, "; the migrated rows wait in \(staging)")
            }
            try await engine.rename(plan.target.name, to: replaced)
        }
        try await engine.rename(staging, to: plan.target.name)
    }
}

extension StopoverError {
    static func nameTaken(_ name: CollectionName, _ more: String = "") -> StopoverError {
        StopoverError(
            .targetNameTaken,
            "somebody created \(name) on the target during the migration",
            remedy: "Rename or drop that collection, then run the same command again\(more).")
    }
}

extension StopoverError.Code {
    /// The alias is another collection's, or a collection has that name.
    public static let aliasTaken = Self("STO-ALIAS-TAKEN", exit: .failed)
    public static let targetNameTaken = Self("STO-TARGET-NAME-TAKEN", exit: .failed)
}
