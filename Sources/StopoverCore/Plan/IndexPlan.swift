/// The indexes of a target, from those of the source and what the mapping asks.
struct IndexPlan {
    private(set) var indexes: [IndexDescription] = []
    private(set) var findings: [Finding] = []

    private let source: CollectionDescription
    private let rules: TargetRules

    init(
        _ source: CollectionDescription, _ mapping: Mapping, target: CollectionDescription,
        _ rules: TargetRules
    ) {
        self.source = source
        self.rules = rules
        let places = target.schema.fields.flatMap(IndexPlace.of).filter { place in
            // A promoted key may have the name of a field that is dropped.
            source.schema.type(of: place.source).map { $0 == place.type } ?? true
        }
        switch mapping.indexes {
        case .none: return
        case .auto:
            for place in places where place.type.isVector { indexes.append(automatic(place)) }
            noteLeftOut(places.filter { !$0.type.isVector })
        case .copy:
            for place in places { copy(place) }
            copyPaths(target, known: Set(places.map(\.source)), mapping)
        }
    }

    /// `auto` is for what is searched; that it does less than the source had is said.
    private mutating func noteLeftOut(_ places: [IndexPlace]) {
        let names = Set(places.map(\.source))
        let left = source.indexes.filter { names.contains($0.field) }
        guard !left.isEmpty else { return }
        let list = left.map { "\($0.field) (\($0.type))" }.joined(separator: ", ")
        note(
            "\(source.name)",
            "indexes of scalar fields are not made: \(list); `indexes: copy` makes them")
    }

    private mutating func copy(_ place: IndexPlace) {
        for index in source.indexes where index.field == place.source {
            guard rules.hasIndex(index.params, of: place.type) else {
                let instead =
                    place.type.isVector
                    ? "\(rules.automaticIndexType(of: place.type)) is made instead"
                    : "it is left out"
                note(
                    "\(source.name).\(place.source)",
                    "\(rules.server) has no index \(index.type) for "
                        + "\(place.type.milvusName): \(instead)")
                if place.type.isVector { indexes.append(automatic(place)) }
                continue
            }
            indexes.append(moved(index, to: place.target))
        }
    }

    /// Indexes on paths into dynamic fields: of keys that no field has.
    private mutating func copyPaths(
        _ target: CollectionDescription, known: Set<String>, _ mapping: Mapping
    ) {
        for index in source.indexes where !known.contains(index.field) {
            let field = index.field.prefix { $0 != "[" }
            if mapping.isDropped(String(field)) { continue }
            if target.schema.isDynamicFieldEnabled, rules.hasIndex(index.params, of: .json) {
                indexes.append(index)
            } else {
                note(
                    "\(source.name).\(index.field)",
                    "its index \(index.name) is left out: the target has no field for it, or no "
                        + "index \(index.type) on a path")
            }
        }
    }

    private func moved(_ index: IndexDescription, to field: String) -> IndexDescription {
        var made = index
        if index.name == index.field { made.name = field }
        made.field = field
        // Lite 3 says NONE of an index without a metric; other servers would look for it.
        if made.metricType == "NONE" { made.params["metric_type"] = nil }
        return made
    }

    /// AUTOINDEX, with the metric that the source's index has.
    private func automatic(_ place: IndexPlace) -> IndexDescription {
        let known = source.indexes.first { $0.field == place.source }?.metricType
        return IndexDescription(
            name: place.target, field: place.target,
            params: [
                "index_type": rules.automaticIndexType(of: place.type),
                "metric_type": known ?? defaultMetric(place),
            ])
    }

    /// The metric of an index that the source does not have, as the field's servers default it.
    private func defaultMetric(_ place: IndexPlace) -> String {
        switch place.type {
        case .binaryVector: "HAMMING"
        case .arrayOfVector: "MAX_SIM_COSINE"
        case .sparseFloatVector:
            source.schema.functions.contains {
                $0.type == FunctionSchema.textSearch && $0.outputFields.contains(place.source)
            } ? "BM25" : "IP"
        default: "COSINE"
        }
    }

    private mutating func note(_ subject: String, _ message: String) {
        findings.append(
            Finding(.note, code: "STO-PLAN-INDEX", subject: subject, message: message))
    }
}

/// What an index can be on: a field, or a field of a struct array as `struct[sub]`.
private struct IndexPlace {
    /// As the source calls it.
    var source: String
    var target: String
    var type: DataType

    static func of(_ field: FieldSchema) -> [IndexPlace] {
        let source = field.sourceName ?? field.name
        guard field.type == .arrayOfStruct else {
            return [IndexPlace(source: source, target: field.name, type: field.type)]
        }
        return field.structFields.map { sub in
            IndexPlace(
                source: "\(source)[\(sub.name)]", target: "\(field.name)[\(sub.name)]",
                type: sub.type)
        }
    }
}

extension CollectionSchema {
    fileprivate func type(of name: String) -> DataType? { field(named: name)?.type }
}

extension IndexDescription {
    var type: String { params["index_type"] ?? "of a default type" }
}
