import StopoverCore

/// A Milvus server as the load protocol sees it: copies of keys, some durable and some not, under
/// one name that a fence changes. It forgets what was not flushed when it crashes.
struct SimulatedServer {
    /// The epoch in the collection's name: a request that names another finds no collection.
    var epoch = 1
    private(set) var isUp = true
    /// Raised by every crash: what was under way in an earlier life is gone.
    private(set) var life = 0
    /// Copies of each key that a reader sees.
    private var live: [Int: Int] = [:]
    /// Copies of each key that survive a crash.
    private var durable: [Int: Int] = [:]
    /// Keys that were upserted since the last flush: their deletes may survive a crash without
    /// their inserts.
    private var unflushedUpserts: Set<Int> = []

    mutating func apply(_ keys: Range<Int>, _ mode: WriteMode) {
        for key in keys {
            switch mode {
            case .insert: live[key, default: 0] += 1
            case .upsert:
                live[key] = 1
                unflushedUpserts.insert(key)
            }
        }
    }

    mutating func flush() {
        durable = live
        unflushedUpserts = []
    }

    /// - Parameter keepsDelete: asked for each key that was upserted and not flushed.
    mutating func crash(keepsDelete: (Int) -> Bool) {
        for key in unflushedUpserts.sorted() where keepsDelete(key) { durable[key] = nil }
        live = durable
        unflushedUpserts = []
        isUp = false
        life += 1
    }

    mutating func start() { isUp = true }

    /// Keys of `0..<count` without a durable copy, and those with more than one.
    func verdict(_ count: Int) -> (lost: Int, doubled: Int) {
        var (lost, doubled) = (0, 0)
        for key in 0..<count {
            switch durable[key] ?? 0 {
            case 0: lost += 1
            case 1: break
            default: doubled += 1
            }
        }
        return (lost, doubled)
    }
}
