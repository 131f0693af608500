import StopoverCore

/// A Milvus server as the load protocol sees it: copies of rows, some durable and some not, under
/// one name that a fence changes. It forgets what was not flushed when it crashes.
struct SimulatedServer {
    /// The epoch in the collection's name: a request that names another finds no collection.
    var epoch = 1
    private(set) var isUp = true
    /// Raised by every crash: what was under way in an earlier life is gone.
    private(set) var life = 0
    /// What a reader sees, by row of the source: the keys of its copies.
    private var live: [Int: Set<Int64>] = [:]
    /// What survives a crash.
    private var durable: [Int: Set<Int64>] = [:]
    /// Rows that were upserted since the last flush: their deletes may survive a crash without
    /// their inserts.
    private var unflushedUpserts: Set<Int> = []
    /// Not at 1, so that a key is never taken for a row.
    private var nextKey: Int64 = 1_000_000

    /// - Returns: the keys that it made, a run.
    @discardableResult
    mutating func apply(_ rows: Range<Int>, _ mode: WriteMode) -> WrittenIDs {
        var made: [Int64] = []
        for row in rows {
            switch mode {
            case .insert: live[row, default: []].insert(nextKey)
            case .upsert:
                live[row] = [nextKey]
                unflushedUpserts.insert(row)
            }
            made.append(nextKey)
            nextKey += 1
        }
        // Two requests are seldom neighbours.
        nextKey += 1
        return .int64(made)
    }

    /// Deletes rows by their keys. As of an upsert, the delete may survive a crash that the insert behind
    /// it does not.
    mutating func delete(_ rows: Range<Int>) {
        for row in rows {
            live[row] = []
            unflushedUpserts.insert(row)
        }
    }

    /// Deletes what `isOurs` does not know, as a sweep does.
    mutating func sweep(isOurs: (Int64) -> Bool) -> Int {
        var removed = 0
        for (row, keys) in live {
            let kept = keys.filter(isOurs)
            removed += keys.count - kept.count
            live[row] = kept
        }
        return removed
    }

    var rowCount: Int { live.values.reduce(0) { $0 + $1.count } }

    mutating func flush() {
        durable = live
        unflushedUpserts = []
    }

    /// - Parameter keepsDelete: asked for each row that was upserted and not flushed.
    mutating func crash(keepsDelete: (Int) -> Bool) {
        for row in unflushedUpserts.sorted() where keepsDelete(row) { durable[row] = nil }
        live = durable
        unflushedUpserts = []
        isUp = false
        life += 1
    }

    mutating func start() { isUp = true }

    /// Rows of `0..<count` without a durable copy, and those with more than one.
    func verdict(_ count: Int) -> (lost: Int, doubled: Int) {
        var (lost, doubled) = (0, 0)
        for row in 0..<count {
            switch durable[row]?.count ?? 0 {
            case 0: lost += 1
            case 1: break
            default: doubled += 1
            }
        }
        return (lost, doubled)
    }
}
