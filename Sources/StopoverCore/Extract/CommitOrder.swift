/// Puts sealed chunks back into the order in which their split was read.
///
/// Several workers seal at once and end in any order, but a split's position may only move over
/// rows that rest on disk: committing chunk 5 before chunk 4 and dying between would lose chunk 4.
/// A pure value; what it holds back are records: the rows rest on disk.
public struct CommitOrder<Item: Sendable>: Sendable {
    private var nextOrdinal: [SplitID: Int] = [:]
    private var held: [SplitID: [Int: Item]] = [:]

    public init() {}

    /// Takes item `ordinal` (0, 1, 2 … within this run) of a split and returns what may now be
    /// committed, in order.
    public mutating func sealed(_ item: Item, split: SplitID, ordinal: Int) -> [Item] {
        held[split, default: [:]][ordinal] = item
        var next = nextOrdinal[split, default: 0]
        var ready: [Item] = []
        while let item = held[split]?.removeValue(forKey: next) {
            ready.append(item)
            next += 1
        }
        nextOrdinal[split] = next
        return ready
    }
}
