/// Makes a ``MigrationPlan``: asks both clusters, and has each transfer decided by
/// ``FieldMapping``, ``TargetCollection`` and ``TargetRules``, which ask nobody. Writes nothing
/// anywhere.
public struct Planner: Sendable {
    private let source: any Source
    private let target: any Target
    private let sourcePlan: ClusterPlan
    private let targetPlan: ClusterPlan

    /// - Parameters:
    ///   - sourcePlan: what the source is of Zilliz Cloud's offers.
    ///   - targetPlan: what the target is.
    public init(
        source: any Source, target: any Target, sourcePlan: ClusterPlan = .selfHosted,
        targetPlan: ClusterPlan = .selfHosted
    ) {
        self.source = source
        self.target = target
        self.sourcePlan = sourcePlan
        self.targetPlan = targetPlan
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
        if await !RightsProbe(target: target).canRename() {
            for index in transfers.indices { transfers[index].doWithoutRename() }
        }
        var plan = MigrationPlan(
            fingerprint: fingerprint,
            source: ClusterSummary(address: source.address, identity: sourceIdentity),
            target: ClusterSummary(address: target.address, identity: targetIdentity),
            transfers: transfers)
        plan.clusterFindings = ClusterPlanRules.findings(from: sourcePlan, to: targetPlan)
        for database in Set(transfers.map(\.target.name.database)).sorted()
        where !targetDatabases.contains(database) {
            plan.clusterFindings.append(
                Finding(
                    .note, code: "STO-PLAN-DATABASE-NEW", subject: database,
                    message: "the database will be created on the target"))
        }
        plan.clusterFindings += await missingRights(transfers, targetIdentity, targetDatabases)
        plan.shareAliases()
        return plan
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
        let isThere = targetDatabases.contains(request.target.database)
        let existing = isThere ? try await target.describe(request.target) : nil
        let fields = FieldMapping(described, request.mapping, rules)
        let made = TargetCollection(request, described, fields, rules)
        let appended = request.mapping.onExisting == .append ? existing : nil
        // Of a collection that is there, what is wrong with the mapping matters, and no note on one
        // of its own.
        let onTarget = made.findings.filter { appended == nil || $0.severity == .refusal }
        var plan = TransferPlan(
            request: request, source: described, target: made.description,
            readFields: fields.read, columns: fields.columns, promoted: fields.promoted,
            partitions: made.readPartitions, sourceRows: 0,
            findings: fields.findings + onTarget)
        try await count(&plan)
        if let appended {
            plan.append(to: appended, rules)
            return plan
        }
        let rule = ShardRule.shards(
            request.mapping, source: described, rows: plan.sourceRows, rules)
        plan.target.shards = rule.shards
        plan.findings += rule.findings + rules.findings(for: plan.target)
        plan.target = rules.adapted(plan.target)
        if let existing {
            plan.findings.append(existing.finding(for: plan.target.name, request.mapping))
        }
        for alias in plan.target.aliases where isThere {
            let taken = CollectionName(database: plan.target.name.database, collection: alias)
            if try await target.describe(taken) != nil { plan.leaveOut(alias: alias) }
        }
        return plan
    }

    /// By database: what a role may do, it may do there.
    private func missingRights(
        _ transfers: [TransferPlan], _ identity: ServerIdentity, _ databases: Set<String>
    ) async -> [Finding] {
        // Milvus Lite knows no users.
        guard identity.kind != .lite else { return [] }
        var needed: [String: Set<TargetRight>] = [:]
        for transfer in transfers {
            let database = transfer.target.name.database
            needed[database, default: []].formUnion(
                transfer.rights(inNewDatabase: !databases.contains(database)))
        }
        let probe = RightsProbe(target: target)
        var findings: [Finding] = []
        for (database, rights) in needed.sorted(by: { $0.key < $1.key }) {
            let missing = await probe.missing(rights, in: database)
            if !missing.isEmpty { findings.append(.missing(missing, in: database)) }
        }
        return findings
    }

    // MARK: What the source holds

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

    private func note(
        _ plan: inout TransferPlan, _ code: String, _ subject: String, _ message: String
    ) {
        plan.findings.append(Finding(.note, code: code, subject: subject, message: message))
    }
}

extension MigrationPlan {
    /// Collections of several databases may become those of one, where a name stands for one thing.
    fileprivate mutating func shareAliases() {
        var taken = Set(transfers.map(\.target.name))
        for index in transfers.indices {
            for alias in transfers[index].target.aliases {
                let database = transfers[index].target.name.database
                let name = CollectionName(database: database, collection: alias)
                if !taken.insert(name).inserted { transfers[index].leaveOut(alias: alias) }
            }
        }
    }
}

extension CollectionDescription {
    /// What it means that the target has this collection under the name that a copy shall have.
    fileprivate func finding(for wanted: CollectionName, _ mapping: Mapping) -> Finding {
        func refusal(_ message: String, _ remedy: String) -> Finding {
            Finding(
                .refusal, code: StopoverError.Code.targetExists.rawValue, subject: "\(wanted)",
                message: message, remedy: remedy)
        }
        guard mapping.onExisting == .replace else {
            return refusal(
                "the target has a collection of this name already",
                "Give another name with `target:`, or drop or rename the collection on the target; "
                    + "`on_existing: replace` drops it when its replacement is complete, "
                    + "`append` adds the rows to it.")
        }
        guard name == wanted else {
            return refusal(
                "on the target this is an alias of \(name)",
                "Migrate under another name, then point the alias to that.")
        }
        guard aliases.isEmpty else {
            return refusal(
                "the collection that is to be replaced has aliases: "
                    + aliases.sorted().joined(separator: ", "),
                "Migrate under another name, then point the aliases to that; or drop them.")
        }
        return Finding(
            .note, code: "STO-PLAN-REPLACES", subject: "\(wanted)",
            message: "the target's collection of this name is dropped when its replacement is "
                + "complete and counted, and is untouched until then")
    }
}

extension TransferPlan {
    fileprivate mutating func leaveOut(alias: String) {
        target.aliases.removeAll { $0 == alias }
        findings.append(
            Finding(
                .note, code: "STO-PLAN-ALIAS-TAKEN", subject: "\(target.name.database).\(alias)",
                message: "the target has, or will have, another collection or alias of this name: "
                    + "the alias is left out"))
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
