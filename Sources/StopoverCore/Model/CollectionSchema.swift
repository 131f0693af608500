/// A collection's full name: names are unique within a database.
public struct CollectionName: Hashable, Sendable, Codable, CustomStringConvertible {
    public var database: String
    public var collection: String

    public static let defaultDatabase = "default"

    public init(database: String = defaultDatabase, collection: String) {
        self.database = database
        self.collection = collection
    }

    public var description: String { "\(database).\(collection)" }
}

/// A field's default, by the type that carries it on the wire.
public enum DefaultValue: Hashable, Sendable, Codable {
    case bool(Bool)
    case int(Int32)
    case long(Int64)
    case float(Float)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case timestamptz(Int64)
}

/// One field of a collection, as the server describes it.
public struct FieldSchema: Hashable, Sendable, Codable {
    public var name: String
    public var type: DataType
    public var description = ""
    public var isPrimaryKey = false
    public var isAutoID = false
    public var isNullable = false
    public var isDynamic = false
    public var isPartitionKey = false
    public var isClusteringKey = false
    public var isFunctionOutput = false
    /// The type of an array's elements.
    public var elementType: DataType?
    /// The fields of a struct array, under their plain names: of type ARRAY or ARRAY_OF_VECTOR,
    /// nullable exactly when the struct array is. Empty for every other type.
    public var structFields: [FieldSchema] = []
    /// `dim`, `max_length`, `max_capacity`, `mmap.enabled`, … verbatim.
    public var typeParams: [String: String] = [:]
    public var defaultValue: DefaultValue?
    /// Whether a target holds NaN and infinities in this field: the plan's word, no server's.
    public var takesNonFinite = false
    /// The field of the source that this one continues, where it has another name there: what its
    /// server said of it that this type does not model is said of this one too.
    public var sourceName: String?

    public init(name: String, type: DataType) {
        self.name = name
        self.type = type
    }

    /// The dimension of a dense vector field.
    public var dimension: Int? { typeParams["dim"].flatMap { Int($0) } }
}

/// The fields of a collection and what is said of all of them.
public struct CollectionSchema: Hashable, Sendable, Codable {
    public var description = ""
    /// In the server's order, without the hidden dynamic field.
    public var fields: [FieldSchema]
    /// Whether rows may carry keys that no field names; they travel in the column `$meta`.
    public var isDynamicFieldEnabled = false
    public var properties: [String: String] = [:]
    /// Names of the schema's functions (BM25 and others), with their output fields.
    public var functions: [FunctionSchema] = []
    /// The source's own serialized schema message. It carries what this type does not model, so
    /// that attributes of newer servers survive a copy to one that knows them.
    public var encoded: [UInt8] = []

    public init(fields: [FieldSchema]) {
        self.fields = fields
    }

    public var primaryKey: FieldSchema? { fields.first { $0.isPrimaryKey } }
    public var partitionKey: FieldSchema? { fields.first { $0.isPartitionKey } }
    public func field(named name: String) -> FieldSchema? { fields.first { $0.name == name } }

    /// The name under which rows carry their dynamic keys, in Query and in Insert.
    public static let dynamicFieldName = "$meta"
}

public struct FunctionSchema: Hashable, Sendable, Codable {
    public var name: String
    public var type: Int32
    public var inputFields: [String]
    public var outputFields: [String]
    public var params: [String: String]

    public init(
        name: String, type: Int32, inputFields: [String], outputFields: [String],
        params: [String: String]
    ) {
        self.name = name
        self.type = type
        self.inputFields = inputFields
        self.outputFields = outputFields
        self.params = params
    }
}

/// An index as the server describes it; `params` verbatim (`index_type`, `metric_type`, `params`).
public struct IndexDescription: Hashable, Sendable, Codable {
    public var name: String
    public var field: String
    public var params: [String: String]

    public init(name: String, field: String, params: [String: String]) {
        self.name = name
        self.field = field
        self.params = params
    }

    public var metricType: String? { params["metric_type"] }
}

public enum LoadState: Int32, Sendable, Codable {
    case absent = 0
    case notLoaded = 1
    case loading = 2
    case loaded = 3
}

public struct PartitionDescription: Hashable, Sendable, Codable {
    public var name: String
    public var loadState: LoadState

    public init(name: String, loadState: LoadState) {
        self.name = name
        self.loadState = loadState
    }

    /// The partition that every collection has.
    public static let defaultName = "_default"
}

/// Everything that a server says of a collection.
public struct CollectionDescription: Hashable, Sendable, Codable {
    public var name: CollectionName
    public var schema: CollectionSchema
    /// The server's number of the collection: another number under the same name is another collection.
    public var collectionID: Int64 = 0
    public var shards: Int32 = 1
    public var consistencyLevel: Int32 = 0
    public var properties: [String: String] = [:]
    public var aliases: [String] = []
    /// Hidden partitions of a partition key are not listed.
    public var partitions: [PartitionDescription] = []
    /// How many partitions a partition key spreads over; nil without one.
    public var partitionKeyPartitions: Int64?
    public var indexes: [IndexDescription] = []
    public var loadState: LoadState = .notLoaded

    public init(name: CollectionName, schema: CollectionSchema) {
        self.name = name
        self.schema = schema
    }

    /// Milvus loads a collection when every vector field has an index.
    public var canBeLoaded: Bool {
        schema.fields.filter { $0.type.isVector }.allSatisfy { field in
            indexes.contains { $0.field == field.name }
        }
    }

    public var isLoaded: Bool {
        loadState == .loaded && partitions.allSatisfy { $0.loadState == .loaded }
    }
}
