/// What a collection may have and a server may lack.
enum ServerFeature: Hashable, Sendable, CaseIterable {
    // Types of fields.
    case json, array, structArray
    case binaryVector, halfVector, sparseVector, int8Vector
    case geometry, timestamptz, text
    // What a field may be.
    case nullable, nullableVector, nullableStructArray, defaultValue
    case varcharAutoID, keysOfAutoID, partitionKey, clusteringKey
    case textAnalysis, mmap, fieldDescription
    // What a collection may have.
    case dynamicField, noVector, severalVectors
    case textSearch, textEmbedding, otherFunction, nullableFunctionInput
    case shards, consistencyLevel, collectionDescription, alias
}

extension ServerFeature {
    /// What becomes of a migration whose target lacks a feature.
    enum Loss: Hashable, Sendable {
        /// It cannot be: rows would not fit, or not mean the same. `NAME` in the remedy stands for
        /// the field as migration.yaml names it.
        case refused(remedy: String)
        /// The rows are whole without it; the words say what the target has instead.
        case said(String)
    }

    /// One line of the table.
    struct Row: Hashable, Sendable {
        /// The first version of the Go servers that has it; empty is all of them.
        var since: [Int] = []
        /// Whether Milvus Lite 3 has it.
        var lite: Bool
        /// Completes "the target has no …".
        var noun: String
        var loss: Loss

        init(_ since: [Int] = [], lite: Bool, _ noun: String, _ loss: Loss = Row.dropField) {
            self.since = since
            self.lite = lite
            self.noun = noun
            self.loss = loss
        }

        static let dropField = Loss.refused(
            remedy:
                "Leave the field out with `fields: {NAME: drop}`, or choose a target of a newer "
                + "version.")
        static let newerTarget = Loss.refused(remedy: "Choose a target of a newer version.")
        static let notNullable = Loss.refused(
            remedy: "Write `nullable: false` for NAME in migration.yaml, with a `default` in the "
                + "place of nulls, or choose a target of a newer version.")
        static let dropOutput = Loss.refused(
            remedy: "Leave out the function's output with `fields: {NAME: drop}`.")
    }

    /// The table. Facts of 2.3.5 and of Lite 3.2.2 are measured or read in Lite's sources; those of
    /// later versions are from the release notes and the pages "Compatible with Milvus …+" of
    /// milvus.io, and, where said, from Milvus's sources and pull requests.
    var row: Row {
        switch self {
        case .json: Row([2, 2, 9], lite: true, "JSON fields")
        case .array: Row([2, 3, 2], lite: true, "ARRAY fields")
        case .structArray: Row([2, 6, 4], lite: false, "struct arrays")
        case .binaryVector: Row(lite: false, "BINARY_VECTOR fields")
        // 2.3.2 to 2.3.5 know float16; the query node of 2.3.5 dies merging two inserts of it into a
        // loaded collection [measured].
        case .halfVector: Row([2, 4], lite: false, "half-precision vector fields that hold")
        case .sparseVector: Row([2, 4], lite: true, "SPARSE_FLOAT_VECTOR fields")
        case .int8Vector: Row([2, 6], lite: false, "INT8_VECTOR fields")
        // Of Lite's: points and polygons only; TargetRules says so.
        case .geometry: Row([2, 6, 4], lite: true, "GEOMETRY fields")
        case .timestamptz: Row([2, 6, 6], lite: true, "TIMESTAMPTZ fields")
        case .text: Row([3, 0], lite: false, "TEXT fields")

        // 2.3.5 drops the mark without a word [measured].
        case .nullable: Row([2, 5], lite: true, "nullable fields", Row.notNullable)
        // In 3.0, and taken back to 2.6 by milvus#49520, of which the first release is 2.6.18.
        case .nullableVector: Row([2, 6, 18], lite: true, "nullable vector fields")
        case .nullableStructArray: Row([3, 0], lite: false, "nullable struct arrays")
        case .defaultValue:
            Row(
                [2, 3], lite: true, "default values",
                .said("rows without the field will be refused"))
        case .varcharAutoID:
            Row(
                lite: false, "Auto ID for VARCHAR keys",
                .refused(
                    remedy: "Keep the keys (`auto_id: keep`), or choose another kind of target."))
        // The property allow_insert_auto_id (milvus#44424). Asked by the planner, never lost.
        case .keysOfAutoID:
            Row(
                [2, 6, 3], lite: false, "Auto ID that takes keys",
                .said("the target is made without Auto ID"))
        case .partitionKey: Row([2, 2, 9], lite: true, "partition keys", Row.newerTarget)
        // 2.3.5 drops the mark without a word [measured].
        case .clusteringKey:
            Row([2, 4, 8], lite: false, "clustering keys", .said("the field loses that mark"))
        case .textAnalysis:
            Row(
                [2, 5], lite: true, "analyzers",
                .said("the field cannot be searched by its words"))
        case .mmap:
            Row([2, 4], lite: false, "mmap settings of fields", .said("the setting has no effect"))
        case .fieldDescription, .collectionDescription:
            Row(lite: false, "descriptions", .said("they are lost"))

        case .dynamicField:
            Row(
                [2, 2, 9], lite: true, "dynamic fields",
                .refused(
                    remedy: "Write `dynamic_fields: drop`, or choose a target of a newer version."))
        case .noVector:
            Row(
                lite: false, "collections without a vector field",
                .refused(remedy: "Choose another kind of target."))
        case .severalVectors:
            Row(
                [2, 4], lite: true, "collections with several vector fields",
                .refused(remedy: "Leave out all but one with `fields: {NAME: drop}`."))
        case .textSearch: Row([2, 5], lite: true, "BM25 functions", Row.dropOutput)
        case .textEmbedding: Row([2, 6], lite: true, "text embedding functions", Row.dropOutput)
        case .otherFunction: Row([2, 6], lite: false, "functions of this type", Row.dropOutput)
        // Release notes of 2.6.3: "Nullable fields can now be used as input for BM25 functions".
        case .nullableFunctionInput:
            Row(
                [2, 6, 3], lite: true, "functions that read a nullable field", Row.notNullable)
        case .shards: Row(lite: false, "shards", .said("it has one"))
        case .consistencyLevel:
            Row(lite: false, "consistency levels", .said("every read is Strong"))
        case .alias: Row(lite: true, "aliases", .said("they are left out"))
        }
    }

