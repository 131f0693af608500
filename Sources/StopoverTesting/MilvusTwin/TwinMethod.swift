/// The calls of the Milvus service that the twin answers; gRPC says UNIMPLEMENTED to all others.
enum TwinMethod: String, Sendable, CaseIterable {
    case getVersion = "GetVersion"
    /// What the official client begins with.
    case connect = "Connect"
    case allocTimestamp = "AllocTimestamp"
    case createDatabase = "CreateDatabase"
    case listDatabases = "ListDatabases"
    case showCollections = "ShowCollections"
    case createCollection = "CreateCollection"
    case describeCollection = "DescribeCollection"
    case dropCollection = "DropCollection"
    case hasCollection = "HasCollection"
    case renameCollection = "RenameCollection"
    case alterCollection = "AlterCollection"
    case createAlias = "CreateAlias"
    case listAliases = "ListAliases"
    case createPartition = "CreatePartition"
    case showPartitions = "ShowPartitions"
    case loadCollection = "LoadCollection"
    case releaseCollection = "ReleaseCollection"
    case getLoadState = "GetLoadState"
    case getLoadingProgress = "GetLoadingProgress"
    case getCollectionStatistics = "GetCollectionStatistics"
    case createIndex = "CreateIndex"
    case describeIndex = "DescribeIndex"
    case insert = "Insert"
    case upsert = "Upsert"
    case delete = "Delete"
    case query = "Query"
    case flush = "Flush"
    case getFlushState = "GetFlushState"

    static let service = "milvus.proto.milvus.MilvusService"

    /// Whether the reply is a Status, rather than a message with one in its field 1.
    var answersStatusOnly: Bool {
        switch self {
        case .createAlias, .alterCollection, .createDatabase, .createCollection, .dropCollection,
            .renameCollection,
            .createPartition, .loadCollection, .releaseCollection, .createIndex:
            true
        default: false
        }
    }
}
