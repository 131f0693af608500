/// One measurement: a side, how many requests it had at once, and what came of it.
public struct BenchSample: Hashable, Sendable, Codable {
    public enum Side: String, Sendable, Codable, CaseIterable {
        /// Pages are read and forgotten.
        case source
        /// Rows are inserted into a collection that is dropped after.
        case target
        /// Rows are migrated into such a collection, by the whole pipeline.
        case both
    }

    public var side: Side
    public var requestsAtOnce: Int
    public var seconds: Double
    /// Of this process, all threads; what the clusters use is not in it.
    public var cpuSeconds: Double
    public var rows: Int64
    /// Of rows as they are on the wire.
    public var bytes: Int64
    public var requests: Int64
    /// nil where requests are not measured one by one.
    public var p50Milliseconds: Double?
    public var p99Milliseconds: Double?
    public var slowestMilliseconds: Double?

    public var rowsPerSecond: Double { seconds > 0 ? Double(rows) / seconds : 0 }
    public var bytesPerSecond: Double { seconds > 0 ? Double(bytes) / seconds : 0 }
    /// nil when too few bytes passed to tell.
    public var cpuSecondsPerGigabyte: Double? {
        bytes > 1_000_000 ? cpuSeconds / (Double(bytes) / 1e9) : nil
    }
    /// Cores that this process kept busy.
    public var cores: Double { seconds > 0 ? cpuSeconds / seconds : 0 }
}
