/// What a migration asks of one collection: the part of migration.yaml that concerns it, with
/// patterns resolved to names.
public struct TransferRequest: Hashable, Sendable, Codable {
    public var source: CollectionName
    public var target: CollectionName
    public var mapping: Mapping

    public init(source: CollectionName, target: CollectionName, mapping: Mapping = Mapping()) {
        self.source = source
        self.target = target
        self.mapping = mapping
    }
}

/// One transfer, decided: what is read, what is sent, what is made on the target.
public struct TransferPlan: Hashable, Sendable, Codable {
    public var request: TransferRequest
    public var source: CollectionDescription
    /// The collection to make, under its final name, with its partitions and indexes.
    public var target: CollectionDescription
    /// Fields to ask the source for, the primary key and `$meta` among them.
    public var readFields: [FieldSchema]
    /// What is sent of them, and as which fields of the target.
    public var columns: [ColumnMapping]
    /// Dynamic keys that become fields of the target, by their names.
    public var promoted: [FieldSchema] = []
    /// Partitions that are read one by one and kept; nil reads the collection whole.
    public var partitions: [String]?
    /// `count(*)` of what will be read, at planning time.
    public var sourceRows: Int64
    public var findings: [Finding]
    /// The rows go into a collection that was there: `target` is that one as it was planned with.
    public var appends = false
    /// The target cannot rename a collection: there is no staging name, and no fence but time.
    public var lacksRename = false

    public var regeneratesKeys: Bool { request.mapping.autoID == .regenerate }
    public var keys: KeyOrigin {
        guard regeneratesKeys else { return .source }
        return !appends && targetTakesKeys ? .minted : .target
    }
    public var primaryKey: FieldSchema { readFields.first { $0.isPrimaryKey } ?? readFields[0] }
    public var refusals: [Finding] { findings.filter { $0.severity == .refusal } }

    /// A sweep asks the collection what it holds, so it has to be one that can be loaded.
    var doubts: LoadCoordinator.Doubts {
        guard keys == .target else { return .upsert }
        if appends { return .again }
        return target.canBeLoaded ? .sweep : .stop
    }

    /// Of rows with keys of ours among others of those keys, the last one is to stand.
    var writeMode: WriteMode { appends && keys == .source ? .upsert : .insert }

    var settlingWrite: SettlingWrite {
        guard targetTakesKeys, let key = target.schema.primaryKey else { return .upsert }
        return .deleteAndInsert(key: key)
    }

    /// It has Auto ID, and takes keys all the same.
    private var targetTakesKeys: Bool {
        target.schema.primaryKey?.isAutoID == true
            && target.properties[TargetCollection.takesKeys] == "true"
    }

    /// What is promised of every row, and by what, in a sentence.
    public var promise: String {
        switch doubts {
        case .upsert where appends:
            "exactly once: keys are kept, and every row is upserted beside the rows that are there"
        case .upsert where keys == .minted:
            "exactly once: keys are numbers of our own, what is in doubt is written again by its "
                + "keys \(behindWhat)"
        case .upsert:
            "exactly once: keys are kept, what is in doubt is written again by its keys "
                + behindWhat
        case .sweep:
            "exactly once: what is in doubt is inserted again, and rows that no acknowledgement "
                + "names are deleted \(behindWhat)"
        case .again:
            "at least once: the target makes the keys, beside rows that are not ours; what is in "
                + "doubt is inserted again and may be doubled, which the counts at the end show"
        case .stop:
            "exactly once, or it stops: the target makes the keys and cannot be loaded, so that a "
                + "request in doubt cannot be settled (`indexes: auto` can)"
        }
    }

    private var behindWhat: String {
        lacksRename
            ? "after \(EngineLimits.quietDrains) times the longest that a write may take, unless the "
                + "network holds one back longer: this target cannot rename, which would be a fence"
            : "behind a fence"
    }

    /// The rows to migrate: of one partition (nil is all), in a range of keys.
    public func rows(of partition: String?, in range: KeyRange = .all) -> RowSelection {
        RowSelection(
            collection: source.name, primaryKey: primaryKey, partition: partition, range: range,
            filter: request.mapping.filter)
    }

    /// Partitions that are read one by one; one nil reads the collection whole.
    public var readPartitions: [String?] { partitions.map { $0.map(Optional.some) } ?? [nil] }

    /// Bytes of a row as it is sent, guessed from the schema: for humans, not for decisions.
    public var estimatedRowBytes: Int {
        CollectionSchema(fields: columns.map(\.sent) + promoted).estimatedRowBytes
    }

    /// Bytes on the wire to the target, guessed alike.
    public var estimatedBytes: Int64 {
        let (bytes, overflow) = sourceRows.multipliedReportingOverflow(
            by: Int64(estimatedRowBytes))
        return overflow ? .max : bytes
    }
}

/// Who makes the primary keys of the target.
public enum KeyOrigin: Hashable, Sendable {
    /// They are the source's.
    case source
    /// ``MintedKeys``: numbers of ours, in a collection with Auto ID that takes keys.
    case minted
    /// The target, by Auto ID: an acknowledgement names them.
    case target
}

/// A column on its way: which field of the source it is, and which of the target.
public struct ColumnMapping: Hashable, Sendable, Codable {
    public var read: FieldSchema
    public var sent: FieldSchema

    public init(read: FieldSchema, sent: FieldSchema) {
        self.read = read
        self.sent = sent
    }
}

/// One side of a migration, as it was when the plan was made. Carries no secret.
public struct ClusterSummary: Hashable, Sendable, Codable {
    public var address: String
    public var identity: ServerIdentity

    public init(address: String, identity: ServerIdentity) {
        self.address = address
        self.identity = identity
    }
}

/// A validated, immutable description of a migration. Written to `plan.json` in the job directory.
public struct MigrationPlan: Hashable, Sendable, Codable {
    /// Raised when the meaning of a stored plan changes.
    /// 2: a transfer has a mapping, and columns of the source that become others of the target.
    /// 3: a transfer may append.
    /// 4: a target may be one that cannot rename; keys may be minted.
    public static let currentFormat = 4

    public var format = MigrationPlan.currentFormat
    /// SHA-256 of everything in migration.yaml that may not change while the job lives.
    public var fingerprint: String
    public var source: ClusterSummary
    public var target: ClusterSummary
    public var transfers: [TransferPlan]
    /// On the rules of migration.yaml themselves.
    public var notes: [Finding] = []
    /// On the two clusters and on the size of the whole.
    public var clusterFindings: [Finding] = []
    /// nil when the plan was made of requests alone.
    public var capacity: Capacity?

    public init(
        fingerprint: String, source: ClusterSummary, target: ClusterSummary,
        transfers: [TransferPlan]
    ) {
        self.fingerprint = fingerprint
        self.source = source
        self.target = target
        self.transfers = transfers
    }

    /// Transfers are numbered from 1, in the plan's order.
    public subscript(id: TransferID) -> TransferPlan { transfers[Int(id.number) - 1] }

    public var refusals: [Finding] { allFindings.filter { $0.severity == .refusal } }
    public var allFindings: [Finding] {
        notes + clusterFindings + transfers.flatMap(\.findings)
    }

    /// The plan of a job that is taken up again, with what its file may have changed since.
    public func updated(by migration: Migration) -> MigrationPlan {
        var plan = self
        for index in plan.transfers.indices {
            let name = plan.transfers[index].source.name
            if let rule = migration.rule(for: name) {
                plan.transfers[index].request.mapping.update(from: rule.mapping)
            }
        }
        return plan
    }
}
