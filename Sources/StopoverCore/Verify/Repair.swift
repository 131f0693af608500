/// Makes right what a verification found: sends again exactly the rows that are missing or differ,
/// deletes what is too many, and verifies the chunks that it touched. Rows come from the source, and
/// only as they were sent: a chunk that the source no longer gives is left alone.
///
/// With keys of ours a row is settled by its key, which may be repeated. Where the target makes the keys, a
/// row that differs is deleted and inserted anew, and the ledger learns its new key; an insert in doubt
/// is found by the next pass, as a row that is missing and perhaps one that nobody knows.
struct Repair: Sendable {
    /// Passes that find something, before it is said that the target does not take the repair.
    static let mostPasses = 5

    let engine: Engine
    let plan: TransferPlan
    let transfer: TransferRecord
    let collection: CollectionName
    let deletesExtra: Bool

    /// Returns what is wrong still.
    func run() async throws -> VerificationSummary {
        guard var record = try await engine.ledger.verification(of: transfer.id),
            var summary = record.summary
        else { throw CancellationError() }
        let begun = ContinuousClock.now
        // All of a chunk that is touched is compared, whatever was asked for before.
        let verification = Verification(
            engine: engine, plan: plan, transfer: transfer, level: summary.level,
            collection: collection)
        let prover = ChunkProver(
            engine: engine, plan: plan, transfer: transfer, collection: collection, level: .digest)
        for _ in 0..<Repair.mostPasses where !summary.isClean {
            if engine.stop.isRequested { throw StopoverError.interrupted }
            let touched = try await repairChunks(record, prover)
            let strays = try await deleteStrays(summary)
            guard touched + strays > 0 else { break }
            try await engine.retryingControl { try await engine.flush(collection) }
            try await proveAgain(record, prover)
            let limitation = summary.limitation
            summary = try await verification.summary(of: record, prover)
            summary.limitation = limitation
            summary.seconds = (ContinuousClock.now - begun) / .seconds(1)
            record.summary = summary
            try await engine.ledger.commit([.verification(record)])
        }
        return summary
    }

    /// Returns how many chunks were changed.
    private func repairChunks(
        _ record: VerificationRecord, _ prover: ChunkProver
    ) async throws -> Int {
        var touched = 0
        try await eachWrong(record) { place, _ in
            if try await repair(place, prover) { touched += 1 }
        }
        return touched
    }

    private func proveAgain(_ record: VerificationRecord, _ prover: ChunkProver) async throws {
        try await eachWrong(record) { place, proof in
            var again = proof
            let finding = try await prover.prove(place)
            (again.rows, again.bytes, again.problems) =
                (finding.rows, finding.bytes, finding.problems)
            try await engine.ledger.commit([.chunkProved(again)])
        }
    }

    private func eachWrong(
        _ record: VerificationRecord, _ body: (ChunkPlace, ProofRecord) async throws -> Void
    ) async throws {
        var walk = try await ProofWalk(engine.ledger, of: record)
        while case let some = try await walk.next(), !some.isEmpty {
            for case (let place, let proof?) in some where isWrong(proof, record) {
                if engine.stop.isRequested { throw StopoverError.interrupted }
                try await body(place, proof)
            }
        }
    }

    /// By its own rows, or by one that is there twice, which the look beside the chunks found.
    private func isWrong(_ proof: ProofRecord, _ record: VerificationRecord) -> Bool {
        !proof.problems.isEmpty
            || record.summary?.strays.contains { $0.chunk == proof.chunk } == true
    }

    // MARK: A chunk

