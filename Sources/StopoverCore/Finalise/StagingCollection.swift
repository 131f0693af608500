/// Makes the staging collection, or finds the one of an earlier run and fences that run off.
struct StagingCollection: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let staging: StagingName

    /// For a transfer of which nothing exists on the target yet.
    func create(_ transfer: TransferRecord) async throws -> TransferRecord {
        if plan.appends { return try await beginAppend(transfer) }
        var moving = try await engine.retryingControl { try await make(transfer.id) }
        try await engine.ledger.commit([.transferPhase(transfer.id, .moving)])
        moving.phase = .moving
        return moving
    }

    /// Each try under a name of its own, so that whatever an earlier one, or a run that died in it, still has
    /// under way (above all a drop, which would take rows with it) is of another collection.
    private func make(_ id: TransferID) async throws -> TransferRecord {
        let target = engine.target
        if try await !target.databases().contains(plan.target.name.database) {
            try await target.createDatabase(plan.target.name.database)
        }
        var transfer = try await engine.ledger.transfer(id)
        if staging.isFinal {
            // It may be anybody's, who has to drop it.
            let name = plan.target.name
            guard try await target.describe(name) == nil else {
                throw StopoverError.nameTaken(name)
            }
        } else {
            let earlier = try await staging.generations(on: target)
            transfer = try await nextEpoch(of: transfer, beyond: earlier.first)
            // Nothing that the ledger knows of is in them.
            for name in earlier { try await target.drop(name) }
        }
        let name = staging.name(epoch: transfer.epoch)
        var asked = plan.target
        asked.name = name
        try await target.create(asked)
        guard let made = try await target.describe(name) else {
            throw StopoverError(
                .stagingGone, "\(name) is not there right after it was created",
                remedy: "Check the target, then run the same command again.")
        }
        let differences = SchemaComparison.differences(asked: asked, made: made)
        guard differences.isEmpty else {
            try await target.drop(name)
            throw StopoverError(
                .targetDiffers,
                "the target made \(plan.target.name) otherwise than asked: "
                    + differences.joined(separator: "; "),
                remedy: "Nothing is left on the target. Leave out what it cannot hold in "
                    + "migration.yaml, or choose a target of a newer version.")
        }
        return transfer
    }

    /// Durable before a name is made of it. Beyond the target's newest too: a volume that went back to an
    /// earlier state has forgotten epochs under whose names requests may still be on their way.
    private func nextEpoch(
        of transfer: TransferRecord, beyond newest: CollectionName?
    ) async throws -> TransferRecord {
        let there = newest.flatMap { staging.epoch(in: $0.collection) } ?? 0
        var next = transfer
        next.epoch = max(transfer.epoch, there) + 1
        try await engine.ledger.commit([.transferEpoch(transfer.id, next.epoch)])
        return next
    }

    /// For a transfer that an earlier run began: the next epoch's name, so that whatever that run
    /// still has under way, here or on another machine, finds no collection.
    func takeOver(_ transfer: TransferRecord) async throws -> TransferRecord {
        if plan.appends {
            try await checkPlanned()
            return transfer
        }
        if staging.isFinal {
            let name = plan.target.name
            guard
                try await engine.retryingControl({ try await engine.target.describe(name) }) != nil
            else { throw StopoverError.stagingGone(name) }
            return transfer
        }
        return try await takeNewest(transfer, tries: StagingCollection.mostTries)
    }

    /// A rename of the run before, which was killed with it under way, may come between the look and the
    /// rename here: so often it is looked again.
    private static let mostTries = 5

    private func takeNewest(_ transfer: TransferRecord, tries: Int) async throws -> TransferRecord {
        let found = try await engine.retryingControl {
            // Runs that died between the record of an epoch and its rename leave an older name.
            guard let found = try await staging.generations(on: engine.target).first else {
                throw StopoverError.stagingGone(staging.name(epoch: transfer.epoch))
            }
            return found
        }
        let next = try await nextEpoch(of: transfer, beyond: found)
        do {
            try await engine.rename(found, to: staging.name(epoch: next.epoch))
        } catch let error as StopoverError where error.code == .renameLost && tries > 1 {
            return try await takeNewest(next, tries: tries - 1)
        }
        return next
    }

    // MARK: A collection of the user's

    private func beginAppend(_ transfer: TransferRecord) async throws -> TransferRecord {
        try await checkPlanned()
        let rows = try await engine.rowCount(of: plan.target, keepsLoaded: plan.target.isLoaded)
        try await engine.ledger.commit([.appendBegun(transfer.id, rowsBefore: rows)])
        return try await engine.ledger.transfer(transfer.id)
    }

    private func checkPlanned() async throws {
        let name = plan.target.name
        let now = try await engine.retryingControl { try await engine.target.describe(name) }
        let changes = SchemaComparison.changes(of: plan.target, to: now)
        guard changes.isEmpty else {
            throw StopoverError(
                .targetDiffers,
                "\(name), to which rows are added, is not as it was planned with: "
                    + changes.joined(separator: "; "),
                remedy: "End this job with `stopover cancel JOB`, then run the migration again.")
        }
    }
}

extension StopoverError {
    fileprivate static func stagingGone(_ name: CollectionName) -> StopoverError {
        StopoverError(
            .stagingGone,
            "the collection that this job loads, \(name), is no longer on the target: it was dropped "
                + "or renamed",
            remedy: "End this job with `stopover cancel JOB`, then run the migration again.")
    }
}

extension StopoverError.Code {
    public static let stagingGone = Self("STO-TARGET-STAGING-GONE", exit: .failed)
    public static let targetDiffers = Self("STO-TARGET-DIFFERS", exit: .refused)
}