    /// The feature that fields of a type need, if there are servers without it.
    init?(_ type: DataType) {
        switch type {
        case .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .floatVector:
            return nil
        case .array: self = .array
        case .json: self = .json
        case .geometry: self = .geometry
        case .text: self = .text
        case .timestamptz: self = .timestamptz
        case .binaryVector: self = .binaryVector
        case .float16Vector, .bfloat16Vector: self = .halfVector
        case .sparseFloatVector: self = .sparseVector
        case .int8Vector: self = .int8Vector
        case .arrayOfVector, .arrayOfStruct, .structure: self = .structArray
        }
    }
}

/// A feature that a collection uses, and where.
struct FeatureUse: Hashable, Sendable {
    var feature: ServerFeature
    /// `default.articles.title`, or the collection's name.
    var subject: String
    /// The field as migration.yaml names it; empty for the collection.
    var name = ""
    /// What is worth saying of this use: names, a number.
    var detail = ""
}

extension CollectionDescription {
    /// Everything that a server might lack for holding this collection.
    var features: [FeatureUse] {
        schema.fields.flatMap(features) + schema.functions.map(use) + featuresOfTheWhole
    }

    private func features(of field: FieldSchema) -> [FeatureUse] {
        var found: [ServerFeature] = []
        if let type = ServerFeature(field.type) { found.append(type) }
        if field.isNullable {
            found.append(
                field.type.isVector
                    ? .nullableVector
                    : field.type == .arrayOfStruct ? .nullableStructArray : .nullable)
            if schema.functions.contains(where: { $0.inputFields.contains(field.name) }) {
                found.append(.nullableFunctionInput)
            }
        }
        if field.defaultValue != nil { found.append(.defaultValue) }
        if field.isAutoID, field.type == .varchar { found.append(.varcharAutoID) }
        if field.isPartitionKey { found.append(.partitionKey) }
        if field.isClusteringKey { found.append(.clusteringKey) }
        if field.isAnalyzed { found.append(.textAnalysis) }
        if field.typeParams.keys.contains(where: { ["mmap.enabled", "mmap_enabled"].contains($0) })
        {
            found.append(.mmap)
        }
        if !field.description.isEmpty { found.append(.fieldDescription) }
        let subject = "\(name).\(field.name)"
        return found.map {
            FeatureUse(feature: $0, subject: subject, name: field.sourceName ?? field.name)
        }
    }

    private func use(_ function: FunctionSchema) -> FeatureUse {
        let feature: ServerFeature =
            switch function.type {
            case FunctionSchema.textSearch: .textSearch
            case FunctionSchema.textEmbedding: .textEmbedding
            default: .otherFunction
            }
        let output = function.outputFields.first ?? ""
        return FeatureUse(
            feature: feature, subject: "\(name)",
            name: schema.field(named: output)?.sourceName ?? output, detail: function.name)
    }

    private var featuresOfTheWhole: [FeatureUse] {
        var uses: [FeatureUse] = []
        func use(_ feature: ServerFeature, _ detail: String = "") {
            uses.append(FeatureUse(feature: feature, subject: "\(name)", detail: detail))
        }
        if schema.isDynamicFieldEnabled { use(.dynamicField) }
        let vectors = schema.vectorFieldNames
        if vectors.isEmpty { use(.noVector) }
        if vectors.count > 1 { use(.severalVectors, vectors.joined(separator: ", ")) }
        if shards > 1 { use(.shards, "\(shards)") }
        if consistencyLevel != 0 { use(.consistencyLevel) }
        if !schema.description.isEmpty { use(.collectionDescription) }
        if !aliases.isEmpty { use(.alias, aliases.joined(separator: ", ")) }
        return uses
    }
}

extension FunctionSchema {
    /// Numbers of FunctionType in schema.proto.
    static let textSearch: Int32 = 1
    static let textEmbedding: Int32 = 2
}

extension FieldSchema {
    /// Whether the words of its values are looked for by an analyzer.
    var isAnalyzed: Bool {
        ["enable_analyzer", "enable_match"].contains { typeParams[$0]?.lowercased() == "true" }
    }
}

extension CollectionSchema {
    /// Names of vector fields, `struct[sub]` for those of a struct array.
    var vectorFieldNames: [String] {
        fields.flatMap { field in
            field.type.isVector
                ? [field.name]
                : field.structFields.filter(\.type.isVector).map { "\(field.name)[\($0.name)]" }
        }
    }
}
