/// migration.yaml, parsed and valid: what the user asks for, before any cluster was asked anything.
/// A ``Planner`` makes a plan of it. Holds no secret, only references.
public struct Migration: Hashable, Sendable, Codable {
    /// How thoroughly a finished job is checked.
    public enum Verification: String, Hashable, Sendable, Codable, CaseIterable {
        case counts
        case sample
        case digest
        case full
    }

    /// The path of the file, as it was given; its stem is in the job's name.
    public var file: String
    public var source: Endpoint
    public var target: Endpoint
    /// In the file's order: the first that matches a collection decides.
    public var rules: [CollectionRule]
    /// Patterns of entries that begin with `!`. They hold wherever in the list they are written.
    public var excluded: [CollectionPattern]
    public var limits: MigrationLimits
    public var verification: Verification

    public init(
        file: String, source: Endpoint, target: Endpoint,
        rules: [CollectionRule] = [CollectionRule(source: .everything)],
        excluded: [CollectionPattern] = [], limits: MigrationLimits = MigrationLimits(),
        verification: Verification = .digest
    ) {
        self.file = file
        self.source = source
        self.target = target
        self.rules = rules
        self.excluded = excluded
        self.limits = limits
        self.verification = verification
    }
}

/// Bounds that the user sets. They may change from run to run.
public struct MigrationLimits: Hashable, Sendable, Codable {
    public static let defaultMemory = ByteCount.gibibytes(1)
    public static let leastMemory = ByteCount.mebibytes(64)
    public static let defaultSpool = ByteCount.gibibytes(20)
    /// Several chunks of the largest size, so that the stages on both sides of the spool can move.
    public static let leastSpool = ByteCount.mebibytes(64)
    public static let mostWorkers = 64
    public static let leastPage = ByteCount.kibibytes(64)
    public static let defaultWriteTimeout = Duration.seconds(60)
    public static let mostWriteTimeoutSeconds = 3600
    public static let leastReadRowsPerSecond = 1
    /// A chunk of the default size takes eight seconds at this rate; slower, a job would look hung.
    public static let leastWriteBytesPerSecond = ByteCount.mebibytes(1)

    public var memory = MigrationLimits.defaultMemory
    public var spool = MigrationLimits.defaultSpool
    /// nil is in the job directory. Absolute, or relative to the current directory.
    public var spoolDirectory: String?
    public var spoolPacking = Packing.auto
    /// Splits that are read at once; nil leaves it to the engine.
    public var cursors: Int?
    /// Requests to the target at once; nil leaves it to the engine.
    public var workers: Int?
    /// Bytes that a page, and so a chunk, is meant to have; nil leaves it to the engine.
    public var page: ByteCount?
    /// The deadline of one write to the target.
    public var writeTimeout = MigrationLimits.defaultWriteTimeout
    /// Rows that the whole job reads in a second; nil is no bound.
    public var readRowsPerSecond: Int?
    /// Bytes of rows that the whole job sends in a second; nil is no bound.
    public var writeBytesPerSecond: ByteCount?

    public init() {}
}
