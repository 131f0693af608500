extension Mapping {
    /// Everything of a mapping that may not change while its job lives, by the keys of
    /// migration.yaml, each value in one spelling. That is all but what
    /// ``update(from:)`` takes over: `load` and `on_bad_row`.
    ///
    /// Two mappings that differ in nothing else have the same identity, and only these. The
    /// spellings are what jobs are found by: they never change.
    var identity: [String: String] {
        var values = [
            "auto_id": autoID.rawValue,
            "dynamic_fields": keepsDynamicFields ? "keep" : "drop",
            "fields": fields.filter { $0.value != FieldChange() }.spelled(\.identity),
            "partitions": partitions.map { names in
                "[\(Set(names).sorted().map(\.plainOrQuoted).joined(separator: ", "))]"
            } ?? "keep",
            "indexes": indexes.rawValue,
        ]
        values["filter"] = filter
        values["keep_key_as"] = keepKeyAs
        values["promote"] = promotions.isEmpty ? nil : promotions.spelled(\.identity)
        values["partition_key"] = partitionKey
        values["shards"] = shards.map { "\($0)" }
        values["on_existing"] = onExisting == .refuse ? nil : onExisting.rawValue
        values["defaults"] = usesServiceDefaults ? "service" : nil
        return values
    }
}

extension Mapping.FieldChange {
    fileprivate var identity: String {
        var parts: [String] = []
        if let name { parts.append("rename: \(name.plainOrQuoted)") }
        if let isNullable { parts.append("nullable: \(isNullable)") }
        if let defaultValue { parts.append("default: \(defaultValue.jsonQuoted)") }
        if let maxLength { parts.append("max_length: \(maxLength)") }
        if parts.isEmpty { return "drop" }
        return (isDropped ? "drop " : "") + "{\(parts.joined(separator: ", "))}"
    }
}

extension Mapping.Promotion {
    fileprivate var identity: String {
        let length = maxLength.map { ", max_length: \($0)" } ?? ""
        return "{type: \(type.configName)\(length), nullable: \(isNullable)}"
    }
}

extension Dictionary where Key == String {
    /// `a: …, b: …`, in the order of the names.
    fileprivate func spelled(_ spelling: (Value) -> String) -> String {
        sorted { $0.key < $1.key }
            .map { "\($0.key.plainOrQuoted): \(spelling($0.value))" }.joined(separator: ", ")
    }
}

extension String {
    /// Names as Milvus takes them stay as they are; what could be taken for punctuation is quoted.
    fileprivate var plainOrQuoted: String { isMilvusName ? self : jsonQuoted }
}
