/// What the keys of an entry cannot mean together, whatever the source holds. What depends on the
/// source's schema is the planner's to refuse.
extension MigrationBuilder {
    mutating func refuseContradictions(in mapping: Mapping, _ entry: ConfigNode) {
        refuseKeptKey(in: mapping, entry)
        refusePartitionKey(in: mapping, entry)
        refuseSharedNames(in: mapping, entry)
    }

    private mutating func refuseKeptKey(in mapping: Mapping, _ entry: ConfigNode) {
        guard let node = entry["keep_key_as"], let name = node.text else { return }
        // An `auto_id` that could not be read has been reported: what it means is not known.
        let isKept = entry["auto_id"].map { $0.text == Mapping.AutoID.keep.rawValue } ?? true
        if isKept {
            wrong(
                node, "`keep_key_as` without `auto_id: regenerate`",
                "Add `auto_id: regenerate`, or remove `keep_key_as`: the keys are kept as they "
                    + "are.")
        }
        if !name.isMilvusName { wrongName(node.position) }
        // Even where the name has become free: a name that means one field on the source and
        // another on the target makes every later question about the data a riddle.
        if let change = mapping.fields[name], change.isDropped || change.name != nil {
            let fate = change.isDropped ? "dropped" : "renamed"
            wrong(
                node, "`keep_key_as` is the name of a field that is \(fate)",
                "Choose a name that no field of the source has, such as `source_id`.")
        }
    }

    private mutating func refusePartitionKey(in mapping: Mapping, _ entry: ConfigNode) {
        guard let node = entry["partition_key"], let name = node.text else { return }
        if let change = mapping.fields[name] {
            if change.isDropped {
                wrong(
                    node, "`partition_key` names a field that is dropped",
                    "Keep the field, or choose another.")
            } else if change.isNullable == true {
                wrong(
                    node, "a partition key cannot be nullable",
                    "Remove `nullable: true` of the field, or choose another.")
            }
        } else if let promotion = mapping.promotions[name] {
            if ![.int64, .varchar].contains(promotion.type) {
                wrong(
                    node, "a partition key is an int64 or a varchar",
                    "Promote the key as one of these, or choose another field.")
            } else if promotion.isNullable {
                wrong(
                    node, "a partition key cannot be nullable",
                    "Write `nullable: false` where the key is promoted, or choose another.")
            }
        } else if let renamed = mapping.fields.first(where: { $0.value.name == name }) {
            wrong(
                node, "`partition_key` is the field's name on the target",
                "Name it as the source does: `partition_key: \(renamed.key.singleLine)`.")
        }
    }

    /// No two fields of the target may have one name. Names that stay are claimed first, so that
    /// the line that makes the clash is the one that is named.
    private mutating func refuseSharedNames(in mapping: Mapping, _ entry: ConfigNode) {
        let fields = entry["fields"]?.entries ?? []
        var taken = Set(
            fields.map(\.key).filter { name in
                mapping.fields[name].map { !$0.isDropped && $0.name == nil } ?? false
            })
        func claim(_ name: String, at position: ConfigPosition) {
            guard !taken.insert(name).inserted else { return }
            wrong(
                position, "two fields of the target would be called \(name.quotedForMessage)",
                "Give one of them another name.")
        }
        for field in fields {
            if let node = field.value["rename"], let name = mapping.fields[field.key]?.name {
                claim(name, at: node.position)
            }
        }
        for key in entry["promote"]?.entries ?? [] {
            claim(key.key, at: key.keyPosition)
        }
        if let node = entry["keep_key_as"], let name = node.text {
            claim(name, at: node.position)
        }
    }
}
