/// What becomes of a collection on its way: everything that an entry of `collections:` in
/// migration.yaml says, but the names.
public struct Mapping: Hashable, Sendable, Codable {
    public enum AutoID: String, Sendable, Codable, CaseIterable {
        /// The target keeps the source's keys.
        case keep
        /// The target makes new ones; the source's are not sent as keys.
        case regenerate
    }

    public enum Indexes: String, Sendable, Codable, CaseIterable {
        /// AUTOINDEX on every vector field, with the source's metric.
        case auto
        /// The source's indexes with all their parameters, those of scalar fields too.
        case copy
        case none
    }

    public enum OnExisting: String, Sendable, Codable, CaseIterable {
        /// The plan is refused when the target has a collection of the name.
        case refuse
        /// The rows are added to it.
        case append
        /// It is dropped when its replacement is complete.
        case replace
    }

    public enum OnBadRow: String, Sendable, Codable, CaseIterable {
        case stop
        /// The row is kept in the job's quarantine, with the field and the reason.
        case quarantine
    }

    /// What is asked of one field of the source.
    public struct FieldChange: Hashable, Sendable, Codable {
        public var isDropped = false
        /// Its name on the target.
        public var name: String?
        public var isNullable: Bool?
        /// As written in migration.yaml: text, a number, true or false. The planner makes it a
        /// value of the field's type, or refuses it.
        public var defaultValue: String?
        /// Bytes of the longest VARCHAR.
        public var maxLength: Int?

        public init() {}
    }

    /// A dynamic key that becomes a field of its own.
    public struct Promotion: Hashable, Sendable, Codable {
        public var type: DataType
        /// Bytes of the longest VARCHAR.
        public var maxLength: Int?
        /// Whether rows may lack the key.
        public var isNullable = true

        public init(type: DataType) { self.type = type }
    }

    /// A Milvus expression: only the rows that it matches.
    public var filter: String?
    public var autoID = AutoID.keep
    /// With ``AutoID/regenerate``: the field of the target that keeps the source's key.
    public var keepKeyAs: String?
    public var keepsDynamicFields = true
    public var promotions: [String: Promotion] = [:]
    /// The field to partition by; nil is as the source has it.
    public var partitionKey: String?
    /// nil is by the rule: one per 100 million rows.
    public var shards: Int32?
    public var fields: [String: FieldChange] = [:]
    /// nil keeps all.
    public var partitions: [String]?
    public var indexes = Indexes.auto
    /// Load the collection when it is complete.
    public var loads = false
    public var onExisting = OnExisting.refuse
    public var onBadRow = OnBadRow.stop
    /// `defaults: service`: where nothing is said, as the Zilliz Cloud console proposes (scalar
    /// fields nullable, but the key and the partition key; dynamic field on; 1 shard).
    public var usesServiceDefaults = false

    public init() {}

    /// Takes over what may change while a job lives: what is done with rows that do not fit, and
    /// whether the collection is loaded at the end.
    public mutating func update(from newer: Mapping) {
        onBadRow = newer.onBadRow
        loads = newer.loads
    }

    /// What a field of the source is called on the target.
    public func targetName(_ field: String) -> String { fields[field]?.name ?? field }

    public func isDropped(_ field: String) -> Bool { fields[field]?.isDropped ?? false }
}
