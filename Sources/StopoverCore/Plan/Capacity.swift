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

    public var rows: Int64
    public var bytes: Int64
    /// nil when nothing that bounds it is known.
    public var seconds: Double?
    public var limit: Limit?
    /// Bytes a second that the limit lets through.
    public var bytesPerSecond: Double?
    /// Bytes of disk that the spool may come to need.
    public var spoolBytes: Int64
    /// Rows that the free plan's storage is said to hold are fewer than these.
    public var exceedsFreePlan: Bool

    /// What is known of a migration's sides.
    public struct Facts: Sendable {
        public var target = ClusterPlan.selfHosted
        /// Compute units of a Dedicated target; nil takes the smallest.
        public var computeUnits: Int?
        public var readRowsPerSecond: Int?
        public var writeBytesPerSecond: Int64?
        public var spoolLimitBytes: Int64 = MigrationLimits.defaultSpool.bytes
        /// Rows a second that a short probe of the source read; nil without one.
        public var probedRowsPerSecond: Double?
        /// Bytes of a row in the probe; nil goes by the schema.
        public var probedRowBytes: Double?

        public init() {}
    }

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

    /// About what a Free cluster stores (docs.zilliz.com, "FAQ: Cluster": a million vectors of 768
    /// dimensions).
    static let freePlanBytes: Int64 = 1_000_000 * 768 * 4

    public init(rows: Int64, schema: CollectionSchema, _ facts: Facts = Facts()) {
        let rowBytes = facts.probedRowBytes ?? Double(schema.estimatedRowBytes)
        self.init(rows: rows, rowBytes: rowBytes, facts)
    }

    public init(rows: Int64, rowBytes: Double, _ facts: Facts) {
        self.rows = rows
        bytes = Int64(Double(rows) * rowBytes)
        spoolBytes = min(facts.spoolLimitBytes, bytes)
        exceedsFreePlan = facts.target == .free && bytes > Capacity.freePlanBytes
        var rates: [(Limit, Double)] = []
        if let cap = Capacity.insertCap(facts.target, computeUnits: facts.computeUnits) {
            rates.append((.insertCap, cap))
        }
        if let rate = facts.readRowsPerSecond {
            rates.append((.readLimit, Double(rate) * rowBytes))
        }
        if let rate = facts.writeBytesPerSecond { rates.append((.writeLimit, Double(rate))) }
        if let rate = facts.probedRowsPerSecond { rates.append((.source, rate * rowBytes)) }
        if let (slowest, rate) = rates.min(by: { $0.1 < $1.1 }), rate > 0 {
            limit = slowest
            bytesPerSecond = rate
            seconds = Double(bytes) / rate
        }
    }

    /// All transfers of a plan, one after the other.
    public static func sum(_ parts: [Capacity], _ facts: Facts) -> Capacity {
        let rows = parts.reduce(0) { $0 + $1.rows }
        let bytes = parts.reduce(0) { $0 + $1.bytes }
        return Capacity(
            rows: rows, rowBytes: rows == 0 ? 0 : Double(bytes) / Double(rows), facts)
    }

    /// One line for people.
    public var line: String {
        var text =
            "\(Figures.grouped(rows)) rows, about \(ByteCount(bytes)); spool up to "
            + "\(ByteCount(spoolBytes))"
        if let seconds, let limit, let bytesPerSecond {
            text +=
                "; at least \(Capacity.duration(seconds)) at "
                + "\(ByteCount.decimal(bytesPerSecond))/s (\(limit.rawValue))"
        } else {
            text += "; duration not known: nothing bounds it but the two clusters and the wire"
        }
        return text
    }

    static func duration(_ seconds: Double) -> String {
        let minutes = Int((seconds / 60).rounded(.up))
        if minutes < 120 { return "\(minutes) min" }
        let hours = minutes / 60
        return hours < 72 ? "\(hours) h \(minutes % 60) min" : "\(hours / 24) d \(hours % 24) h"
    }
}
