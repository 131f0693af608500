import MilvusProto
import StopoverCore
import SwiftProtobuf

/// A collection of a script, and the messages about it.
struct ConformanceTable: Sendable {
    var server: ConformanceServer
    var name: String
    var keyType = DataType.int64
    var isAutoID = false
    var hasDynamicKeys = false
    /// Besides `id`, `vector` of two dimensions, and `number`.
    var more: [MilvusFieldSchema] = []
    var properties: [(String, String)] = []

    init(_ server: ConformanceServer, _ suffix: String = "") {
        self.server = server
        name = server.name(suffix)
    }

    static func pairs(_ pairs: [(String, String)]) -> [MilvusKeyValuePair] {
        pairs.map { key, value in
            .with {
                $0.key = key
                $0.value = value
            }
        }
    }

    static func field(
        _ name: String, _ type: DataType, _ params: [(String, String)] = [],
        _ change: (inout MilvusFieldSchema) -> Void = { _ in }
    ) -> MilvusFieldSchema {
        var field = MilvusFieldSchema.with {
            $0.name = name
            $0.dataType = type.rawValue
            $0.typeParams = pairs(params)
        }
        change(&field)
        return field
    }

    var schema: MilvusCollectionSchema {
        .with {
            $0.name = name
            $0.enableDynamicField = hasDynamicKeys
            $0.fields =
                [
                    Self.field("id", keyType, keyType == .varchar ? [("max_length", "64")] : []) {
                        $0.isPrimaryKey = true
                        $0.autoID = isAutoID
                    },
                    Self.field("vector", .floatVector, [("dim", "2")]),
                    Self.field("number", .int64),
                ] + more
        }
    }

    // MARK: Making it

