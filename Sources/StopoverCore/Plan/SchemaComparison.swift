/// Compares what was asked for with what the target says it made: 2.3.5 drops nullable,
/// clustering keys and functions without a word [measured], and a later version may drop what
/// this tool has never heard of. What ``TargetRules/adapted(_:)`` left out was not asked for.
public enum SchemaComparison {
    /// One line per attribute that differs and matters for the rows; empty when they agree. To be
    /// asked before the first row is sent.
    public static func differences(
        asked: CollectionDescription, made: CollectionDescription
    ) -> [String] {
        var lines: [String] = []
        func compare<Value: Equatable>(_ what: String, _ asked: Value, _ made: Value) {
            if asked != made { lines.append("\(what): asked \(asked), made \(made)") }
        }
        func compareField(_ name: String, _ field: FieldSchema, _ other: FieldSchema) {
            compare("\(name), type", field.type.milvusName, other.type.milvusName)
            compare("\(name), primary key", field.isPrimaryKey, other.isPrimaryKey)
            compare("\(name), Auto ID", field.isAutoID, other.isAutoID)
            compare("\(name), nullable", field.isNullable, other.isNullable)
            compare("\(name), partition key", field.isPartitionKey, other.isPartitionKey)
            compare("\(name), element type", field.elementType, other.elementType)
            compare("\(name), default", field.defaultValue, other.defaultValue)
            for param in ofTheRows.sorted() {
                // Lite 3 keeps no max_length of an array's elements, and checks none.
                if field.type == .array, param == "max_length", other.typeParams[param] == nil {
                    continue
                }
                compare("\(name), \(param)", field.typeParams[param], other.typeParams[param])
            }
        }
        compare(
            "dynamic field", asked.schema.isDynamicFieldEnabled, made.schema.isDynamicFieldEnabled)
        compare(
            "functions", asked.schema.functions.map(\.signature).sorted(),
            made.schema.functions.map(\.signature).sorted())
        compare(
            "fields", asked.schema.fields.map(\.name).sorted(),
            made.schema.fields.map(\.name).sorted())
        for field in asked.schema.fields {
            guard let other = made.schema.field(named: field.name) else { continue }
            compareField("field \(field.name)", field, other)
            compare(
                "field \(field.name), fields", field.structFields.map(\.name).sorted(),
                other.structFields.map(\.name).sorted())
            for sub in field.structFields {
                guard let made = other.structFields.first(where: { $0.name == sub.name }) else {
                    continue
                }
                compareField("field \(field.name)[\(sub.name)]", sub, made)
            }
        }
        let partitions = Set(asked.partitions.map(\.name))
        if asked.partitionKeyPartitions == nil {
            compare("partitions", partitions.sorted(), Set(made.partitions.map(\.name)).sorted())
        }
        return lines
    }
    /// What became of a collection since it was planned with, a line each; empty when nothing did that
    /// matters for its rows.
    static func changes(
        of planned: CollectionDescription, to now: CollectionDescription?
    ) -> [String] {
        guard let now else { return ["it is no longer there"] }
        guard now.collectionID == planned.collectionID else {
            return ["it was dropped, and another one has its name"]
        }
        return differences(asked: planned, made: now).map {
            $0.replacing(": asked ", with: ": was ").replacing(", made ", with: ", is ")
        }
    }

    /// Why values of the one field may not be written to the other, a clause; nil when they may. A
    /// shorter VARCHAR is no reason: each value is checked on its way.
    static func misfit(of sent: FieldSchema, in made: FieldSchema) -> String? {
        if sent.elementType != made.elementType {
            return "its elements are of another type there"
        }
        if sent.type != made.type {
            return "it is \(sent.type.milvusName) here and \(made.type.milvusName) there"
        }
        if sent.isPrimaryKey != made.isPrimaryKey {
            return "it is the primary key on one side only"
        }
        if sent.typeParams["dim"] != made.typeParams["dim"] {
            return "its dimension is \(sent.typeParams["dim"] ?? "none") here and "
                + "\(made.typeParams["dim"] ?? "none") there"
        }
        if sent.isNullable, !made.isNullable {
            return "it may be null here and not there (`{nullable: false, default: …}` fills nulls)"
        }
        let fields = made.structFields.map(\.name).sorted()
        if sent.structFields.map(\.name).sorted() != fields {
            return "its structs have the fields \(fields.joined(separator: ", ")) there"
        }
        return nil
    }

    /// One line per attribute that the rows do not need, and that the target keeps otherwise than
    /// it was asked: nothing is lost without a word. To be asked of the finished collection.
    public static func losses(
        asked: CollectionDescription, made: CollectionDescription
    ) -> [String] {
        var lines: [String] = []
        func compare<Value: Equatable>(_ what: String, _ asked: Value, _ made: Value) {
            if asked != made { lines.append("\(what): asked \(asked), made \(made)") }
        }
        compare("shards", asked.shards, made.shards)
        compare("consistency level", asked.consistencyLevel, made.consistencyLevel)
        compare("description", asked.schema.description, made.schema.description)
        compare("aliases", asked.aliases.sorted(), made.aliases.sorted())
        compare(
            "partitions of the partition key", asked.partitionKeyPartitions,
            made.partitionKeyPartitions)
        for (key, value) in asked.properties.sorted(by: { $0.key < $1.key }) {
            compare("property \(key)", value, made.properties[key] ?? "nothing")
        }
        for field in asked.schema.fields {
            guard let other = made.schema.field(named: field.name) else { continue }
            compare("field \(field.name), description", field.description, other.description)
            compare(
                "field \(field.name), clustering key", field.isClusteringKey,
                other.isClusteringKey)
            for (key, value) in field.typeParams.sorted(by: { $0.key < $1.key })
            where !ofTheRows.contains(key) && other.typeParams[key] != value {
                compare("field \(field.name), \(key)", value, other.typeParams[key] ?? "nothing")
            }
        }
        for index in asked.indexes {
            let kept = made.indexes.first { $0.field == index.field }
            compare("index of \(index.field)", index.type, kept?.type ?? "nothing")
            if let metric = index.metricType, let kept {
                compare("index of \(index.field), metric", metric, kept.metricType ?? "nothing")
            }
        }
        return lines
    }

    /// Parameters that ``differences(asked:made:)`` compares.
    private static let ofTheRows: Set<String> = ["dim", "max_length", "max_capacity"]
}

extension FunctionSchema {
    fileprivate var signature: String {
        "\(name)(\(inputFields.joined(separator: ", "))) = \(outputFields.joined(separator: ", "))"
    }
}
