/// `on_existing: append`: the rows go into a collection that is there, beside rows that are not ours.
/// Nothing of the collection is made, changed, renamed or dropped.
extension TransferPlan {
    /// The rows fit, or a refusal says which field does not.
    mutating func append(to existing: CollectionDescription, _ rules: TargetRules) {
        findings += AppendRules(self, existing, rules).findings
        appends = true
        target = existing
        columns = columns.map { column in
            guard let made = existing.schema.field(named: column.sent.name) else { return column }
            var column = column
            column.sent = column.sent(as: made)
            return column
        }
        promoted = promoted.map { existing.schema.field(named: $0.name) ?? $0 }
    }
}

extension ColumnMapping {
    /// As the field that is there, but for what becomes of nulls: that is as the mapping asks.
    fileprivate func sent(as made: FieldSchema) -> FieldSchema {
        var field = made
        if read.isNullable, !sent.isNullable {
            field.isNullable = false
            field.defaultValue = sent.defaultValue
        }
        return field
    }
}

/// What is in the way of adding rows to a collection. Pure.
struct AppendRules {
    private let plan: TransferPlan
    private let existing: CollectionDescription
    private let rules: TargetRules
    private(set) var findings: [Finding] = []

    /// - Parameter plan: the transfer as it would make a collection of its own.
    init(_ plan: TransferPlan, _ existing: CollectionDescription, _ rules: TargetRules) {
        self.plan = plan
        self.existing = existing
        self.rules = rules
        guard existing.name == plan.request.target else {
            refuse(
                "\(plan.request.target)", "on the target this is an alias of \(existing.name)",
                "Give the collection's own name with `target:`.")
            return
        }
        checkLoadState()
        checkDeadlyInserts()
        checkKey()
        for field in plan.columns.map(\.sent) + plan.promoted { check(sent: field) }
        checkFieldsLeftOut()
        checkPartitions()
        findings.append(
            Finding(
                .note, code: "STO-PLAN-APPENDS", subject: "\(existing.name)",
                message: plan.regeneratesKeys
                    ? "the rows are added to the target's collection of this name"
                    : "the rows are added to the target's collection of this name; those with a key "
                        + "that it has already take that row's place"))
    }

    /// A count loads what is not loaded, and releases it; of a part it could not restore the rest.
    private mutating func checkLoadState() {
        guard existing.canBeLoaded, !existing.isLoaded,
            existing.loadState != .notLoaded
                || existing.partitions.contains(where: { $0.loadState == .loaded })
        else { return }
        refuse(
            "\(existing.name)", "only part of the target's collection is loaded",
            "Load or release it whole, then plan again.")
    }

    /// The query node of 2.3.5 dies when it merges two inserts of this type [measured].
    private mutating func checkDeadlyInserts() {
        let server = rules.identity
        guard existing.isLoaded, server.kind == .milvus,
            server.numbers.lexicographicallyPrecedes([2, 4]),
            let field = existing.schema.fields.first(where: { $0.type == .float16Vector })
        else { return }
        refuse(
            subject(field),
            "Milvus \(server.version) dies of rows of this type that are inserted into a loaded "
                + "collection",
            "Release the collection, then plan again.")
    }

    private mutating func checkKey() {
        guard let key = existing.schema.primaryKey else { return }
        if plan.regeneratesKeys {
            guard !key.isAutoID else { return }
            refuse(
                subject(key), "the target's collection does not make its keys",
                "Write `auto_id: keep`, or name a collection with Auto ID.")
        } else if key.isAutoID {
            // Where it takes keys by a property, an upsert still makes new ones (milvus#46891), and
            // an upsert is all that may be repeated in a collection that has no fence.
            refuse(
                subject(key), "the target's collection makes its keys itself",
                "Write `auto_id: regenerate` (and `keep_key_as` to keep the source's key in a field "
                    + "of its own), or name a collection without Auto ID.")
        }
    }

    private mutating func check(sent: FieldSchema) {
        if sent.isDynamic {
            guard !existing.schema.isDynamicFieldEnabled else { return }
            refuse(
                "\(existing.name)", "the target's collection has no dynamic field",
                "Write `dynamic_fields: drop`, or `promote` the keys that are to stay.")
            return
        }
        guard let made = existing.schema.field(named: sent.name), !isOutput(made) else {
            refuse(
                subject(sent), "the target's collection has no such field to write to",
                "Write `fields: {\(sent.name): drop}`, or `{\(sent.name): {rename: NAME}}`.")
            return
        }
        let misfit = SchemaComparison.misfit(of: sent, in: made)
        if let misfit {
            refuse(
                subject(sent), misfit,
                "Drop, rename or change the field under `fields:`, or name another collection.")
        }
    }

    private mutating func checkFieldsLeftOut() {
        let sent = Set((plan.columns.map(\.sent) + plan.promoted).map(\.name))
        for field in existing.schema.fields
        where !sent.contains(field.name) && !isOutput(field) && !field.isDynamic {
            if field.isNullable || field.defaultValue != nil || field.isPrimaryKey { continue }
            refuse(
                subject(field), "every row of the target's collection needs it, and none is sent",
                "Rename a field of the source to it under `fields:`, or name another collection.")
        }
    }

    private mutating func checkPartitions() {
        guard existing.schema.partitionKey == nil, let read = plan.partitions else { return }
        let known = Set(existing.partitions.map(\.name))
        let missing = read.filter { !known.contains($0) }
        guard !missing.isEmpty else { return }
        refuse(
            "\(existing.name)",
            "the target's collection has no partition \(missing.joined(separator: ", "))",
            "Create them on the target, or choose others with `partitions:`.")
    }

    private func isOutput(_ field: FieldSchema) -> Bool {
        existing.schema.functions.contains { $0.outputFields.contains(field.name) }
    }

    private func subject(_ field: FieldSchema) -> String { "\(existing.name).\(field.name)" }

    private mutating func refuse(_ subject: String, _ message: String, _ remedy: String) {
        findings.append(
            Finding(
                .refusal, code: "STO-PLAN-APPEND", subject: subject, message: message,
                remedy: remedy))
    }
}
