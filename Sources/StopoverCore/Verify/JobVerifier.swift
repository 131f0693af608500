/// Verifies the collections of a job that has ended, and repairs them.
public struct JobVerifier: Sendable {
    private let engine: Engine
    private let plan: MigrationPlan

    public init(engine: Engine, plan: MigrationPlan) {
        self.engine = engine
        self.plan = plan
    }

    /// Counts and compares again. Returns a result per transfer, in the plan's order, as they are now.
    /// Throws `STO-JOB-NOT-ENDED` while a collection is not loaded whole.
    public func verify(_ level: Migration.Verification) async throws -> [TransferResult] {
        try await each { record, plan, collection in
            guard level != .counts else { return nil }
            return try await Verification(
                engine: engine, plan: plan, transfer: record, level: level, collection: collection,
                // The source may be gone for good, and the target can be verified all the same.
                waits: level == .full
            ).run()
        }
    }

    /// Sends again what the last verification found wrong, and verifies that. A collection that was not
    /// published for it is published by the next run.
    /// - Parameter deletesExtra: whether rows go that no chunk has: in a published collection they may
    ///   be the user's.
    public func repair(deletesExtra: Bool) async throws -> [TransferResult] {
        for transfer in try await engine.ledger.transfers() {
            guard try await engine.ledger.verification(of: transfer.id)?.summary != nil else {
                throw StopoverError(
                    .notVerified, "it is not known what is wrong with \(transfer.target)",
                    remedy: "`stopover verify JOB` finds it out.")
            }
        }
        return try await each { record, plan, collection in
            try await Repair(
                engine: engine, plan: plan, transfer: record, collection: collection,
                deletesExtra: deletesExtra || record.phase != .published
            ).run()
        }
    }

    /// With each collection loaded, and released again where it was not.
    private func each(
        _ body: (TransferRecord, TransferPlan, CollectionName) async throws -> VerificationSummary?
    ) async throws -> [TransferResult] {
        var results: [TransferResult] = []
        for record in try await engine.ledger.transfers() {
            guard record.phase == .published || record.phase == .checking,
                var result = try? await engine.ledger.result(of: record.id)
            else {
                throw StopoverError(
                    .jobNotEnded, "\(record.target) is not loaded whole: the job has not ended",
                    remedy: "Run the migration: the same `stopover run` carries on, and verifies "
                        + "at its end.")
            }
            if engine.stop.isRequested { throw StopoverError.interrupted }
            let plan = plan[record.id]
            let collection = result.leftAs ?? plan.target.name
            engine.board.phase(.checking, of: record.id)
            let now = try await engine.retryingControl {
                try await engine.target.describe(collection)
            }
            guard let now else {
                throw StopoverError(
                    .collectionMissing, "\(collection) is not on the target any more",
                    remedy: "It was dropped or renamed: nothing can be verified.")
            }
            if now.canBeLoaded {
                if !now.isLoaded { try await engine.load(collection) }
                result.verification = try await body(record, plan, collection)
                result.counts.target = try await engine.count(
                    RowSelection(
                        collection: collection,
                        primaryKey: plan.target.schema.primaryKey ?? plan.primaryKey))
                if !now.isLoaded { try await engine.release(collection) }
                result.isLoaded = now.isLoaded
                try await engine.ledger.commit([.resultChanged(record.id, result)])
            }
            engine.board.phase(record.phase, of: record.id)
            results.append(result)
        }
        return results
    }
}

extension StopoverError.Code {
    public static let jobNotEnded = Self("STO-JOB-NOT-ENDED", exit: .refused)
    public static let notVerified = Self("STO-JOB-NOT-VERIFIED", exit: .refused)
}
