import Foundation
import GRPCCore
import MilvusProto
import StopoverCore
import SwiftProtobuf
import Synchronization

/// What the server does, without the network: bytes of a request in, bytes of a reply out.
final class TwinEngine: Sendable {
    let options: MilvusTwin.Options
    let catalog: Mutex<TwinCatalog>
    let rates = TwinRates()
    /// Which life of the server it is: a call that began in an earlier one has no answer.
    private let lives = Atomic(0)
    private let clock = Mutex<UInt64>(0)
    private let nextKey = Mutex<Int64>(445_100_000_000_000_000)

    init(_ options: MilvusTwin.Options) throws {
        self.options = options
        catalog = Mutex(TwinCatalog())
        for (name, shape) in options.generated { try addGenerated(shape, as: name) }
    }

    /// Milvus's hybrid time: milliseconds, and a counter in the lower 18 bits. Never the same twice.
    func timestamp() -> UInt64 {
        let now = UInt64(max(Date().timeIntervalSince1970, 0) * 1000) << 18
        return clock.withLock { last in
            last = max(now, last + 1)
            return last
        }
    }

    /// A contiguous block of keys.
    func newKeys(_ count: Int) -> Range<Int64> {
        nextKey.withLock { next in
            defer { next += Int64(count) }
            return next..<next + Int64(count)
        }
    }

    /// It is there, has its index and is loaded, as a collection that somebody uses.
    private func addGenerated(_ shape: MilvusTwin.Generated, as name: CollectionName) throws {
        let schema = try TwinSchema(shape.schema(named: name.collection))
        let created = timestamp()
        catalog.withLock { catalog in
            var collection = TwinCollection(
                id: catalog.newID(), schema: schema,
                rows: GeneratedRows(shape: shape, schema: schema), created: created, shards: 1,
                consistencyLevel: 2, properties: [], hiddenPartitions: 0,
                partitions: [(PartitionDescription.defaultName, catalog.newID())])
            collection.indexes = [
                .with {
                    $0.indexName = "vector"
                    $0.fieldName = "vector"
                    $0.indexID = catalog.newID()
                    $0.params = [.pair("index_type", "AUTOINDEX"), .pair("metric_type", "L2")]
                    $0.indexedRows = shape.rows
                    $0.totalRows = shape.rows
                    $0.state = TwinEngine.indexFinished
                }
            ]
            collection.isLoaded = true
            collection.flushedRows = shape.rows
            catalog.databases[name.database, default: [:]][name.collection] = collection
        }
    }

    static let indexFinished: Int32 = 3

    // MARK: Calls

    var life: Int { lives.load(ordering: .acquiring) }

    /// What a restart takes away: all that no Flush covered.
    /// - Returns: how many rows are gone.
    @discardableResult
    func loseUnflushed() -> Int64 {
        lives.wrappingAdd(1, ordering: .acquiringAndReleasing)
        return catalog.withLock { catalog in
            var lost: Int64 = 0
            for (database, collections) in catalog.databases {
                for (name, held) in collections {
                    lost += held.rows.loseUnflushed()
                    catalog.databases[database]?[name]?.writtenRows = 0
                }
            }
            return lost
        }
    }

    /// By order of a test.
    struct Restraint {
        /// What a Query answers at most.
        var pageLimit: Int?
        /// A write takes the rows of one of two shards.
        var onlyFirstShard = false
    }

    /// - Throws: `TwinRefusal` for a reply that says no, `RPCError` for none.
    func answer(
        _ method: TwinMethod, _ request: [UInt8], _ restraint: Restraint = .init()
    ) throws -> [UInt8] {
        switch method {
        case .getVersion:
            return try encoded(MilvusGetVersionResponse.with { $0.version = options.version })
        case .connect:
            return try encoded(
                MilvusConnectResponse.with {
                    $0.serverInfo.buildTags = options.version
                    $0.identifier = 1
                })
        case .allocTimestamp:
            return try encoded(MilvusAllocTimestampResponse.with { $0.timestamp = timestamp() })
        case .createDatabase: return try run(createDatabase, request)
        case .listDatabases:
            let names = catalog.withLock { $0.databases.keys.sorted() }
            return try encoded(MilvusListDatabasesResponse.with { $0.dbNames = names })
        case .showCollections: return try run(showCollections, request)
        case .createCollection: return try run(createCollection, request)
        case .describeCollection: return try run(describeCollection, request)
        case .dropCollection: return try run(dropCollection, request)
        case .hasCollection: return try run(hasCollection, request)
        case .renameCollection: return try run(renameCollection, request)
        case .alterCollection: return try run(alterCollection, request)
        case .createAlias: return try run(createAlias, request)
        case .listAliases: return try run(listAliases, request)
        case .createPartition: return try run(createPartition, request)
        case .showPartitions: return try run(showPartitions, request)
        case .loadCollection: return try run(loadCollection, request)
        case .releaseCollection: return try run(releaseCollection, request)
        case .getLoadState: return try run(getLoadState, request)
        case .getLoadingProgress: return try run(getLoadingProgress, request)
        case .getCollectionStatistics: return try run(getCollectionStatistics, request)
        case .createIndex: return try run(createIndex, request)
        case .describeIndex: return try run(describeIndex, request)
        case .insert, .upsert:
            return try write(
                request, replacing: method == .upsert, onlyFirstShard: restraint.onlyFirstShard)
        case .delete: return try delete(MilvusDeleteRequest(serializedBytes: request))
        case .query:
            return try query(
                MilvusQueryRequest(serializedBytes: request), pageLimit: restraint.pageLimit)
        case .flush: return try run(flush, request)
        case .getFlushState: return try run(getFlushState, request)
        }
    }

    private func run<Request: Message, Reply: Message>(
        _ call: (Request) throws -> Reply, _ request: [UInt8]
    ) throws -> [UInt8] {
        try encoded(call(Request(serializedBytes: request)))
    }

    private func encoded(_ reply: some Message) throws -> [UInt8] { try reply.serializedBytes() }
}

extension MilvusKeyValuePair {
    static func pair(_ key: String, _ value: String) -> MilvusKeyValuePair {
        .with {
            $0.key = key
            $0.value = value
        }
    }
}
