/// The collection that a transfer makes, from the source's, the mapping and what the target can
/// hold. Pure: rows are not counted yet, so shards come later (``ShardRule``).
struct TargetCollection {
    private(set) var description: CollectionDescription
    /// Partitions that are read one by one; nil reads the collection whole.
    private(set) var readPartitions: [String]?
    private(set) var findings: [Finding] = []

    /// How many partitions Milvus gives a partition key when it is not told (milvus.io, "Use
    /// Partition Key").
    static let partitionKeyPartitions: Int64 = 16

    init(
        _ request: TransferRequest, _ source: CollectionDescription, _ fields: FieldMapping,
        _ rules: TargetRules
    ) {
        description = source
        description.name = request.target
        description.loadState = .notLoaded
        description.schema.fields = fields.fields
        description.schema.functions = fields.functions
        description.schema.isDynamicFieldEnabled = fields.keepsDynamic
        takePartitions(of: source, request.mapping)
        keepAutoID(source, request.mapping, rules)
        let indexes = IndexPlan(source, request.mapping, target: description, rules)
        description.indexes = indexes.indexes
        findings += indexes.findings
    }

    // MARK: Partitions

    private mutating func takePartitions(of source: CollectionDescription, _ mapping: Mapping) {
        let names = source.partitions.map(\.name)
        if let asked = mapping.partitions { check(asked, source, names) }
        if description.schema.partitionKey != nil {
            description.partitions = []
            description.partitionKeyPartitions =
                source.partitionKeyPartitions ?? TargetCollection.partitionKeyPartitions
        } else if let asked = mapping.partitions {
            description.partitions = source.partitions.filter {
                asked.contains($0.name) || $0.name == PartitionDescription.defaultName
            }
        }
        guard source.schema.partitionKey == nil else { return }
        if let asked = mapping.partitions {
            readPartitions = names.filter(asked.contains)
        } else if names.contains(where: { $0 != PartitionDescription.defaultName }) {
            guard let key = description.schema.partitionKey else {
                readPartitions = names
                return
            }
            note(
                "STO-PLAN-PARTITIONS-LOST", "\(source.name)",
                "the partition key \(key.name) spreads the rows over "
                    + "\(TargetCollection.partitionKeyPartitions) partitions: the source's "
                    + "\(names.count) named ones are not kept")
        }
    }

    private mutating func check(
        _ asked: [String], _ source: CollectionDescription, _ known: [String]
    ) {
        func refuse(_ message: String, _ remedy: String) {
            findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-MAPPING", subject: "\(source.name)",
                    message: message, remedy: remedy))
        }
        guard source.schema.partitionKey == nil else {
            refuse(
                "partitions of a partition key cannot be chosen",
                "Remove `partitions:`; a `filter` chooses rows.")
            return
        }
        for name in asked where !known.contains(name) {
            let near = NearestName.of(name, among: known).map { " Did you mean `\($0)`?" } ?? ""
            refuse(
                "the source has no partition \(name)",
                "Correct the name under `partitions:`.\(near)")
        }
    }

    // MARK: Auto ID

    /// Keys that the target is made to take although it has Auto ID: those that the source's Auto ID
    /// made, and those that are minted here.
    private mutating func keepAutoID(
        _ source: CollectionDescription, _ mapping: Mapping, _ rules: TargetRules
    ) {
        guard let key = source.schema.primaryKey,
            let index = description.schema.fields.firstIndex(where: \.isPrimaryKey)
        else { return }
        if mapping.autoID == .regenerate {
            let made = description.schema.fields[index]
            guard rules.identity.kind == .milvus, rules.has(.keysOfAutoID), made.isAutoID,
                made.type == .int64
            else { return }
            description.properties[TargetCollection.takesKeys] = "true"
            return
        }
        guard key.isAutoID else { return }
        let subject = "\(source.name).\(key.name)"
        // A server of an unknown kind may know nothing of the property, and then refuses the keys.
        guard rules.identity.kind == .milvus, rules.has(.keysOfAutoID) else {
            note(
                "STO-PLAN-AUTO-ID-OFF", subject,
                "the keys are kept, so the target is made without Auto ID "
                    + "(`auto_id: regenerate` makes new ones)")
            return
        }
        description.schema.fields[index].isAutoID = true
        description.properties[TargetCollection.takesKeys] = "true"
        note(
            "STO-PLAN-AUTO-ID-KEPT", subject,
            "the keys are kept and the target goes on with Auto ID (property "
                + "\(TargetCollection.takesKeys))")
    }

    /// The property by which Milvus 2.6.3 and later take keys of a collection that makes its own.
    static let takesKeys = "allow_insert_auto_id"

    private mutating func note(_ code: String, _ subject: String, _ message: String) {
        findings.append(Finding(.note, code: code, subject: subject, message: message))
    }
}

/// How many shards a target has: they cannot be changed later.
enum ShardRule {
    /// One per this many rows, unless the mapping says otherwise (product.md, migration.yaml).
    static let rowsPerShard: Int64 = 100_000_000
    /// Above this, a rule of thumb is no longer enough.
    static let mostRows: Int64 = 1_000_000_000

    /// - Returns: never fewer than the source has, except by the mapping: its owner may have chosen
    ///   them for the rate of writing.
    static func shards(
        _ mapping: Mapping, source: CollectionDescription, rows: Int64, _ rules: TargetRules
    ) -> (shards: Int32, findings: [Finding]) {
        if let asked = mapping.shards { return (asked, []) }
        let most = Int64(CollectionRule.mostShards)
        let byRows = Int32(min(rows.parts(of: rowsPerShard), most))
        let shards = max(byRows, mapping.usesServiceDefaults ? 1 : source.shards)
        // What the target cannot have is said by its rules.
        guard rules.has(.shards) else { return (shards, []) }
        var findings: [Finding] = []
        func note(_ message: String) {
            findings.append(
                Finding(
                    .note, code: "STO-PLAN-SHARDS", subject: "\(source.name)", message: message))
        }
        if shards != source.shards {
            note(
                "\(shards) shards, the source has \(source.shards): one per 100 million rows "
                    + "(`shards:` decides otherwise)")
        }
        if rows > mostRows {
            note(
                "above a thousand million rows, choose the number of shards with the target's "
                    + "operator (`shards:`): it cannot be changed later")
        }
        return (shards, findings)
    }
}