    func create(partitions: Int64 = 0) async throws {
        let schema = try schema.serializedData()
        try await server.perform(
            "CreateCollection",
            MilvusCreateCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.schema = schema
                $0.shardsNum = 1
                $0.consistencyLevel = 0
                $0.properties = Self.pairs(properties)
                $0.numPartitions = partitions
            })
    }

    /// Creates it, with an index, loaded.
    func open() async throws {
        try await create()
        try await index()
        try await load()
    }

    func index(_ metric: String = "L2", on field: String = "vector") async throws {
        try await server.perform(
            "CreateIndex",
            MilvusCreateIndexRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.fieldName = field
                $0.extraParams = Self.pairs([
                    ("index_type", "AUTOINDEX"), ("metric_type", metric),
                ])
            })
    }

    /// Returns when it is loaded, which takes Go servers a while.
    func load() async throws {
        try await server.perform(
            "LoadCollection",
            MilvusLoadCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.replicaNumber = 1
            })
        let deadline = ContinuousClock.now + .seconds(30)
        while try await loadState() != "loaded", ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func release() async throws {
        try await server.perform(
            "ReleaseCollection",
            MilvusReleaseCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
            })
    }

    func loadState(partitions: [String] = []) async throws -> String {
        let reply = try await server.call(
            "GetLoadState",
            MilvusGetLoadStateRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.partitionNames = partitions
            }, as: MilvusGetLoadStateResponse.self)
        return ["missing", "not loaded", "loading", "loaded"][Int(reply.state)]
    }

    func describe() async throws -> MilvusDescribeCollectionResponse {
        try await server.call(
            "DescribeCollection",
            MilvusDescribeCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
            }, as: MilvusDescribeCollectionResponse.self)
    }

    func drop() async throws {
        try await server.perform(
            "DropCollection",
            MilvusDropCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
            })
    }

    /// - Parameter database: always sent, as our client does: without it 2.3.5 takes the default one.
    func rename(to newName: String, database: String? = nil) async throws {
        try await server.perform(
            "RenameCollection",
            MilvusRenameCollectionRequest.with {
                $0.dbName = server.database
                $0.oldName = name
                $0.newName = newName
                $0.newDbName = database ?? server.database
            })
    }

    func createPartition(_ partition: String) async throws {
        try await server.perform(
            "CreatePartition",
            MilvusCreatePartitionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.partitionName = partition
            })
    }

    // MARK: Rows

    static func longs(_ name: String, _ values: [Int64]) -> MilvusFieldData {
        .with {
            $0.type = DataType.int64.rawValue
            $0.fieldName = name
            $0.scalars.longData.data = values
        }
    }

    static func texts(_ name: String, _ values: [String]) -> MilvusFieldData {
        .with {
            $0.type = DataType.varchar.rawValue
            $0.fieldName = name
            $0.scalars.stringData.data = values
        }
    }

    static func vectors(_ rows: Int) -> MilvusFieldData {
        .with {
            $0.type = DataType.floatVector.rawValue
            $0.fieldName = "vector"
            $0.vectors.dim = 2
            $0.vectors.floatVector.data = (0..<rows * 2).map { Float($0) }
        }
    }

    /// A request for rows with these keys, which is right until `change`.
    func request(
        _ keys: [Int64], number: Int64 = 0, partition: String = "",
        _ change: (inout MilvusInsertRequest) -> Void = { _ in }
    ) -> MilvusInsertRequest {
        var request = MilvusInsertRequest.with {
            $0.dbName = server.database
            $0.collectionName = name
            $0.partitionName = partition
            $0.numRows = UInt32(keys.count)
            $0.fieldsData = [
                Self.vectors(keys.count),
                Self.longs("number", keys.map { _ in number }),
            ]
            if !isAutoID { $0.fieldsData.insert(Self.longs("id", keys), at: 0) }
        }
        change(&request)
        return request
    }

    @discardableResult
    func insert(
        _ keys: [Int64], number: Int64 = 0, partition: String = "",
        _ change: (inout MilvusInsertRequest) -> Void = { _ in }
    ) async throws -> MilvusMutationResult {
        try await server.call(
            "Insert", request(keys, number: number, partition: partition, change),
            as: MilvusMutationResult.self)
    }

    @discardableResult
    func insert(texts keys: [String]) async throws -> MilvusMutationResult {
        try await insert(keys.map { _ in 0 }) { $0.fieldsData[0] = Self.texts("id", keys) }
    }

    @discardableResult
    func upsert(
        _ keys: [Int64], number: Int64 = 0, partition: String = "",
        _ change: (inout MilvusInsertRequest) -> Void = { _ in }
    ) async throws -> MilvusMutationResult {
        try await server.call(
            "Upsert", request(keys, number: number, partition: partition, change),
            as: MilvusMutationResult.self)
    }

    func delete(_ expression: String) async throws {
        _ = try await server.call(
            "Delete",
            MilvusDeleteRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.expr = expression
            }, as: MilvusMutationResult.self)
    }

    /// Rows sorted by key, as a reader of whole collections asks for them.
    func query(
        _ expression: String, limit: Int? = 100, fields: [String] = ["id", "number"],
        partitions: [String] = []
    ) async throws -> MilvusQueryResults {
        try await server.call(
            "Query",
            MilvusQueryRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.expr = expression
                $0.outputFields = fields
                $0.partitionNames = partitions
                $0.consistencyLevel = 0
                if let limit {
                    $0.queryParams = Self.pairs([
                        ("limit", String(limit)), ("iterator", "True"),
                        ("reduce_stop_for_best", "True"),
                    ])
                }
            }, as: MilvusQueryResults.self)
    }

    /// `3 rows: 1 2 3`.
    func rows(
        _ expression: String, limit: Int? = 100, partitions: [String] = []
    ) async throws -> String {
        let reply = try await query(expression, limit: limit, partitions: partitions)
        return Self.words(reply.keys)
    }

    static func words(_ keys: [String]) -> String {
        (["\(keys.count) rows" + (keys.isEmpty ? "" : ":")] + keys).joined(separator: " ")
    }

    func count(_ expression: String = "id > 0", partitions: [String] = []) async throws -> Int64 {
        let reply = try await query(
            expression, limit: nil, fields: ["count(*)"], partitions: partitions)
        return reply.fieldsData.first?.scalars.longData.data.first ?? -1
    }

    func statistics() async throws -> String {
        let reply = try await server.call(
            "GetCollectionStatistics",
            MilvusGetCollectionStatisticsRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
            }, as: MilvusGetCollectionStatisticsResponse.self)
        return reply.stats.first { $0.key == "row_count" }?.value ?? "no row_count"
    }

    /// Returns when it is done, which takes Go servers some seconds.
    func flush() async throws {
        let reply = try await server.call(
            "Flush",
            MilvusFlushRequest.with {
                $0.dbName = server.database
                $0.collectionNames = [name]
            }, as: MilvusFlushResponse.self)
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !isFlushed(reply), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func isFlushed(_ flush: MilvusFlushResponse) async throws -> Bool {
        try await server.call(
            "GetFlushState",
            MilvusGetFlushStateRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.segmentIds = flush.collSegIds[name]?.data ?? []
                $0.flushTs = flush.collFlushTs[name] ?? 0
            }, as: MilvusGetFlushStateResponse.self
        ).flushed
    }
}

extension MilvusQueryResults {
    /// Of the column `id`, as they came.
    var keys: [String] {
        guard let scalars = fieldsData.first(where: { $0.fieldName == "id" })?.scalars else {
            return []
        }
        if case .stringData(let texts)? = scalars.data { return texts.data.map(\.debugDescription) }
        return scalars.longData.data.map { String($0) }
    }

    func longs(_ name: String) -> [Int64] {
        fieldsData.first { $0.fieldName == name }?.scalars.longData.data ?? []
    }
}

extension MilvusIDs {
    var words: String {
        switch idField {
        case .intID(let list)?: list.data.map { String($0) }.joined(separator: " ")
        case .strID(let list)?: list.data.map(\.debugDescription).joined(separator: " ")
        case nil: "no ids"
        }
    }
}
