import MilvusProto
import StopoverCore

// What a target is asked to do besides taking rows. Each call may be repeated after an error that
// is transient, once the caller has looked what is there.
extension MilvusCluster {
    public func createDatabase(_ name: String) async throws(StopoverError) {
        let request = MilvusCreateDatabaseRequest.with { $0.dbName = name }
        try await client.perform(.createDatabase, request, subject: name)
    }

    /// Asks first whether the name is taken: 2.3.5 calls a second creation with the same schema
    /// a success.
    public func create(_ collection: CollectionDescription) async throws(StopoverError) {
        let name = collection.name
        guard try await !exists(name) else {
            throw StopoverError(
                .collectionExists, "\(address) already has the collection \(name)",
                remedy: ClusterErrorText.remedy(.collectionExists))
        }
        let schema = try SchemaEncoding.message(collection)
        let encoded = try client.encode(schema)
        let request = MilvusCreateCollectionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.schema = .init(encoded)
            $0.shardsNum = collection.shards
            $0.consistencyLevel = collection.consistencyLevel
            $0.properties = SchemaEncoding.pairs(collection.properties)
            // Servers refuse a number of partitions without a partition key.
            if collection.schema.partitionKey != nil {
                $0.numPartitions = collection.partitionKeyPartitions ?? 0
            }
        }
        try await client.perform(.createCollection, request, subject: name.description)
        guard collection.schema.partitionKey == nil else { return }
        for partition in collection.partitions
        where partition.name != PartitionDescription.defaultName {
            try await createPartition(partition.name, of: name)
        }
    }

    public func createPartition(
        _ partition: String, of name: CollectionName
    ) async throws(StopoverError) {
        let request = MilvusCreatePartitionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.partitionName = partition
        }
        try await client.perform(
            .createPartition, request, subject: "\(name), partition \(partition)")
    }

    private func exists(_ name: CollectionName) async throws(StopoverError) -> Bool {
        let request = MilvusDescribeCollectionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        do {
            let _: MilvusDescribeCollectionResponse = try await client.call(
                .describeCollection, request, subject: name.description)
            return true
        } catch  where error.code == .collectionMissing {
            return false
        }
    }

    /// An index that the field already has under the same terms is a success: 2.3.5 says so
    /// itself, Lite 3 answers code 35.
    public func createIndex(
        _ index: IndexDescription, on name: CollectionName
    ) async throws(StopoverError) {
        let request = MilvusCreateIndexRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.fieldName = index.field
            $0.indexName = index.name
            $0.extraParams = SchemaEncoding.pairs(index.params)
        }
        do {
            try await client.perform(
                .createIndex, request, subject: "\(name), field \(index.field)")
        } catch  where error.code == .indexExists {
            let made = try await indexes(of: name).first { $0.field == index.field }
            guard let made, made.params["index_type"] == index.params["index_type"],
                made.metricType == index.metricType
            else { throw error }
        }
    }

    public func rename(
        _ name: CollectionName, to newName: CollectionName
    ) async throws(StopoverError) {
        let request = MilvusRenameCollectionRequest.with {
            $0.dbName = name.database
            $0.oldName = name.collection
            $0.newName = newName.collection
            // Always: without it 2.3.5 moves the collection to the database `default` [measured].
            $0.newDbName = newName.database
        }
        try await client.perform(.renameCollection, request, subject: name.description)
    }

    public func removeProperty(
        _ key: String, of name: CollectionName
    ) async throws(StopoverError) {
        let request = MilvusAlterCollectionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.deleteKeys = [key]
        }
        try await client.perform(.alterCollection, request, subject: "\(name), property \(key)")
    }

    /// Dropping what is not there is a success on both measured servers.
    public func drop(_ name: CollectionName) async throws(StopoverError) {
        let request = MilvusDropCollectionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        try await client.perform(.dropCollection, request, subject: name.description)
    }

    public func load(_ name: CollectionName) async throws(StopoverError) {
        let request = MilvusLoadCollectionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.replicaNumber = 1
        }
        try await client.perform(.loadCollection, request, subject: name.description)
    }

    /// 100 by the load state alone: the percentage reaches it before every segment can be read.
    public func loadProgress(of name: CollectionName) async throws(StopoverError) -> Int {
        if try await loadState(of: name) == .loaded { return 100 }
        let request = MilvusGetLoadingProgressRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        do {
            let reply: MilvusGetLoadingProgressResponse = try await client.call(
                .getLoadingProgress, request, subject: name.description)
            return min(max(Int(reply.progress), 0), 99)
        } catch  where error.code == .clusterUnimplemented || error.code == .collectionNotLoaded {
            return 0
        }
    }

    /// An alias that stands for this collection already is a success.
    public func createAlias(
        _ alias: String, of name: CollectionName
    ) async throws(StopoverError) {
        let request = MilvusCreateAliasRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.alias = alias
        }
        do {
            try await client.perform(.createAlias, request, subject: "\(name), alias \(alias)")
        } catch  where error.code == .requestRefused {
            // The codes differ from server to server: what counts is what stands there now.
            if try await aliases(of: name).contains(alias) { return }
            throw StopoverError(
                .aliasTaken, "the name is taken on \(address)",
                remedy: "Move or drop it there, then create the alias.", cause: error.message)
        }
    }

    public func release(_ name: CollectionName) async throws(StopoverError) {
        let request = MilvusReleaseCollectionRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        try await client.perform(.releaseCollection, request, subject: name.description)
    }

    // MARK: Flush

    public func flush(_ name: CollectionName) async throws(StopoverError) -> FlushTicket {
        let request = MilvusFlushRequest.with {
            $0.dbName = name.database
            $0.collectionNames = [name.collection]
        }
        let reply: MilvusFlushResponse = try await client.call(
            .flush, request, subject: name.description)
        return FlushTicket(
            segmentIDs: reply.collSegIds[name.collection]?.data ?? [],
            timestamp: reply.collFlushTs[name.collection] ?? 0)
    }

    public func isFlushed(
        _ ticket: FlushTicket, of name: CollectionName
    ) async throws(StopoverError) -> Bool {
        let request = MilvusGetFlushStateRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.segmentIds = ticket.segmentIDs
            $0.flushTs = ticket.timestamp
        }
        let reply: MilvusGetFlushStateResponse = try await client.call(
            .getFlushState, request, subject: name.description)
        return reply.flushed
    }
}
