import Foundation

/// Compares a transfer's rows on the target with what was sent, chunk by chunk, many at once. Each
/// chunk's outcome is durable, so that an interrupted verification is taken up where it was.
///
/// The collection must be loaded.
struct Verification: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let transfer: TransferRecord
    /// What was asked for.
    let level: Migration.Verification
    let collection: CollectionName
    /// For a source that cannot be asked now, where a chunk differs.
    var waits = true

    /// What can be done of it.
    private var possible: (level: Migration.Verification, limitation: String?) {
        guard plan.appends, plan.keys == .source, level == .digest || level == .full else {
            return (level, nil)
        }
        return (
            .sample,
            "rows of the user's stand among those that were added, so that samples were compared, by "
                + "their keys"
        )
    }

    func run() async throws -> VerificationSummary {
        let begun = ContinuousClock.now
        let (level, limitation) = possible
        var record = try await record(of: level)
        let prover = ChunkProver(
            engine: engine, plan: plan, transfer: transfer, collection: collection, level: level,
            waits: waits)
        try await proveChunks(record, prover)
        var summary = try await summary(of: record, prover)
        summary.limitation = limitation
        summary.seconds = (ContinuousClock.now - begun) / .seconds(1)
        record.summary = summary
        try await engine.ledger.commit([.verification(record)])
        return summary
    }

    /// The one that was interrupted, or a new one.
    private func record(of level: Migration.Verification) async throws -> VerificationRecord {
        if let last = try await engine.ledger.verification(of: transfer.id), last.summary == nil,
            last.level == level
        {
            return last
        }
        let record = VerificationRecord(
            id: try await engine.ledger.lastVerification() + 1, transfer: transfer.id,
            level: level, begun: .now)
        try await engine.ledger.commit([.verification(record)])
        return record
    }

    private func proveChunks(
        _ record: VerificationRecord, _ prover: ChunkProver
    ) async throws {
        let places = BoundedChannel<ChunkPlace>(capacity: ChunkWalk.chunksAtOnce) { _ in 1 }
        let workers = min(engine.limits.cursors, MigrationLimits.mostWorkers)
        let crew = Crew(engine.tuning.verifiers, most: workers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                places.fail()
                group.cancelAll()
            }
            group.addTask {
                var walk = try await ProofWalk(engine.ledger, of: record)
                while case let some = try await walk.next(), !some.isEmpty {
                    for (place, proof) in some {
                        if proof != nil {
                            engine.board.rowsVerified(place.chunk.rowCount, of: transfer.id)
                        } else {
                            try await places.send(place)
                        }
                    }
                }
                places.finish()
            }
            for _ in 0..<workers {
                group.addTask {
                    try await crew.enter()
                    while let place = try await places.next() {
                        if engine.stop.isRequested { throw StopoverError.interrupted }
                        let finding = try await prover.prove(place)
                        try await engine.ledger.commit([
                            .chunkProved(
                                ProofRecord(
                                    chunk: place.chunk.id, transfer: transfer.id,
                                    verification: record.id, rows: finding.rows,
                                    bytes: finding.bytes, problems: finding.problems))
                        ])
                        engine.board.rowsVerified(place.chunk.rowCount, of: transfer.id)
                        try await crew.did(finding.bytes)
                    }
                    try await crew.leave()
                }
            }
            try await group.endAtFirstError()
        }
    }

    /// What the chunks' outcomes come to, and what is on the target beside them.
    func summary(
        of record: VerificationRecord, _ prover: ChunkProver
    ) async throws -> VerificationSummary {
        var summary = VerificationSummary(level: record.level, ended: .now)
        summary.fields = prover.digester.fields.count
        var walk = try await ProofWalk(engine.ledger, of: record)
        while case let some = try await walk.next(), !some.isEmpty {
            for (_, proof) in some { summary.add(proof) }
        }
        summary.rows = walk.chunks.rows
        let strays = try await StrayLook(engine: engine, plan: plan, prover: prover)
            .find(walk.chunks, summary, of: record)
        for stray in strays { summary.count(stray) }
        summary.strays = Array(strays.prefix(VerificationSummary.mostStrays))
        summary.ended = .now
        return summary
    }
}
