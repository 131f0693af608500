/// What a server says of itself.
public struct ServerIdentity: Hashable, Sendable, Codable {
    /// As the server writes it (`v2.3.5-lite`, `milvus_lite-3.2.2`), or `unknown`.
    public var version: String
    public var kind: Kind

    public enum Kind: String, Sendable, Codable {
        /// Milvus Lite: in-process storage, no shards, no snapshot.
        case lite
        /// A Go server, with its version as `[major, minor, patch]`.
        case milvus
        case unknown
    }
    /// `[major, minor, patch]`, empty when the version could not be read.
    public var numbers: [Int]

    public init(version: String, kind: Kind, numbers: [Int]) {
        self.version = version
        self.kind = kind
        self.numbers = numbers
    }
}

/// A moment of the source's clock (Milvus's hybrid timestamp), at which all pages are read.
public struct PinnedTimestamp: Hashable, Sendable, Codable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// Which rows of a collection: of one partition (nil is all), in a key range, that match a filter.
public struct RowSelection: Sendable, Hashable {
    public var collection: CollectionName
    /// The primary key field: its name and type are part of every expression.
    public var primaryKey: FieldSchema
    public var partition: String?
    public var range: KeyRange
    /// Where it is not empty: rows must be in one of these, too.
    public var anyOf: [KeyRange] = []
    /// Where it is not empty: rows must have one of these keys, too.
    public var keys: [PrimaryKey] = []
    /// A Milvus expression that rows must match too.
    public var filter: String?

    public init(
        collection: CollectionName, primaryKey: FieldSchema, partition: String? = nil,
        range: KeyRange = .all, filter: String? = nil
    ) {
        self.collection = collection
        self.primaryKey = primaryKey
        self.partition = partition
        self.range = range
        self.filter = filter
    }

    /// Every row of the collection.
    public var isEverything: Bool {
        partition == nil && range == .all && anyOf.isEmpty && keys.isEmpty && filter == nil
    }
}

/// A question for one page: the first `rowLimit` rows of the selection, ascending by key.
public struct PageRequest: Sendable {
    public var rows: RowSelection
    /// The fields to read, always named (never `*`), the key among them.
    public var fields: [FieldSchema]
    public var rowLimit: Int
    public var timestamp: PinnedTimestamp?

    public init(
        rows: RowSelection, fields: [FieldSchema], rowLimit: Int, timestamp: PinnedTimestamp?
    ) {
        self.rows = rows
        self.fields = fields
        self.rowLimit = rowLimit
        self.timestamp = timestamp
    }

    /// The keys of rows, and nothing else.
    public init(keysOf rows: RowSelection, rowLimit: Int, timestamp: PinnedTimestamp? = nil) {
        self.init(rows: rows, fields: [rows.primaryKey], rowLimit: rowLimit, timestamp: timestamp)
    }
}

/// What both sides of a migration can be asked.
public protocol Cluster: Sendable {
    /// The address without secrets, for messages.
    var address: String { get }
    func identity() async throws(StopoverError) -> ServerIdentity
    func databases() async throws(StopoverError) -> [String]
    func collections(in database: String) async throws(StopoverError) -> [String]
    /// nil when there is no such collection.
    func describe(_ name: CollectionName) async throws(StopoverError) -> CollectionDescription?
    /// `count(*)` at Strong consistency: every copy of a duplicate key counts.
    func count(_ rows: RowSelection) async throws(StopoverError) -> Int64
    /// One page, at Strong consistency where no timestamp is asked for. An empty page means that no row
    /// follows, subject to a count by the caller. Throws `.pageTooLarge` when the reply passes a size
    /// limit: ask for fewer rows.
    func page(_ request: PageRequest) async throws(StopoverError) -> Page
}

/// The cluster that rows are read from. Every call may be repeated; none changes the cluster.
public protocol Source: Cluster {
    /// A timestamp at which reads see one state, or nil where the server has none.
    func pinTimestamp() async throws(StopoverError) -> PinnedTimestamp?
}

/// Where an insert goes.
public struct InsertDestination: Sendable, Hashable {
    public var collection: CollectionName
    /// nil lets the server choose (no named partition, or a partition key).
    public var partition: String?

    public init(collection: CollectionName, partition: String?) {
        self.collection = collection
        self.partition = partition
    }
}

public enum WriteMode: Sendable, Hashable {
    case insert
    case upsert
}

