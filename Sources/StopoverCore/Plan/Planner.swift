/// Makes a ``MigrationPlan``: asks both clusters, decides what each transfer reads and makes, and
/// finds everything that would stand in the way. Writes nothing anywhere.
public struct Planner: Sendable {
    private let source: any Source
    private let target: any Target

    public init(source: any Source, target: any Target) {
        self.source = source
        self.target = target
    }

    /// Every collection of every database of the source, as the rules of migration.yaml choose from.
    public static func collections(of cluster: any Cluster) async throws(StopoverError)
        -> [CollectionName]
    {
        var names: [CollectionName] = []
        for database in try await cluster.databases().sorted() {
            for collection in try await cluster.collections(in: database).sorted() {
                names.append(CollectionName(database: database, collection: collection))
            }
        }
        return names
    }

    public func plan(
        _ requests: [TransferRequest], fingerprint: String
    ) async throws(StopoverError) -> MigrationPlan {
        let sourceIdentity = try await source.identity()
        let targetIdentity = try await target.identity()
        let rules = TargetRules(targetIdentity)
        let targetDatabases = Set(try await target.databases())
        var transfers: [TransferPlan] = []
        for request in requests {
            transfers.append(
                try await transfer(request, rules: rules, targetDatabases: targetDatabases))
        }
        return MigrationPlan(
            fingerprint: fingerprint,
            source: ClusterSummary(address: source.address, identity: sourceIdentity),
            target: ClusterSummary(address: target.address, identity: targetIdentity),
            transfers: transfers)
    }

    private func transfer(
        _ request: TransferRequest, rules: TargetRules, targetDatabases: Set<String>
    ) async throws(StopoverError) -> TransferPlan {
        guard let described = try await source.describe(request.source) else {
            throw StopoverError(
                .noSuchCollection, "the source has no collection \(request.source)",
                remedy: "`stopover inspect \(source.address)` lists the collections; correct "
                    + "`source:` in migration.yaml.")
        }
        guard let key = described.schema.primaryKey, key.type == .int64 || key.type == .varchar
        else {
            throw StopoverError(
                .noPrimaryKey, "\(request.source) has no INT64 or VARCHAR primary key",
                remedy: "Leave it out with `- source: \"!\(request.source)\"`.")
        }
        var findings = mappingFindings(request, described)
        let kept = described.schema.fields.filter { field in
            !request.mapping.droppedFields.contains(field.name) && !field.isFunctionOutput
                && !field.isDynamic
        }
        var fields = kept
        let keepsDynamic =
            described.schema.isDynamicFieldEnabled && request.mapping.keepsDynamicFields
        if keepsDynamic { fields.append(.dynamicField) }

        let made = targetCollection(request, described, rules: rules)
        findings += rules.findings(for: made)
        if request.mapping.autoID == .keep, key.isAutoID {
            findings.append(
                Finding(
                    .note, code: "STO-PLAN-AUTO-ID-OFF", subject: "\(request.source).\(key.name)",
                    message: "the keys are kept, so the target is made without Auto ID"))
        }
        if described.schema.isDynamicFieldEnabled, !request.mapping.keepsDynamicFields {
            findings.append(
                Finding(
                    .note, code: "STO-PLAN-DYNAMIC-DROPPED", subject: "\(request.source)",
                    message: "dynamic fields are not migrated (`dynamic_fields: drop`)"))
        }
        if targetDatabases.contains(request.target.database) {
            if try await target.describe(request.target) != nil {
                findings.append(
                    Finding(
                        .refusal, code: StopoverError.Code.targetExists.rawValue,
                        subject: "\(request.target)",
                        message: "the target has a collection of this name already",
                        remedy: "Give another name with `target:`, or drop or rename the "
                            + "collection on the target."))
            }
        } else {
            findings.append(
                Finding(
                    .note, code: "STO-PLAN-DATABASE-NEW", subject: request.target.database,
                    message: "the database will be created on the target"))
        }
        let partitions = partitionsToRead(request, described)
        var rows: Int64 = 0
        if described.isLoaded {
            rows = try await count(described.name, key: key, partitions: partitions)
        } else {
            findings.append(notLoaded(described))
        }
        return TransferPlan(
            request: request, source: described, target: made, readFields: fields,
            columns: fields.filter { !($0.isPrimaryKey && request.mapping.autoID == .regenerate) }
                .map { ColumnMapping(read: $0, sent: made.schema.field(named: $0.name) ?? $0) },
            partitions: partitions, sourceRows: rows, findings: findings)
    }

    private func count(
        _ name: CollectionName, key: FieldSchema, partitions: [String]?
    ) async throws(StopoverError) -> Int64 {
        var rows: Int64 = 0
        for partition in partitions.map({ $0.map(Optional.some) }) ?? [nil] {
            rows += try await source.count(
                RowSelection(collection: name, primaryKey: key, partition: partition))
        }
        return rows
    }

