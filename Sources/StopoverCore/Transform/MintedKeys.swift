/// Keys of our making for rows whose own keys are not kept: rung B1 of exactly-once.md, 2.3. They
/// follow from the number of the chunk and the row in it, so that a row that is written again has its
/// key again, and a request in doubt is settled by keys alone, with nothing loaded and nothing swept.
struct MintedKeys: Sendable {
    /// Far below the numbers that a server's Auto ID makes of its clock (4.7e17 in 2026), above those
    /// that people count with.
    static let first: Int64 = 1 << 40
    /// More rows than a page can have.
    static let rowsPerChunk = 1 << 20

    let field: String
    let codec: any ColumnCodec

    /// The keys of a chunk, whatever of them it uses.
    static func range(of id: ChunkID) -> KeyRange {
        let start = first + id.number * Int64(rowsPerChunk)
        return KeyRange(after: .int64(start - 1), through: .int64(start + Int64(rowsPerChunk) - 1))
    }

    static func key(of row: Int, in id: ChunkID) -> PrimaryKey {
        .int64(first + id.number * Int64(rowsPerChunk) + Int64(row))
    }

    /// The batch with the keys of rows of chunk `id`, the first of which is its row `row`.
    func added(
        to batch: Batch, of id: ChunkID, from row: Int = 0
    ) throws(StopoverError) -> Batch {
        let (start, isBeyond) = id.number.multipliedReportingOverflow(
            by: Int64(MintedKeys.rowsPerChunk))
        guard row + batch.rowCount <= MintedKeys.rowsPerChunk, !isBeyond,
            start < Int64.max - MintedKeys.first - Int64(MintedKeys.rowsPerChunk)
        else {
            throw StopoverError(
                .mintedKeys, "chunk \(id.number) with \(batch.rowCount) rows has no keys left",
                remedy: "Ask for smaller pages with `limits: {page: …}`, under another `--job`.")
        }
        let numbers = (0..<batch.rowCount).map { MintedKeys.first + start + Int64(row + $0) }
        var batch = batch
        batch.columns.append(codec.int64s(numbers, named: field))
        return batch
    }
}

extension TransferPlan {
    /// nil where keys are the source's or the target's.
    func mintedKeys(_ codec: any ColumnCodec) -> MintedKeys? {
        guard keys == .minted, let key = target.schema.primaryKey else { return nil }
        return MintedKeys(field: key.name, codec: codec)
    }
}

extension StopoverError.Code {
    public static let mintedKeys = Self("STO-KEYS-USED-UP", exit: .failed)
}
