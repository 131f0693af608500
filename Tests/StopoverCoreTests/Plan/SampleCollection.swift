import StopoverCore

extension ServerIdentity {
    static let lite3 = ServerIdentity(
        version: "milvus_lite-3.2.2", kind: .lite, numbers: [3, 2, 2])
    static let unread = ServerIdentity(version: "unknown", kind: .unknown, numbers: [])

    static func sample(_ numbers: Int...) -> ServerIdentity {
        ServerIdentity(
            version: "v" + numbers.map(String.init).joined(separator: "."), kind: .milvus,
            numbers: numbers)
    }
}

extension FieldSchema {
    static func sample(
        _ name: String, _ type: DataType, _ params: [String: String] = [:],
        _ change: (inout FieldSchema) -> Void = { _ in }
    ) -> FieldSchema {
        var field = FieldSchema(name: name, type: type)
        field.typeParams = params
        change(&field)
        return field
    }

    static func varchar(
        _ name: String, _ length: Int, _ change: (inout FieldSchema) -> Void = { _ in }
    ) -> FieldSchema { sample(name, .varchar, ["max_length": "\(length)"], change) }

    static func vector(_ name: String, _ dimension: Int = 8) -> FieldSchema {
        sample(name, .floatVector, ["dim": "\(dimension)"])
    }
}

extension CollectionDescription {
    /// id, title (nullable), year, tenant, price (nullable), v; dynamic fields; loaded; an index on
    /// v and one on year.
    static func articles(
        _ change: (inout CollectionDescription) -> Void = { _ in }
    ) -> CollectionDescription {
        var articles = CollectionDescription(
            name: CollectionName(collection: "articles"),
            schema: CollectionSchema(fields: [
                .sample("id", .int64) { $0.isPrimaryKey = true },
                .varchar("title", 64) { $0.isNullable = true },
                .sample("year", .int64), .varchar("tenant", 32),
                .sample("price", .double) { $0.isNullable = true }, .vector("v"),
            ]))
        articles.schema.isDynamicFieldEnabled = true
        articles.loadState = .loaded
        articles.partitions = [
            PartitionDescription(name: PartitionDescription.defaultName, loadState: .loaded)
        ]
        articles.indexes = [
            .sample("v", "HNSW", "COSINE", ["params": #"{"M":16,"efConstruction":100}"#]),
            .sample("year", "INVERTED"),
        ]
        change(&articles)
        return articles
    }

    /// text → sparse by BM25, and a dense vector.
    static func searched() -> CollectionDescription {
        articles { made in
            made.name.collection = "searched"
            made.schema.fields = [
                .sample("id", .int64) { $0.isPrimaryKey = true },
                .sample("text", .varchar, ["max_length": "512", "enable_analyzer": "true"]),
                .vector("v"), .sample("sparse", .sparseFloatVector) { $0.isFunctionOutput = true },
            ]
            made.schema.functions = [
                FunctionSchema(
                    name: "bm25", type: 1, inputFields: ["text"], outputFields: ["sparse"],
                    params: [:])
            ]
            made.indexes = [.sample("sparse", "SPARSE_INVERTED_INDEX", "BM25")]
        }
    }

    func field(_ name: String) -> FieldSchema? { schema.field(named: name) }
}

extension IndexDescription {
    static func sample(
        _ field: String, _ type: String, _ metric: String? = nil, _ more: [String: String] = [:]
    ) -> IndexDescription {
        var params = more
        params["index_type"] = type
        params["metric_type"] = metric
        return IndexDescription(name: field, field: field, params: params)
    }
}

extension Mapping {
    static func sample(_ change: (inout Mapping) -> Void) -> Mapping {
        var mapping = Mapping()
        change(&mapping)
        return mapping
    }

    /// Changes one field.
    mutating func field(_ name: String, _ change: (inout FieldChange) -> Void) {
        var asked = fields[name] ?? FieldChange()
        change(&asked)
        fields[name] = asked
    }
}

extension [Finding] {
    var refusals: [Finding] { filter { $0.severity == .refusal } }
    var codes: Set<String> { Set(map(\.code)) }
    func about(_ code: String) -> Finding? { first { $0.code == code } }
}
