import StopoverCore

/// Stands in for what others of this branch's siblings write; removed at the merge.
extension FieldDataCodec {
    public func promoted(
        _ dynamic: Column, to fields: [FieldSchema], rowCount: Int
    ) throws(StopoverError) -> PromotedColumns { throw FieldDataCodec.refuse("not yet") }

    public func keyCounts(
        of dynamic: Column, rowCount: Int
    ) throws(StopoverError) -> [String: Int] { throw FieldDataCodec.refuse("not yet") }

    public func json(
        _ rows: [Int], of batch: Batch
    ) throws(StopoverError) -> [[UInt8]] { throw FieldDataCodec.refuse("not yet") }
}
