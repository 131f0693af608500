/// The indexes of a target, from those of the source and what the mapping asks.
struct IndexPlan {
    private(set) var indexes: [IndexDescription] = []
    private(set) var findings: [Finding] = []

    /// - Parameter fields: of the target; names may differ from those of the source.
    init(
        _ source: CollectionDescription, fields: [FieldSchema], _ asked: Mapping.Indexes,
        _ rules: TargetRules
    ) {
        switch asked {
        case .none: return
        case .auto:
            for field in fields where field.type.isVector {
                indexes.append(IndexPlan.automatic(field, of: source, rules))
            }
        case .copy:
            for field in fields { copy(field, of: source, rules) }
        }
    }

    private mutating func copy(
        _ field: FieldSchema, of source: CollectionDescription, _ rules: TargetRules
    ) {
        let name = field.sourceName ?? field.name
        for index in source.indexes where index.field == name {
            let type = index.params["index_type"] ?? ""
            let subject = "\(source.name).\(name)"
            guard rules.hasIndex(type, of: field.type) else {
                let instead =
                    field.type.isVector
                    ? "\(rules.automaticIndexType(of: field.type)) is made instead"
                    : "it is left out"
                findings.append(
                    Finding(
                        .note, code: "STO-PLAN-INDEX", subject: subject,
                        message: "\(rules.server) has no index \(type) for this type: \(instead)"))
                if field.type.isVector {
                    indexes.append(IndexPlan.automatic(field, of: source, rules))
                }
                continue
            }
            var made = index
            made.field = field.name
            if index.name == name { made.name = field.name }
            // Lite 3 says NONE of an index without a metric; other servers would look for it.
            if made.metricType == "NONE" { made.params["metric_type"] = nil }
            indexes.append(made)
        }
    }

    /// AUTOINDEX, with the metric that the source's index has.
    private static func automatic(
        _ field: FieldSchema, of source: CollectionDescription, _ rules: TargetRules
    ) -> IndexDescription {
        let name = field.sourceName ?? field.name
        let metric =
            source.indexes.first { $0.field == name }?.metricType ?? field.type.defaultMetric
        return IndexDescription(
            name: field.name, field: field.name,
            params: [
                "index_type": rules.automaticIndexType(of: field.type), "metric_type": metric,
            ])
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
