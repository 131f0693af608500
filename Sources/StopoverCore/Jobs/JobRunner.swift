/// Carries a job through: each transfer in turn, from whatever phase an earlier run left it in.
public struct JobRunner: Sendable {
    private let engine: Engine
    private let plan: MigrationPlan
    private let jobTag: String
    private let verification: Migration.Verification

    /// - Parameter jobTag: the first 8 hex digits of the job's id; part of every staging name.
    public init(
        engine: Engine, plan: MigrationPlan, jobTag: String,
        verification: Migration.Verification = .counts
    ) {
        self.verification = verification
        self.engine = engine
        self.plan = plan
        self.jobTag = jobTag
    }

    /// Cuts the splits of every transfer and records the job's beginning, once: one transaction.
    /// - Parameter rowsPerSplit: instead of what ``SplitPlanner`` finds worth a cursor.
    public static func begin(
        _ plan: MigrationPlan, source: any Source, ledger: Ledger,
        rowsPerSplit: Int64? = nil
    ) async throws {
        let timestamp = try await source.pinTimestamp()
        var entries: [LedgerEntry] = []
        var splitNumber: Int64 = 0
        for (index, transfer) in plan.transfers.enumerated() {
            let id = TransferID(Int64(index + 1))
            var splits: [SplitRecord] = []
            for partition in transfer.readPartitions {
                let planner = SplitPlanner(
                    rowBytes: transfer.source.schema.estimatedRowBytes, rowsPerSplit: rowsPerSplit
                ) { (range) async throws(StopoverError) in
                    try await source.count(transfer.rows(of: partition, in: range))
                } keyPage: { (range, rowLimit) async throws(StopoverError) in
                    let page = try await source.page(
                        PageRequest(
                            keysOf: transfer.rows(of: partition, in: range),
                            rowLimit: rowLimit, timestamp: timestamp))
                    return (page.batch.rowCount, page.lastKey)
                }
                let rows = try await source.count(transfer.rows(of: partition))
                for range in try await planner.ranges(
                    keyType: transfer.primaryKey.type, rows: rows)
                {
                    splitNumber += 1
                    splits.append(
                        SplitRecord(
                            id: SplitID(splitNumber), transfer: id, partition: partition,
                            range: range))
                }
            }
            entries.append(
                .transferPlanned(
                    TransferRecord(
                        id: id, source: transfer.source.name, target: transfer.target.name,
                        regeneratesKeys: transfer.keys == .target, phase: .planned, epoch: 0,
                        timestamp: timestamp, sourceRows: transfer.sourceRows,
                        sentThrough: ChunkID(0)),
                    splits: splits))
        }
        try await ledger.commit(entries)
    }

    /// Returns a result per transfer, in the plan's order. Throws `STO-INTERRUPTED` after a stop.
    public func run() async throws -> [TransferResult] {
        var results: [TransferResult] = []
        for record in try await engine.ledger.transfers() {
            let plan = plan[record.id]
            if engine.stop.isRequested { throw StopoverError.interrupted }
            results.append(try await run(record, plan))
        }
        return results
    }

    private func run(_ record: TransferRecord, _ plan: TransferPlan) async throws -> TransferResult
    {
        let staging = StagingName(plan, jobTag: jobTag)
        let collection = StagingCollection(engine: engine, plan: plan, staging: staging)
        var transfer = record
        engine.board.phase(transfer.phase, of: transfer.id)
        switch transfer.phase {
        case .planned:
            try await checkSource(plan)
            transfer = try await collection.create(transfer)
        case .moving:
            try await checkSource(plan)
            transfer = try await collection.takeOver(transfer)
        case .checking, .cancelled: break
        // It is the user's now, who may have loaded it.
        case .published: return try await engine.ledger.result(of: transfer.id)
        }
        // What a sweep has left is no late request, and stands as a mismatch.
        var maySweep = true
        while true {
            if transfer.phase == .moving {
                engine.board.phase(.moving, of: transfer.id)
                transfer.epoch = try await Pipeline(
                    engine: engine, plan: plan, transfer: transfer, staging: staging
                ).run()
                try await engine.ledger.commit([.transferPhase(transfer.id, .checking)])
            }
            let end = try await Finaliser(
                engine: engine, plan: plan, names: staging, epoch: transfer.epoch,
                verification: verification, maySweep: maySweep
            ).run(transfer.id)
            if let end { return end }
            maySweep = false
            transfer = try await engine.ledger.transfer(transfer.id)
        }
    }

    /// Rows of before and after a change of the schema make no whole.
    private func checkSource(_ plan: TransferPlan) async throws {
        let now = try await engine.retryingReads { [engine] in
            try await engine.source.describe(plan.source.name)
        }
        let changes = SchemaComparison.changes(of: plan.source, to: now)
        guard changes.isEmpty else {
            throw StopoverError(
                .sourceChanged,
                "the source's \(plan.source.name) is not as it was planned with: "
                    + changes.joined(separator: "; "),
                remedy: "End this job with `stopover cancel JOB --drop`, then run the migration "
                    + "again: it plans with the collection as it is now.")
        }
    }
}

extension StopoverError.Code {
    public static let sourceChanged = Self("STO-SOURCE-CHANGED", exit: .refused)
}
