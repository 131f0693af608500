import MilvusProto
import StopoverCore

extension MilvusCluster {
    /// Everything that can be asked about a collection, put together from five calls.
    ///
    /// The name stays the one that was asked for: 2.3.5 answers an alias with the alias.
    /// - Throws: `STO-COLLECTION-EXTERNAL` for a collection whose rows lie elsewhere, and
    ///   `STO-SCHEMA-UNKNOWN-TYPE` naming the field when its type is of a newer server.
    public func describe(
        _ name: CollectionName
    ) async throws(StopoverError) -> CollectionDescription? {
        let reply: MilvusDescribeCollectionResponse
        do {
            let request = MilvusDescribeCollectionRequest.with {
                $0.dbName = name.database
                $0.collectionName = name.collection
            }
            reply = try await client.call(.describeCollection, request, subject: name.description)
        } catch  where error.code == .collectionMissing || error.code == .databaseMissing {
            return nil
        }
        guard !reply.schema.isExternal else {
            throw StopoverError(
                .collectionExternal,
                "\(name) on \(address) is an external collection: its rows are not in Milvus",
                remedy: "Migrate what it refers to with the tools of that storage, or leave it out."
            )
        }

        var collection = CollectionDescription(
            name: name, schema: try SchemaDecoding.schema(reply.schema, of: name))
        collection.collectionID = reply.collectionID
        collection.shards = max(reply.shardsNum, 1)
        collection.consistencyLevel = reply.consistencyLevel
        collection.properties = SchemaDecoding.dictionary(reply.properties)
        collection.aliases = reply.aliases.isEmpty ? try await aliases(of: name) : reply.aliases
        collection.indexes = try await indexes(of: name)
        collection.loadState = try await loadState(of: name)
        if collection.schema.partitionKey != nil {
            // The server's own partitions: rows go to them by their key, and the names are not ours.
            collection.partitionKeyPartitions = reply.numPartitions > 0 ? reply.numPartitions : nil
        } else {
            collection.partitions = try await partitions(of: collection)
        }
        return collection
    }

    /// Lite 3 leaves them out of DescribeCollection.
    func aliases(of name: CollectionName) async throws(StopoverError) -> [String] {
        let request = MilvusListAliasesRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        do {
            let reply: MilvusListAliasesResponse = try await client.call(
                .listAliases, request, subject: name.description)
            return reply.aliases
        } catch  where error.code == .clusterUnimplemented {
            return []
        }
    }

    func indexes(of name: CollectionName) async throws(StopoverError) -> [IndexDescription] {
        let request = MilvusDescribeIndexRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        do {
            let reply: MilvusDescribeIndexResponse = try await client.call(
                .describeIndex, request, subject: name.description)
            return reply.indexDescriptions.map { index in
                IndexDescription(
                    name: index.indexName, field: index.fieldName,
                    params: SchemaDecoding.dictionary(index.params))
            }
        } catch  where error.code == .indexMissing {
            // 700 is also how servers say that a collection has none.
            return []
        }
    }

    private func partitions(
        of collection: CollectionDescription
    ) async throws(StopoverError) -> [PartitionDescription] {
        let name = collection.name
        let request = MilvusShowPartitionsRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
        }
        let names: [String]
        do {
            let reply: MilvusShowPartitionsResponse = try await client.call(
                .showPartitions, request, subject: name.description)
            names = reply.partitionNames
        } catch  where error.code == .clusterUnimplemented {
            names = [PartitionDescription.defaultName]
        }
        var partitions: [PartitionDescription] = []
        for partition in names {
            // The state of the collection says "loaded" when one partition is: ask for each, unless
            // nothing is loaded at all.
            let state =
                collection.loadState == .notLoaded
                ? .notLoaded : try await loadState(of: name, partition: partition)
            partitions.append(PartitionDescription(name: partition, loadState: state))
        }
        return partitions
    }

    func loadState(
        of name: CollectionName, partition: String? = nil
    ) async throws(StopoverError) -> LoadState {
        let request = MilvusGetLoadStateRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            if let partition { $0.partitionNames = [partition] }
        }
        do {
            let reply: MilvusGetLoadStateResponse = try await client.call(
                .getLoadState, request, subject: name.description)
            return LoadState(rawValue: reply.state) ?? .notLoaded
        } catch  where error.code == .collectionNotLoaded {
            return .notLoaded
        }
    }
}
