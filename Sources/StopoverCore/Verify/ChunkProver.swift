/// Compares one chunk's rows on the target with what was sent.
struct ChunkProver: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let level: Migration.Verification
    /// The collection that holds the rows, whatever its name is now.
    let collection: CollectionName
    let digester: ContentDigester
    let sent: SentRows
    private let reader: RowReader
    private let key: FieldSchema

    /// - Parameter waits: for a source that cannot be asked now, where a chunk differs; otherwise its
    ///   rows are not told apart.
    init(
        engine: Engine, plan: TransferPlan, transfer: TransferRecord, collection: CollectionName,
        level: Migration.Verification, waits: Bool = true
    ) {
        self.engine = engine
        self.plan = plan
        self.level = level
        self.collection = collection
        digester = ContentDigester(
            plan: plan, codec: engine.target.codec, seed: engine.ledger.job.seed)
        sent = SentRows(
            engine: engine, plan: plan, transfer: transfer, digester: digester, waits: waits)
        let key = plan.target.schema.primaryKey ?? plan.primaryKey
        self.key = key
        var fields = digester.fields
        if !fields.contains(where: { $0.name == key.name }) { fields.append(key) }
        reader = engine.targetReader(fields)
    }

    /// What was found of a chunk.
    struct Finding: Sendable {
        var rows = 0
        var bytes = 0
        var problems: [RowProblem] = []
    }

    func prove(_ place: ChunkPlace) async throws -> Finding {
        guard let content = try await engine.ledger.content(of: place.chunk.id) else {
            return Finding(problems: [
                RowProblem(
                    .unreadable, chunk: place.chunk.id,
                    note: "an earlier version moved it, which took no digest")
            ])
        }
        let made = try await madeKeys(of: place.chunk)
        return switch level {
        case .sample: try await proveSamples(place, content, made)
        case .counts, .digest, .full: try await proveAll(place, content, made)
        }
    }

    /// The keys that the target made for the rows of a chunk, in row order; nil where it makes none.
    func madeKeys(of chunk: ChunkRecord) async throws -> [PrimaryKey]? {
        guard plan.keys == .target else { return nil }
        return try await engine.ledger.acks(of: chunk.id).flatMap { $0.ids?.keys ?? [] }
    }

    /// The rows of a partition, or of all, as they were distributed.
    func rows(of partition: String?) -> RowSelection {
        let keepsPartitions = plan.target.schema.partitionKey == nil
        return RowSelection(
            collection: collection, primaryKey: key, partition: keepsPartitions ? partition : nil)
    }

    // MARK: Some rows

    private func proveSamples(
        _ place: ChunkPlace, _ content: ContentRecord, _ made: [PrimaryKey]?
    ) async throws -> Finding {
        var wanted: [PrimaryKey: SampledRow] = [:]
        for sample in content.samples {
            guard let key = sample.key ?? made?[sample.row] else { continue }
            wanted[key] = sample
        }
        var asked = rows(of: place.chunk.partition)
        asked.keys = wanted.keys.sorted()
        let found = try await found([asked], expected: wanted.count)
        var finding = Finding(rows: wanted.count, bytes: found.bytes)
        for (index, key) in found.keys.enumerated() {
            guard let sample = wanted.removeValue(forKey: key) else { continue }
            let fields = differences(sample.digests, found.digests.row(index))
            if !fields.isEmpty {
                finding.problems.append(
                    RowProblem(
                        .differ, chunk: place.chunk.id, row: sample.row, key: key, fields: fields))
            }
        }
        for (key, sample) in wanted.sorted(by: { $0.key < $1.key }) {
            finding.problems.append(
                RowProblem(.missing, chunk: place.chunk.id, row: sample.row, key: key))
        }
        return finding
    }

    // MARK: All rows

    /// The rows of a chunk as they are on the target.
    func found(_ place: ChunkPlace, _ made: [PrimaryKey]?) async throws -> FoundRows {
        var rows = rows(of: place.chunk.partition)
        switch plan.keys {
        case .source: rows.range = place.range
        case .minted: rows.range = MintedKeys.range(of: place.chunk.id)
        case .target:
            let keys = try OwnedKeys([IDRuns(keys: made ?? [])])
            return try await found(keys.selections(of: rows), expected: place.chunk.rowCount)
        }
        return try await found([rows], expected: place.chunk.rowCount)
    }

    private func found(_ selections: [RowSelection], expected: Int) async throws -> FoundRows {
        var found = FoundRows(fieldCount: digester.fields.count)
        for selection in selections {
            try await reader.read(selection, expected: expected) { page in
                guard let column = page.batch.columns.first(where: { $0.name == key.name })
                else { return }
                found.keys += try engine.target.codec.keys(in: column)
                found.digests.append(try digester.rows(of: page.batch))
                found.bytes += page.batch.byteCount
            }
        }
        return found
    }

    private func proveAll(
        _ place: ChunkPlace, _ content: ContentRecord, _ made: [PrimaryKey]?
    ) async throws -> Finding {
        let found = try await found(place, made)
        var finding = Finding(rows: content.rowCount, bytes: found.bytes)
        let ordered = made.map { found.ordered(as: $0) } ?? found.sortedByKey()
        let isEqual =
            ordered?.digests.rowCount == content.rowCount
            && ordered?.digests.digests(seed: digester.seed) == content.fields
        if isEqual, level != .full { return finding }
        let sent: SentChunk
        do { sent = try await self.sent.rows(of: place, made: made) } catch let error
            as StopoverError where error.isTransient
        {
            finding.problems = [
                RowProblem(
                    .unreadable, chunk: place.chunk.id,
                    fields: fields(of: ordered, unlike: content),
                    note: "it is not as it was sent, and the source cannot be asked which row: "
                        + error.message)
            ]
            return finding
        }
        let isReadAgain =
            sent.digests.rowCount == content.rowCount
            && sent.digests.digests(seed: digester.seed) == content.fields
        switch (isEqual, isReadAgain) {
        case (true, true): break
        case (true, false):
            finding.problems = changes(place.chunk, since: found, ordered, sent)
        case (false, true): finding.problems = problems(place.chunk, sent, found)
        case (false, false):
            finding.problems = [
                RowProblem(
                    .unreadable, chunk: place.chunk.id,
                    fields: fields(of: ordered, unlike: content),
                    note: "it is not as it was sent, and the source no longer gives what was sent")
            ]
        }
        return finding
    }

    /// Row by row, what is on the target beside what was sent.
    func problems(_ chunk: ChunkRecord, _ sent: SentChunk, _ found: FoundRows) -> [RowProblem] {
        var places: [PrimaryKey: Int] = [:]
        for (row, key) in sent.keys.enumerated() { places[key] = row }
        var seen: Set<Int> = []
        var problems: [RowProblem] = []
        for (index, key) in found.keys.enumerated() {
            guard let row = places[key] else {
                problems.append(RowProblem(.extra, chunk: chunk.id, key: key))
                continue
            }
            guard seen.insert(row).inserted else {
                problems.append(
                    RowProblem(
                        .extra, chunk: chunk.id, row: row, key: key,
                        sourceKey: sent.sourceKeys[row], note: "one more row with this key"))
                continue
            }
            let fields = differences(sent.digests.row(row), found.digests.row(index))
            guard !fields.isEmpty else { continue }
            problems.append(
                RowProblem(
                    .differ, chunk: chunk.id, row: row, key: key, sourceKey: sent.sourceKeys[row],
                    fields: fields))
        }
        for (row, key) in sent.keys.enumerated() where !seen.contains(row) {
            problems.append(
                RowProblem(
                    .missing, chunk: chunk.id, row: row, key: key, sourceKey: sent.sourceKeys[row]))
        }
        return problems
    }

    /// The target has what was sent, and the source gives something else now.
    private func changes(
        _ chunk: ChunkRecord, since found: FoundRows, _ ordered: FoundRows?, _ sent: SentChunk
    ) -> [RowProblem] {
        // Rows that the target named are told apart by their place, when they are as many.
        if plan.keys == .target, sent.digests.rowCount != chunk.rowCount {
            return [
                RowProblem(
                    .unreadable, chunk: chunk.id,
                    note: "the source gives \(sent.digests.rowCount) rows now, and gave "
                        + "\(chunk.rowCount)")
            ]
        }
        return problems(chunk, sent, ordered ?? found).map { problem in
            var problem = problem
            problem.note = "the source says so now, and said otherwise when it was read"
            return problem
        }
    }

    private func fields(of found: FoundRows?, unlike content: ContentRecord) -> [String] {
        guard let found, found.digests.rowCount == content.rowCount else { return [] }
        let digests = found.digests.digests(seed: digester.seed)
        return digester.fields.indices.filter { digests[$0] != content.fields[$0] }
            .map { digester.fields[$0].name }
    }

    private func differences(_ sent: [UInt64], _ found: [UInt64]) -> [String] {
        zip(digester.fields, zip(sent, found)).filter { $0.1.0 != $0.1.1 }.map(\.0.name)
    }
}