/// How a write ended, as far as anybody can know. The transport retries nothing, so this is the
/// outcome of exactly one request.
public enum WriteOutcome: Sendable {
    case acknowledged(ids: WrittenIDs)
    /// Proven not applied, and worth another try later.
    case refused(StopoverError)
    /// Proven not applied, for the target could not be reached: it may be restarting, and then
    /// what it acknowledged and did not flush is in doubt.
    case unreached(StopoverError)
    /// Proven not applied, and another try would end alike: a person must act.
    case rejected(StopoverError)
    /// Proven not applied: the request is over a size limit.
    case tooLarge(StopoverError)
    /// The collection is not there under this name: somebody fenced us, or dropped it.
    case fenced(StopoverError)
    /// It may have been applied, wholly or in part, or may yet be.
    case inDoubt(StopoverError)
}

/// The primary keys that a write was acknowledged with, in row order.
public enum WrittenIDs: Sendable, Hashable, Codable {
    case int64([Int64])
    case varchar([String])

    public var count: Int {
        switch self {
        case .int64(let ids): ids.count
        case .varchar(let ids): ids.count
        }
    }

    public var isEmpty: Bool { count == 0 }

    var type: DataType {
        switch self {
        case .int64: .int64
        case .varchar: .varchar
        }
    }
}

/// A flush under way: what to poll for. Opaque to the engine.
public struct FlushTicket: Sendable, Hashable {
    public var segmentIDs: [Int64]
    public var timestamp: UInt64

    public init(segmentIDs: [Int64], timestamp: UInt64) {
        self.segmentIDs = segmentIDs
        self.timestamp = timestamp
    }
}

/// The cluster that rows are written to.
public protocol Target: Cluster {
    var codec: any ColumnCodec { get }
    /// Told before any answer of a server that took the place of the one that was lost.
    var losses: LossSignal { get }
    func createDatabase(_ name: String) async throws(StopoverError)
    /// Creates the collection, its partitions included. Throws when the name is taken.
    func create(_ collection: CollectionDescription) async throws(StopoverError)
    func createPartition(_ partition: String, of name: CollectionName) async throws(StopoverError)
    func write(
        _ batch: Batch, to destination: InsertDestination, mode: WriteMode
    ) async -> WriteOutcome
    /// Begins to make durable all that was acknowledged before the call.
    func flush(_ name: CollectionName) async throws(StopoverError) -> FlushTicket
    func isFlushed(_ ticket: FlushTicket, of name: CollectionName) async throws(StopoverError)
        -> Bool
    func createIndex(_ index: IndexDescription, on name: CollectionName) async throws(StopoverError)
    /// Another name for a collection. Throws `STO-ALIAS-TAKEN` when it stands for another one.
    func createAlias(_ alias: String, of name: CollectionName) async throws(StopoverError)
    /// Up to `limit` keys of a selection, ascending, at Strong consistency.
    func keys(of rows: RowSelection, limit: Int) async throws(StopoverError) -> [PrimaryKey]
    /// Deletes the rows of a collection that have these keys. May be repeated.
    func delete(
        _ keys: [PrimaryKey], of primaryKey: FieldSchema, from name: CollectionName
    ) async throws(StopoverError)
    /// Throws `STO-CLUSTER-UNIMPLEMENTED` where the server cannot rename at all.
    func rename(_ name: CollectionName, to newName: CollectionName) async throws(StopoverError)
    /// A property of a collection that it does not have is a success.
    func removeProperty(_ key: String, of name: CollectionName) async throws(StopoverError)
    func drop(_ name: CollectionName) async throws(StopoverError)
    /// Begins to load; a load that is under way or done is a success.
    func load(_ name: CollectionName) async throws(StopoverError)
    /// 0…100 of the load that was begun; 100 can be read and searched.
    func loadProgress(of name: CollectionName) async throws(StopoverError) -> Int
    func release(_ name: CollectionName) async throws(StopoverError)
}

extension StopoverError.Code {
    /// It came too fast, and passes later.
    public static let clusterRateLimited = Self("STO-CLUSTER-RATE-LIMITED", exit: .failed)
    /// The cluster has no memory for more now.
    public static let clusterMemoryQuota = Self("STO-CLUSTER-MEMORY-QUOTA", exit: .failed)
    public static let collectionMissing = Self("STO-COLLECTION-MISSING", exit: .failed)
    /// The server does not know this call.
    public static let clusterUnimplemented = Self("STO-CLUSTER-UNIMPLEMENTED", exit: .failed)
    /// The user of the credentials may not make this call.
    public static let clusterPermission = Self("STO-CLUSTER-PERMISSION", exit: .failed)
}
