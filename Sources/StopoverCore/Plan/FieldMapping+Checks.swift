/// What a mapping cannot ask of the collection that it is for.
extension FieldMapping {
    /// Names of fields and of what becomes of them, before anything is made of them.
    mutating func checkNames() {
        for name in mapping.fields.keys.sorted() where source.schema.field(named: name) == nil {
            refuse(
                "\(source.name).\(name)", "the mapping names a field that the source does not have",
                "Correct the name under `fields:`.\(didYouMean(name))")
        }
        for (field, change) in mapping.fields.sorted(by: { $0.key < $1.key }) {
            guard let name = change.name, !change.isDropped else { continue }
            _ = checkNewName(name, "\(source.name).\(field)")
        }
    }

    /// - Returns: false when Milvus takes no field of this name; it has been refused then. What
    /// only this target does not take is ``TargetRules``'s to refuse.
    mutating func checkNewName(_ name: String, _ subject: String) -> Bool {
        guard !FieldName.isKeyword(name), name.isMilvusName else {
            refuse(
                subject, "\(name.debugDescription) cannot be a field's name in Milvus",
                "Choose another: letters, digits and _, not a digit first, and no word of "
                    + "Milvus's expressions.")
            return false
        }
        return true
    }

    mutating func checkDrop(_ field: FieldSchema) {
        if field.isPrimaryKey {
            refuse(
                field, "the primary key cannot be dropped",
                "Remove it from `fields:`; `auto_id: regenerate` gives new keys.")
        }
        if field.isPartitionKey, mapping.partitionKey == nil {
            refuse(
                field, "the partition key cannot be dropped",
                "Remove it from `fields:`, or name another with `partition_key:`.")
        }
        let users = source.schema.functions.filter { function in
            function.inputFields.contains(field.name)
                && function.outputFields.contains { !mapping.isDropped($0) }
        }
        for function in users {
            refuse(
                field, "the function \(function.name) reads this field",
                "Drop the function's output too: "
                    + "`fields: {\(function.outputFields.joined(separator: ", ")): drop}`.")
        }
    }

    /// What does not go together once all fields are made.
    mutating func checkWhole() {
        let names = Dictionary(grouping: fields.map(\.name)) { $0 }.filter { $0.value.count > 1 }
        for name in names.keys.sorted() {
            refuse(
                "\(source.name).\(name)", "two fields would have the name \(name)",
                "Choose another name with `rename`.")
        }
        if source.schema.fields.contains(where: \.type.isVector),
            !fields.contains(where: \.type.isVector)
        {
            refuse(
                "\(source.name)", "the mapping drops every vector field",
                "Milvus wants at least one: keep one under `fields:`.")
        }
        if mapping.loads, mapping.indexes == .none {
            refuse(
                "\(source.name)", "a collection without indexes cannot be loaded",
                "Remove `load: true` or `indexes: none`.")
        }
        if let shards = mapping.shards, !(1...Int32(CollectionRule.mostShards)).contains(shards) {
            refuse(
                "\(source.name)", "\(shards) shards: it is 1 to \(CollectionRule.mostShards)",
                "Correct `shards`.")
        }
        let key = fields.first(where: \.isPartitionKey)
        if let key, key.isNullable, mapping.partitionKey == nil {
            refuse(
                key, "a partition key is never null",
                "Remove `nullable` from the field, or partition by another one.")
        }
    }

    /// ` Did you mean …?`, where a field of the source has a name like this one.
    func didYouMean(_ name: String) -> String {
        let known = source.schema.fields.map(\.name) + mapping.promotions.keys.sorted()
        return NearestName.of(name, among: known).map { " Did you mean `\($0)`?" } ?? ""
    }
}

/// Names that are no field's.
enum FieldName {
    /// Words of Milvus's expressions (`FieldNameKeywords` of Milvus, in any case of letters: no
    /// reader should have to know which), and its own columns.
    static func isKeyword(_ name: String) -> Bool {
        columns.contains(name) || words.contains(name.lowercased())
    }

    /// What Milvus Lite 3 takes for no field (`schema/validation.py` of 3.2.2).
    static func isReservedByLite(_ name: String) -> Bool {
        ["_seq", "_partition"].contains(name) || ["iso", "interval"].contains(name.lowercased())
    }

    private static let columns: Set<String> = [
        CollectionSchema.dynamicFieldName, "RowID", "Timestamp",
    ]
    private static let words: Set<String> = [
        "and", "or", "not", "in", "like", "exists", "null", "true", "false",
        "json_contains", "json_contains_all", "json_contains_any",
        "array_contains", "array_contains_all", "array_contains_any", "array_length",
        "text_match", "phrase_match", "random_sample",
    ]
}