    /// The mapping against the schema: fields it names that are not there or cannot go.
    private func mappingFindings(
        _ request: TransferRequest, _ described: CollectionDescription
    ) -> [Finding] {
        var findings: [Finding] = []
        func refuse(_ subject: String, _ message: String, _ remedy: String) {
            findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-MAPPING", subject: subject, message: message,
                    remedy: remedy))
        }
        for name in request.mapping.droppedFields.sorted() {
            let subject = "\(request.source).\(name)"
            guard let field = described.schema.field(named: name) else {
                refuse(
                    subject, "the mapping drops a field that the source does not have",
                    "Correct the name under `fields:`.")
                continue
            }
            if field.isPrimaryKey {
                refuse(
                    subject, "the primary key cannot be dropped",
                    "Remove it from `fields:`; `auto_id: regenerate` gives new keys.")
            }
            if field.isPartitionKey {
                refuse(
                    subject, "the partition key cannot be dropped", "Remove it from `fields:`.")
            }
        }
        let vectors = described.schema.fields.filter { $0.type.isVector }
        if !vectors.isEmpty, vectors.allSatisfy({ request.mapping.droppedFields.contains($0.name) })
        {
            refuse(
                "\(request.source)", "the mapping drops every vector field",
                "Milvus wants at least one: keep one under `fields:`.")
        }
        for field in described.schema.fields
        where !request.mapping.droppedFields.contains(field.name)
            && [.arrayOfStruct, .arrayOfVector, .structure].contains(field.type)
        {
            refuse(
                "\(request.source).\(field.name)",
                "\(field.type.milvusName) fields are not migrated by this version",
                "Leave the field out with `fields: {\(field.name): drop}`.")
        }
        let known = Set(described.partitions.map(\.name))
        for name in request.mapping.partitions ?? [] where !known.contains(name) {
            refuse(
                "\(request.source)", "the source has no partition \(name)",
                "Correct the name under `partitions:`.")
        }
        if request.mapping.partitions != nil, described.schema.partitionKey != nil {
            refuse(
                "\(request.source)", "partitions of a partition key cannot be chosen",
                "Remove `partitions:`.")
        }
        return findings
    }

    /// Partitions one by one where they are named, else nil.
    private func partitionsToRead(
        _ request: TransferRequest, _ described: CollectionDescription
    ) -> [String]? {
        guard described.schema.partitionKey == nil else { return nil }
        let all = described.partitions.map(\.name)
        let kept = request.mapping.partitions.map { chosen in all.filter(chosen.contains) } ?? all
        return kept == [PartitionDescription.defaultName] || kept.isEmpty ? nil : kept
    }

    private func targetCollection(
        _ request: TransferRequest, _ described: CollectionDescription, rules: TargetRules
    ) -> CollectionDescription {
        var made = described
        made.name = request.target
        made.aliases = []
        made.loadState = .notLoaded
        made.schema.fields = described.schema.fields.filter {
            !request.mapping.droppedFields.contains($0.name) && !$0.isDynamic
        }
        made.schema.functions = described.schema.functions.filter { function in
            function.outputFields.allSatisfy { !request.mapping.droppedFields.contains($0) }
        }
        made.schema.isDynamicFieldEnabled =
            described.schema.isDynamicFieldEnabled && request.mapping.keepsDynamicFields
        for index in made.schema.fields.indices where made.schema.fields[index].isPrimaryKey {
            made.schema.fields[index].isAutoID = request.mapping.autoID == .regenerate
        }
        if let partitions = request.mapping.partitions {
            made.partitions = described.partitions.filter {
                partitions.contains($0.name) || $0.name == PartitionDescription.defaultName
            }
        }
        made.schema.fields = made.schema.fields.map(rules.completed)
        made.indexes =
            request.mapping.indexes == .none ? [] : autoIndexes(made, of: described, rules: rules)
        return made
    }

    /// AUTOINDEX on every vector field, with the metric that the source's index has.
    private func autoIndexes(
        _ made: CollectionDescription, of described: CollectionDescription, rules: TargetRules
    ) -> [IndexDescription] {
        made.schema.fields.filter { $0.type.isVector }.map { field in
            let metric =
                described.indexes.first { $0.field == field.name }?.metricType
                ?? field.type.defaultMetric
            return IndexDescription(
                name: field.name, field: field.name,
                params: [
                    "index_type": rules.automaticIndexType(of: field.type), "metric_type": metric,
                ])
        }
    }

    private func notLoaded(_ described: CollectionDescription) -> Finding {
        let missing = described.partitions.filter { $0.loadState != .loaded }.map(\.name)
        let partly = described.loadState == .loaded || missing.count < described.partitions.count
        return Finding(
            .refusal, code: "STO-SOURCE-NOT-LOADED", subject: "\(described.name)",
            message: partly
                ? "only part of the collection is loaded; not loaded: "
                    + missing.joined(separator: ", ") + ". A server answers such a collection "
                    + "without its other rows and without an error"
                : "the collection is not loaded, so the source cannot read it",
            remedy: "Load it on the source (pymilvus: "
                + "`client.load_collection(\"\(described.name.collection)\")`), then plan again.")
    }
}

extension FieldSchema {
    /// The column of dynamic keys, asked for and sent by name.
    public static var dynamicField: FieldSchema {
        var field = FieldSchema(name: CollectionSchema.dynamicFieldName, type: .json)
        field.isDynamic = true
        return field
    }
}

extension DataType {
    /// The metric of an index that the source does not have, as the field's servers default it.
    fileprivate var defaultMetric: String {
        switch self {
        case .binaryVector: "HAMMING"
        case .sparseFloatVector: "IP"
        default: "COSINE"
        }
    }
}

extension StopoverError.Code {
    public static let noSuchCollection = Self("STO-SOURCE-NO-SUCH-COLLECTION", exit: .refused)
    public static let noPrimaryKey = Self("STO-SOURCE-NO-PRIMARY-KEY", exit: .refused)
    public static let targetExists = Self("STO-PLAN-TARGET-EXISTS", exit: .refused)
}
