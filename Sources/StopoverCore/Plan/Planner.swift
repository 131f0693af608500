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
        let fields = FieldMapping(described, request.mapping, rules)
        let indexes = IndexPlan(
            described, fields: fields.fields, request.mapping.indexes, rules)
        var plan = TransferPlan(
            request: request, source: described,
            target: targetCollection(request, described, fields), readFields: fields.read,
            columns: fields.columns, promoted: fields.promoted,
            partitions: partitionsToRead(request, described), sourceRows: 0,
            findings: fields.findings + partitionFindings(request, described)
                + indexes.findings)
        plan.target.indexes = indexes.indexes
        if request.mapping.autoID == .keep, key.isAutoID { keepAutoID(&plan, rules) }
        try await count(&plan)
        plan.target.shards = shards(&plan)
        plan.findings += rules.findings(for: plan.target)
        try await lookForNames(&plan, targetDatabases)
        return plan
    }

    /// Keys that the target made itself before, and is given now.
    private func keepAutoID(_ plan: inout TransferPlan, _ rules: TargetRules) {
        let subject = "\(plan.source.name).\(plan.primaryKey.name)"
        if rules.takesKeysOfAutoID,
            let index = plan.target.schema.fields.firstIndex(where: \.isPrimaryKey)
        {
            plan.target.schema.fields[index].isAutoID = true
            plan.target.properties["allow_insert_auto_id"] = "true"
            note(
                &plan, "STO-PLAN-AUTO-ID-KEPT", subject,
                "the keys are kept and the target goes on with Auto ID "
                    + "(property allow_insert_auto_id)")
        } else {
            note(
                &plan, "STO-PLAN-AUTO-ID-OFF", subject,
                "the keys are kept, so the target is made without Auto ID")
        }
    }

    private func count(_ plan: inout TransferPlan) async throws(StopoverError) {
        guard plan.source.isLoaded else {
            plan.findings.append(notLoaded(plan.source))
            return
        }
        do throws(StopoverError) {
            for partition in plan.readPartitions {
                plan.sourceRows += try await source.count(plan.rows(of: partition))
            }
        } catch {
            guard let filter = plan.request.mapping.filter, !error.isTransient else { throw error }
            plan.findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-FILTER", subject: "\(plan.source.name)",
                    message: "the source does not take the filter \(filter.debugDescription): "
                        + error.message,
                    remedy: "Correct `filter`: it is an expression as Milvus's query takes it."))
            return
        }
        if plan.request.mapping.filter != nil, plan.sourceRows == 0 {
            note(
                &plan, "STO-PLAN-FILTER-EMPTY", "\(plan.source.name)",
                "no row matches the filter")
        }
    }

    /// One shard per this many rows, unless the mapping says otherwise.
    static let rowsPerShard: Int64 = 100_000_000
    static let mostShards: Int32 = 16

    private func shards(_ plan: inout TransferPlan) -> Int32 {
        if let asked = plan.request.mapping.shards { return asked }
        let rows = plan.sourceRows
        let byRows = Int32(clamping: (rows + Planner.rowsPerShard - 1) / Planner.rowsPerShard)
        let least = plan.request.mapping.usesServiceDefaults ? 1 : plan.source.shards
        let shards = min(max(least, byRows), max(Planner.mostShards, least))
        if shards != plan.source.shards {
            note(
                &plan, "STO-PLAN-SHARDS", "\(plan.target.name)",
                "\(shards) shards, the source has \(plan.source.shards): one per 100 million rows "
                    + "(`shards:` decides otherwise)")
        }
        if rows > 1_000_000_000 {
            note(
                &plan, "STO-PLAN-SHARDS", "\(plan.target.name)",
                "above a thousand million rows the number of shards should be chosen with the "
                    + "target's operator: it cannot be changed later")
        }
        return shards
    }

    private func lookForNames(
        _ plan: inout TransferPlan, _ targetDatabases: Set<String>
    ) async throws(StopoverError) {
        let name = plan.target.name
        guard targetDatabases.contains(name.database) else {
            note(
                &plan, "STO-PLAN-DATABASE-NEW", name.database,
                "the database will be created on the target")
            return
        }
        if try await target.describe(name) != nil {
            plan.findings.append(
                Finding(
                    .refusal, code: StopoverError.Code.targetExists.rawValue, subject: "\(name)",
                    message: "the target has a collection of this name already",
                    remedy: "Give another name with `target:`, or drop or rename the "
                        + "collection on the target."))
        }
        for alias in plan.target.aliases {
            let taken = CollectionName(database: name.database, collection: alias)
            guard try await target.describe(taken) != nil else { continue }
            plan.target.aliases.removeAll { $0 == alias }
            note(
                &plan, "STO-PLAN-ALIAS-TAKEN", "\(taken)",
                "the target has a collection or an alias of this name: the alias is left out")
        }
    }

    // MARK: Partitions

    private func partitionFindings(
        _ request: TransferRequest, _ described: CollectionDescription
    ) -> [Finding] {
        guard let asked = request.mapping.partitions else { return [] }
        func refuse(_ message: String, _ remedy: String) -> Finding {
            Finding(
                .refusal, code: "STO-PLAN-MAPPING", subject: "\(request.source)",
                message: message, remedy: remedy)
        }
        guard described.schema.partitionKey == nil else {
            return [
                refuse(
                    "partitions of a partition key cannot be chosen",
                    "Remove `partitions:`; a `filter` chooses rows.")
            ]
        }
        let known = Set(described.partitions.map(\.name))
        return asked.filter { !known.contains($0) }.map {
            refuse(
                "the source has no partition \($0)", "Correct the name under `partitions:`.")
        }
    }

    /// Partitions one by one where they are named, else nil.
    private func partitionsToRead(
        _ request: TransferRequest, _ described: CollectionDescription
    ) -> [String]? {
        guard described.schema.partitionKey == nil else { return nil }
        let all = described.partitions.map(\.name)
        guard let chosen = request.mapping.partitions else {
            // A partition key spreads the rows itself.
            let keeps = request.mapping.partitionKey == nil
            return !keeps || all == [PartitionDescription.defaultName] || all.isEmpty ? nil : all
        }
        return all.filter(chosen.contains)
    }

    private func targetCollection(
        _ request: TransferRequest, _ described: CollectionDescription, _ fields: FieldMapping
    ) -> CollectionDescription {
        let mapping = request.mapping
        var made = described
        made.name = request.target
        made.loadState = .notLoaded
        made.schema.fields = fields.fields
        made.schema.functions = described.schema.functions.filter { function in
            function.outputFields.allSatisfy { !mapping.isDropped($0) }
        }.map { function in
            var function = function
            function.inputFields = function.inputFields.map(mapping.targetName)
            function.outputFields = function.outputFields.map(mapping.targetName)
            return function
        }
        made.schema.isDynamicFieldEnabled = fields.keepsDynamic
        if made.schema.partitionKey != nil {
            made.partitions = []
            made.partitionKeyPartitions =
                described.partitionKeyPartitions ?? Planner.partitionKeyPartitions
        } else if let partitions = mapping.partitions {
            made.partitions = described.partitions.filter {
                partitions.contains($0.name) || $0.name == PartitionDescription.defaultName
            }
        }
        return made
    }

    /// How many partitions Milvus gives a partition key when it is not told.
    static let partitionKeyPartitions: Int64 = 16

    private func note(
        _ plan: inout TransferPlan, _ code: String, _ subject: String, _ message: String
    ) {
        plan.findings.append(Finding(.note, code: code, subject: subject, message: message))
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

extension StopoverError.Code {
    public static let noSuchCollection = Self("STO-SOURCE-NO-SUCH-COLLECTION", exit: .refused)
    public static let noPrimaryKey = Self("STO-SOURCE-NO-PRIMARY-KEY", exit: .refused)
    public static let targetExists = Self("STO-PLAN-TARGET-EXISTS", exit: .refused)
}
