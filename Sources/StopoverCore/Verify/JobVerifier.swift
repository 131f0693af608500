/// Verifies the collections of a job that has ended, and repairs them.
public struct JobVerifier: Sendable {
    private let engine: Engine
    private let plan: MigrationPlan
    private let jobTag: String

    public init(engine: Engine, plan: MigrationPlan, jobTag: String) {
        self.engine = engine
        self.plan = plan
        self.jobTag = jobTag
    }

    /// Counts and compares again. Returns a result per transfer, in the plan's order, as they are now.
    /// Throws `STO-JOB-NOT-ENDED` while a collection is not published.
    public func verify(_ level: Migration.Verification) async throws -> [TransferResult] {
        try await each { record, plan, result in
            let rows = try await engine.retryingControl {
                try await engine.target.count(wholeTarget(plan))
            }
            result.counts.target = rows
            result.verification = nil
            guard level != .counts else { return }
            result.verification = try await Verification(
                engine: engine, plan: plan, transfer: record, level: level,
                collection: plan.target.name
            ).run()
        }
    }

    /// Sends again what the last verification found wrong, and verifies that.
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
        return try await each { record, plan, result in
            let repaired = try await Repair(
                engine: engine, plan: plan, transfer: record, collection: plan.target.name,
                deletesExtra: deletesExtra
            ).run()
            result.verification = repaired
            result.counts.target = try await engine.retryingControl {
                try await engine.target.count(wholeTarget(plan))
            }
        }
    }

    private func wholeTarget(_ plan: TransferPlan) -> RowSelection {
        RowSelection(
            collection: plan.target.name,
            primaryKey: plan.target.schema.primaryKey ?? plan.primaryKey)
    }

    /// With each published collection loaded, and released again where it was not.
    private func each(
        _ body: (TransferRecord, TransferPlan, inout TransferResult) async throws -> Void
    ) async throws -> [TransferResult] {
        var results: [TransferResult] = []
        for record in try await engine.ledger.transfers() {
            guard record.phase == .published else {
                throw StopoverError(
                    .jobNotEnded, "\(record.target) is not published: the job has not ended",
                    remedy: "Run the migration: the same `stopover run` carries on, and verifies "
                        + "at its end.")
            }
            let plan = plan[record.id]
            var result = try await engine.ledger.result(of: record.id)
            if engine.stop.isRequested { throw StopoverError.interrupted }
            engine.board.phase(.checking, of: record.id)
            let now = try await engine.retryingControl {
                try await engine.target.describe(plan.target.name)
            }
            guard let now else {
                throw StopoverError(
                    .collectionMissing, "\(plan.target.name) is not on the target any more",
                    remedy: "It was dropped or renamed: nothing can be verified.")
            }
            guard now.canBeLoaded else {
                results.append(result)
                continue
            }
            if !now.isLoaded { try await engine.load(plan.target.name) }
            try await body(record, plan, &result)
            if !now.isLoaded { try await engine.release(plan.target.name) }
            result.isLoaded = now.isLoaded
            try await engine.ledger.commit([.resultChanged(record.id, result)])
            engine.board.phase(.published, of: record.id)
            results.append(result)
        }
        return results
    }
}

extension StopoverError.Code {
    public static let jobNotEnded = Self("STO-JOB-NOT-ENDED", exit: .refused)
    public static let notVerified = Self("STO-JOB-NOT-VERIFIED", exit: .refused)
}
