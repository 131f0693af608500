import Synchronization

/// Gives rows that are inserted again and again other keys each time, where keys are numbers: a server
/// that meets a key again does other work. Texts stay as they are.
final class BenchKeys: Sendable {
    private let field: String?
    private let codec: any ColumnCodec
    private let next = Atomic<Int64>(MintedKeys.first)

    init(_ plan: TransferPlan, _ codec: any ColumnCodec) {
        let key = plan.target.schema.primaryKey
        let isOurs = key?.type == .int64 && plan.keys != .target
        field = isOurs ? key?.name : nil
        self.codec = codec
    }

    func renewed(_ batch: Batch) -> Batch {
        guard let field else { return batch }
        let rows = Int64(batch.rowCount)
        let end = next.add(rows, ordering: .relaxed).newValue
        let keys = codec.int64s(Array((end - rows)..<end), named: field)
        var batch = batch
        batch.columns.removeAll { $0.name == field }
        batch.columns.append(keys)
        return batch
    }
}
