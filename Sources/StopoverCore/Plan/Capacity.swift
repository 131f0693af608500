/// How large a migration is and how long it takes, as far as that can be told before it runs: from
/// the schema's guess or a probe, and from caps that are known. Pure: no cluster is asked.
public struct Capacity: Hashable, Sendable, Codable {
    /// What bounds the duration.
    public enum Limit: String, Hashable, Sendable, Codable {
        /// What the target's plan lets in.
        case insertCap = "insert cap of the target's plan"
        case readLimit = "limits.read_rows_per_second"
        case writeLimit = "limits.write_bytes_per_second"
        /// The rate of the probe of the source.
        case source = "the source's rate in a short probe"
    }

    /// What a short probe of a source measured.
    public struct Probe: Hashable, Sendable, Codable {
        public var rowsPerSecond: Double
        /// Bytes of a row as it is sent.
        public var rowBytes: Double

        public init(rowsPerSecond: Double, rowBytes: Double) {
            self.rowsPerSecond = rowsPerSecond
            self.rowBytes = rowBytes
        }
    }

    /// What is known of a migration's sides.
    public struct Facts: Sendable {
        public var target = ClusterPlan.selfHosted
        /// Compute units of a Dedicated target; nil takes the smallest.
        public var computeUnits: Int?
        public var readRowsPerSecond: Int?
        public var writeBytesPerSecond: Int64?
        public var spoolLimitBytes: Int64 = MigrationLimits.defaultSpool.bytes
        /// Of the file system that the spool is on; nil where it was not asked.
        public var freeDiskBytes: Int64?
        public var probe: Probe?

        public init() {}
    }

    public var rows: Int64
    public var bytes: Int64
    /// nil when nothing that bounds it is known.
    public var seconds: Double?
    public var limit: Limit?
    /// Bytes a second that the limit lets through.
    public var bytesPerSecond: Double?
    /// Replies and requests, were each as large as a server allows: there will be more.
    public var fewestPages: Int64
    public var fewestInserts: Int64
    /// Bytes of disk that the spool may come to need.
    public var spoolBytes: Int64
    public var freeDiskBytes: Int64?
    /// It is more than a Free target is said to store.
    public var exceedsFreePlan: Bool

    /// Bytes of one insert (docs.zilliz.com, "Limits"; 2.3.5 the same [measured]).
    public static let insertLimitBytes: Int64 = 64 << 20

    /// About what a Free cluster stores (docs.zilliz.com, "FAQ: Cluster": a million vectors of 768
    /// dimensions).
    static let freePlanBytes: Int64 = 1_000_000 * 768 * 4

    /// Bytes a second that a plan of Zilliz Cloud lets in (docs.zilliz.com, "Limits", Insert); nil
    /// is without a known cap.
    public static func insertCap(_ plan: ClusterPlan, computeUnits: Int? = nil) -> Double? {
        switch plan {
        case .selfHosted: return nil
        case .free: return 2e6
        case .serverless: return 10e6
        case .dedicated:
            let steps: [(units: Int, megabytes: Double)] = [
                (256, 64), (128, 48), (64, 36), (24, 24), (12, 16), (4, 12), (0, 8),
            ]
            return steps.first { (computeUnits ?? 1) >= $0.units }.map { $0.megabytes * 1e6 }
        }
    }

    // MARK: Estimating

    /// A collection that may not exist.
    public init(rows: Int64, schema: CollectionSchema, _ facts: Facts = Facts()) {
        self.init(rows: rows, rowBytes: Double(schema.estimatedRowBytes), facts)
    }

    /// All transfers of a plan, one after the other.
    public init(of transfers: [TransferPlan], _ facts: Facts = Facts()) {
        let rows = transfers.reduce(0.0) { $0 + Double($1.sourceRows) }
        let bytes = transfers.reduce(0.0) { $0 + Double($1.estimatedBytes) }
        self.init(
            rows: Int64(clamped: rows), rowBytes: rows == 0 ? 0 : bytes / rows, facts)
    }

    /// - Parameter rowBytes: as it is sent; a probe's figure goes before it.
    public init(rows: Int64, rowBytes: Double, _ facts: Facts) {
        let rowBytes = facts.probe?.rowBytes ?? rowBytes
        self.rows = rows
        bytes = Int64(clamped: Double(rows) * rowBytes)
        fewestPages = rows.parts(of: Int64(PageSizer.serverRowLimit))
        fewestInserts = bytes.parts(of: Capacity.insertLimitBytes)
        spoolBytes = min(facts.spoolLimitBytes, bytes)
        freeDiskBytes = facts.freeDiskBytes
        exceedsFreePlan = facts.target == .free && bytes > Capacity.freePlanBytes
        var rates: [(Limit, Double)] = []
        if let cap = Capacity.insertCap(facts.target, computeUnits: facts.computeUnits) {
            rates.append((.insertCap, cap))
        }
        if let rate = facts.readRowsPerSecond {
            rates.append((.readLimit, Double(rate) * rowBytes))
        }
        if let rate = facts.writeBytesPerSecond { rates.append((.writeLimit, Double(rate))) }
        if let probe = facts.probe { rates.append((.source, probe.rowsPerSecond * rowBytes)) }
        if let (slowest, rate) = rates.min(by: { $0.1 < $1.1 }), rate > 0 {
            limit = slowest
            bytesPerSecond = rate
            seconds = Double(bytes) / rate
        }
    }
}

extension Int64 {
    /// The nearest number that there is.
    fileprivate init(clamped number: Double) {
        self = Int64(exactly: number.rounded()) ?? (number < 0 ? .min : .max)
    }
}