    /// What is wrong is looked at anew: somebody may have repaired some of it.
    /// - Returns: whether anything was changed.
    private func repair(_ place: ChunkPlace, _ prover: ChunkProver) async throws -> Bool {
        guard let content = try await engine.ledger.content(of: place.chunk.id) else {
            return false
        }
        let made = try await prover.madeKeys(of: place.chunk)
        let sent = try await prover.sent.rows(of: place, made: made)
        guard sent.digests.rowCount == content.rowCount,
            sent.digests.digests(seed: prover.digester.seed) == content.fields
        else { return false }
        let found = try await prover.found(place, made)
        let problems = prover.problems(place.chunk, sent, found)
        // A key that is there twice cannot be told from the one to keep: both go, and it is sent again.
        let doubled =
            plan.keys == .target
            ? []
            : try await StrayLook(engine: engine, plan: plan, prover: prover)
                .copies(of: place, beside: Set(found.keys).count)
        var doomed: Set<PrimaryKey> = Set(doubled)
        var rows: Set<Int> = []
        for (row, key) in sent.keys.enumerated() where doomed.contains(key) { rows.insert(row) }
        for problem in problems {
            switch (problem.kind, problem.row) {
            case (.extra, nil):
                if deletesExtra, let key = problem.key { doomed.insert(key) }
            case (_, let row?):
                rows.insert(row)
                if plan.keys == .target, problem.kind != .missing, let key = problem.key {
                    doomed.insert(key)
                }
            case (_, nil): break
            }
        }
        guard !doomed.isEmpty || !rows.isEmpty else { return false }
        try await delete(doomed.sorted())
        try await send(rows, of: sent, place.chunk)
        return true
    }

    private func send(_ rows: Set<Int>, of sent: SentChunk, _ chunk: ChunkRecord) async throws {
        var start = 0
        for batch in sent.batches {
            let own = (start..<start + batch.rowCount).filter(rows.contains)
            defer { start += batch.rowCount }
            guard !own.isEmpty else { continue }
            var isKept = [Bool](repeating: false, count: batch.rowCount)
            for row in own { isKept[row - start] = true }
            try await write(
                try engine.target.codec.keeping(isKept, of: batch), rows: own, of: chunk)
        }
    }

    private func write(_ batch: Batch, rows: [Int], of chunk: ChunkRecord) async throws {
        let keepsPartitions = plan.target.schema.partitionKey == nil
        let destination = InsertDestination(
            collection: collection, partition: keepsPartitions ? chunk.partition : nil)
        var patience = Patience()
        while true {
            if engine.stop.isRequested { throw StopoverError.interrupted }
            try await engine.writing.take(batch.byteCount)
            let outcome =
                plan.keys == .target
                ? await engine.target.write(batch, to: destination, mode: .insert)
                : await engine.target.settle(batch, to: destination, by: plan.settlingWrite)
            switch outcome {
            case .acknowledged(let ids):
                engine.board.waitingEnded(.target)
                guard plan.keys == .target else { return }
                let keys = Dictionary(
                    zip(rows, IDRuns(ids).keys), uniquingKeysWith: { first, _ in first })
                try await engine.ledger.commit([.keysReplaced(chunk.id, keys)])
                return
            case .inDoubt(let error):
                engine.waiting(.target, because: error, again: patience.failures > 0)
                // A late one would be one more row; the next pass looks when none can be on its way.
                try await engine.stop.sleep(for: engine.limits.drain)
                if plan.keys == .target { return engine.board.waitingEnded(.target) }
                _ = patience.failed()
            case .refused(let error), .unreached(let error):
                engine.waiting(.target, because: error, again: patience.failures > 0)
                try await engine.stop.sleep(for: patience.failed())
            case .tooLarge where batch.rowCount > 1:
                let middle = batch.rowCount / 2
                let codec = engine.target.codec
                try await write(
                    try codec.slice(batch, rows: 0..<middle), rows: Array(rows[..<middle]),
                    of: chunk)
                return try await write(
                    try codec.slice(batch, rows: middle..<batch.rowCount),
                    rows: Array(rows[middle...]), of: chunk)
            case .rejected(let error), .fenced(let error), .tooLarge(let error): throw error
            }
        }
    }

    // MARK: Rows that no chunk has

    private func deleteStrays(_ summary: VerificationSummary) async throws -> Int {
        guard deletesExtra else { return 0 }
        let keys = summary.strays.filter { $0.chunk == nil }.compactMap(\.key)
        try await delete(keys)
        return keys.count
    }

    private func delete(_ keys: [PrimaryKey]) async throws {
        guard let primaryKey = plan.target.schema.primaryKey else { return }
        for some in keys.chunked(by: OwnedKeys.keysPerQuestion) {
            try await engine.retryingControl {
                try await engine.target.delete(some, of: primaryKey, from: collection)
            }
        }
    }
}
