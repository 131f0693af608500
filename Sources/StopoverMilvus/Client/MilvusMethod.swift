/// The calls of the Milvus service that Stopover makes, by their names on the wire.
public enum MilvusMethod: String, Sendable, CaseIterable {
    case getVersion = "GetVersion"
    case connect = "Connect"
    case allocTimestamp = "AllocTimestamp"
    case createDatabase = "CreateDatabase"
    case listDatabases = "ListDatabases"
    case showCollections = "ShowCollections"
    case createCollection = "CreateCollection"
    case describeCollection = "DescribeCollection"
    case dropCollection = "DropCollection"
    case renameCollection = "RenameCollection"
    case alterCollection = "AlterCollection"
    case listAliases = "ListAliases"
    case createAlias = "CreateAlias"
    case createPartition = "CreatePartition"
    case showPartitions = "ShowPartitions"
    case loadCollection = "LoadCollection"
    case releaseCollection = "ReleaseCollection"
    case getLoadState = "GetLoadState"
    case getLoadingProgress = "GetLoadingProgress"
    case createIndex = "CreateIndex"
    case describeIndex = "DescribeIndex"
    case query = "Query"
    case insert = "Insert"
    case upsert = "Upsert"
    case delete = "Delete"
    case flush = "Flush"
    case getFlushState = "GetFlushState"

    static let service = "milvus.proto.milvus.MilvusService"

    public var callClass: CallClass {
        switch self {
        case .query: .query
        case .insert, .upsert: .insert
        case .flush: .flush
        // Milvus Lite 3 builds the index and loads within the call.
        case .loadCollection, .createIndex: .load
        default: .control
        }
    }

    /// Whether it changes rows: only then is it a question whether a failed call was applied.
    public var writesRows: Bool { self == .insert || self == .upsert }
}
