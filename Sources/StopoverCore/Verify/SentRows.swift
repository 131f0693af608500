/// The rows of a chunk as they were sent, made anew: read from the source at the moment of the
/// migration, and transformed as they were.
struct SentChunk: Sendable {
    /// In row order, in as many pieces as the source gave.
    var batches: [Batch] = []
    var sourceKeys: [PrimaryKey] = []
    /// On the target; nil where it cannot be told, because the rows are not as many as were sent.
    var keys: [PrimaryKey] = []
    var digests: RowDigests
}

struct SentRows: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let transfer: TransferRecord
    let digester: ContentDigester
    private let reader: RowReader
    private let transform: BatchTransform
    private let mints: MintedKeys?

    /// - Parameter waits: for a source that cannot be asked now; otherwise that is an error.
    init(
        engine: Engine, plan: TransferPlan, transfer: TransferRecord, digester: ContentDigester,
        waits: Bool
    ) {
        self.engine = engine
        self.plan = plan
        self.transfer = transfer
        self.digester = digester
        reader = engine.sourceReader(plan.readFields, at: transfer.timestamp, waits: waits)
        transform = BatchTransform(plan: plan, codec: engine.target.codec)
        mints = plan.mintedKeys(engine.target.codec)
    }

    /// - Parameter made: the keys that the target made, in row order; nil where it makes none.
    func rows(of place: ChunkPlace, made: [PrimaryKey]?) async throws -> SentChunk {
        let codec = engine.target.codec
        var sent = SentChunk(digests: RowDigests(fieldCount: digester.fields.count))
        let rows = plan.rows(of: place.chunk.partition, in: place.range)
        try await reader.read(rows, expected: place.chunk.rowCount) { page in
            let output = try transform.apply(page.batch)
            let misfits = Set(output.misfits.map(\.row))
            guard let column = page.batch.columns.first(where: { $0.name == plan.primaryKey.name })
            else { return }
            let keys = try codec.keys(in: column).enumerated()
                .filter { !misfits.contains($0.offset) }.map(\.element)
            let batch =
                try mints?.added(
                    to: output.batch, of: place.chunk.id, from: sent.sourceKeys.count)
                ?? output.batch
            guard batch.rowCount > 0 else { return }
            sent.digests.append(try digester.rows(of: batch))
            sent.batches.append(batch)
            sent.sourceKeys += keys
        }
        sent.keys =
            switch plan.keys {
            case .source: sent.sourceKeys
            case .minted:
                sent.sourceKeys.indices.map { MintedKeys.key(of: $0, in: place.chunk.id) }
            case .target: made ?? []
            }
        return sent
    }
}
