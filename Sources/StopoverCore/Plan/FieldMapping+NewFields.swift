/// Fields that the source does not have, and the mark that a field may not have there.
extension FieldMapping {
    mutating func keepKey() {
        guard let name = mapping.keepKeyAs, let key = source.schema.primaryKey else { return }
        guard mapping.autoID == .regenerate else {
            refuse(
                key, "`keep_key_as` without `auto_id: regenerate`: the keys are kept as they are",
                "Remove `keep_key_as`.")
            return
        }
        var kept = FieldSchema(name: name, type: key.type)
        kept.typeParams = key.typeParams.filter { $0.key == "max_length" }
        kept = rules.completed(kept).field
        guard add(kept, "`keep_key_as`") else { return }
        columns.append(ColumnMapping(read: key, sent: kept))
    }

    mutating func takeDynamic() {
        for (name, promotion) in mapping.promotions.sorted(by: { $0.key < $1.key }) {
            promote(name, promotion)
        }
        guard source.schema.isDynamicFieldEnabled else {
            if !mapping.promotions.isEmpty {
                refuse(
                    "\(source.name)", "there are no dynamic fields to promote",
                    "Remove `promote`.")
            }
            return
        }
        // What is dropped is read all the same, to say which keys in how many rows.
        read.append(.dynamicField)
        if mapping.keepsDynamicFields {
            columns.append(ColumnMapping(read: .dynamicField, sent: .dynamicField))
        } else {
            note(
                "STO-PLAN-DYNAMIC-DROPPED", "\(source.name)",
                "dynamic fields are not migrated (`dynamic_fields: drop`); the result counts rows "
                    + "by key")
        }
    }

    private mutating func promote(_ name: String, _ promotion: Mapping.Promotion) {
        guard ConfigKey.promotedTypes.contains(promotion.type) else {
            refuse(
                "\(source.name).\(name)",
                "a dynamic key does not become a field of type \(promotion.type.milvusName)",
                "Choose one of "
                    + ConfigKey.promotedTypes.map(\.configName).joined(separator: ", ") + ".")
            return
        }
        var field = FieldSchema(name: name, type: promotion.type)
        field.isNullable = promotion.isNullable
        if promotion.type == .varchar {
            field.typeParams["max_length"] = "\(promotion.maxLength ?? TargetRules.varcharLimit)"
        }
        if add(field, "`promote`") { promoted.append(field) }
    }

    /// - Returns: false when it was refused.
    private mutating func add(_ field: FieldSchema, _ why: String) -> Bool {
        let subject = "\(source.name).\(field.name)"
        if fields.contains(where: { $0.name == field.name }) {
            refuse(
                subject, "\(why) makes a field of a name that the target has already",
                "Choose another name, or drop or rename that field.")
            return false
        }
        guard checkNewName(field.name, subject) else { return false }
        fields.append(field)
        return true
    }

    // MARK: The partition key

    mutating func choosePartitionKey() {
        guard let name = mapping.partitionKey else { return }
        guard let index = fields.firstIndex(where: { ($0.sourceName ?? $0.name) == name }) else {
            refuse(
                "\(source.name).\(name)", "there is no such field to partition by",
                "Correct `partition_key`.\(didYouMean(name))")
            return
        }
        let field = fields[index]
        guard [.int64, .varchar].contains(field.type), !field.isPrimaryKey, !field.isNullable
        else {
            let why =
                field.isPrimaryKey
                ? "it is the primary key"
                : field.isNullable ? "it may be null" : "it is \(field.type.milvusName)"
            refuse(
                "\(source.name).\(name)",
                "a partition key is INT64 or VARCHAR and never null: \(why)",
                "Choose another field, or change this one under `fields:`.")
            return
        }
        for other in fields.indices { fields[other].isPartitionKey = other == index }
        for column in columns.indices {
            columns[column].sent.isPartitionKey = columns[column].sent.name == field.name
        }
        for index in promoted.indices {
            promoted[index].isPartitionKey = promoted[index].name == field.name
        }
    }
}
