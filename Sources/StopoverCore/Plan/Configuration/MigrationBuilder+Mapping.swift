/// What an entry of `collections:` asks, but the names of the collections.
extension MigrationBuilder {
    /// What cannot be is reported; the rest of the mapping is made all the same.
    mutating func mapping(_ entry: ConfigNode) -> Mapping {
        var mapping = Mapping()
        mapping.filter = entry["filter"]?.text
        mapping.autoID = entry["auto_id"]?.text.flatMap(Mapping.AutoID.init) ?? .keep
        mapping.keepKeyAs = entry["keep_key_as"]?.text
        mapping.keepsDynamicFields = entry["dynamic_fields"]?.text != "drop"
        mapping.partitionKey = entry["partition_key"]?.text
        mapping.shards = entry["shards"]?.count.map { Int32($0) }
        mapping.partitions = partitions(entry["partitions"])
        mapping.indexes = entry["indexes"]?.text.flatMap(Mapping.Indexes.init) ?? .auto
        mapping.loads = entry["load"]?.flag ?? false
        mapping.onExisting = entry["on_existing"]?.text.flatMap(Mapping.OnExisting.init) ?? .refuse
        mapping.onBadRow = entry["on_bad_row"]?.text.flatMap(Mapping.OnBadRow.init) ?? .stop
        for field in entry["fields"]?.entries ?? [] {
            mapping.fields[field.key] = change(field)
        }
        for key in entry["promote"]?.entries ?? [] {
            mapping.promotions[key.key] = promotion(key)
        }
        refuseContradictions(in: mapping, entry)
        return mapping
    }

    private mutating func partitions(_ node: ConfigNode?) -> [String]? {
        guard let node, let list = node.list else { return nil }
        let names = list.compactMap(\.text)
        if list.isEmpty {
            wrong(node, "no partition is named", "Name one, or write `partitions: keep`.")
        }
        if Set(names).count < names.count {
            wrong(node, "a partition is named twice", "Name each once.")
        }
        return names
    }

    private mutating func change(_ field: ConfigNode.Entry) -> Mapping.FieldChange? {
        let node = field.value
        var change = Mapping.FieldChange()
        switch node.content {
        case .text: change.isDropped = true
        case .mapping(let asked):
            if asked.isEmpty {
                wrong(
                    node, "nothing is asked of this field", "Write `drop`, or remove the line.")
            }
            change.name = newName(node["rename"], of: field.key)
            change.isNullable = node["nullable"]?.flag
            change.defaultValue = node["default"]?.text
            change.maxLength = node["max_length"]?.count
            if let text = node["default"], let bytes = text.text?.utf8.count,
                let most = change.maxLength, bytes > most
            {
                wrong(
                    text, "the default has \(bytes) bytes, and `max_length` is \(most)",
                    "Shorten it, or raise `max_length`.")
            }
        default: return nil
        }
        return change
    }

    private mutating func newName(_ node: ConfigNode?, of field: String) -> String? {
        guard let node, let name = node.text else { return nil }
        if name == field {
            wrong(node, "this is the field's name already", "Remove `rename`.")
            return nil
        }
        if !name.isMilvusName { wrongName(node.position) }
        return name
    }

    private mutating func promotion(_ key: ConfigNode.Entry) -> Mapping.Promotion? {
        let node = key.value
        if !key.key.isMilvusName { wrongName(key.keyPosition) }
        guard let name = node["type"]?.text,
            let type = ConfigKey.promotedTypes.first(where: { $0.configName == name })
        else { return nil }
        var promotion = Mapping.Promotion(type: type)
        promotion.maxLength = node["max_length"]?.count
        promotion.isNullable = node["nullable"]?.flag ?? true
        if type == .varchar, node["max_length"] == nil {
            wrong(
                node, "a varchar needs `max_length`",
                "Add `max_length: 256`, or how many bytes the longest text has.")
        } else if type != .varchar, let length = node["max_length"] {
            wrong(length, "only a varchar has `max_length`", "Remove it.")
        }
        return promotion
    }
}
