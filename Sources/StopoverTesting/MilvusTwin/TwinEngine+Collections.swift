import MilvusProto
import StopoverCore
import SwiftProtobuf

extension TwinEngine {
    func createDatabase(_ request: MilvusCreateDatabaseRequest) throws -> MilvusStatus {
        do {
            try TwinCatalog.check(name: request.dbName, of: "database")
        } catch let refusal as TwinRefusal {
            throw TwinRefusal(802, 1, refusal.reason)
        }
        return try catalog.withLock { catalog in
            guard catalog.databases[request.dbName] == nil else {
                throw TwinRefusal.unexpected("database already exist: \(request.dbName)")
            }
            catalog.databases[request.dbName] = [:]
            return MilvusStatus()
        }
    }

    func showCollections(
        _ request: MilvusShowCollectionsRequest
    ) throws -> MilvusShowCollectionsResponse {
        let held = try catalog.withLock { try $0.collections(in: request.dbName) }
        let names = held.keys.sorted()
        return .with {
            $0.collectionNames = names
            $0.collectionIds = names.compactMap { held[$0]?.id }
        }
    }

    /// Creating what is there with the same schema is a success, as on 2.3.5.
    func createCollection(_ request: MilvusCreateCollectionRequest) throws -> MilvusStatus {
        let name = request.collectionName
        try TwinCatalog.check(name: name, of: "collection")
        let given = try MilvusCollectionSchema(serializedBytes: request.schema)
        guard given.name == name else {
            throw TwinRefusal.badParameter(
                "collection name must match: collection name matches schema name"
                    + "[expected=\(name)][actual=\(given.name)]")
        }
        let schema = try TwinSchema(given)
        let database = TwinCatalog.database(request.dbName)
        let created = timestamp()
        return try catalog.withLock { catalog in
            guard let held = catalog.databases[database] else {
                throw TwinRefusal.unexpected("database:\(database) not found")
            }
            if let other = held[name] {
                guard other.schema.message == schema.message else {
                    throw TwinRefusal.unexpected(
                        "create duplicate collection with different parameters, collection: \(name)"
                    )
                }
                return MilvusStatus()
            }
            guard catalog.aliases[database]?[name] == nil else {
                throw TwinRefusal.unexpected(
                    "create duplicate collection with different parameters, collection: \(name)")
            }
            guard request.numPartitions == 0 || schema.hasPartitionKey else {
                throw TwinRefusal.badParameter(
                    "num_partitions should only be specified with partition key field enabled")
            }
            let rows: any RowKeeper =
                options.store == .memory ? MemoryRows(schema, options.existingKeys) : TallyRows()
            let collection = TwinCollection(
                id: catalog.newID(), schema: schema, rows: rows, created: created,
                shards: max(request.shardsNum, 1), consistencyLevel: request.consistencyLevel,
                properties: request.properties,
                hiddenPartitions: schema.hasPartitionKey
                    ? Int(request.numPartitions > 0 ? request.numPartitions : 16) : 0,
                partitions: [(PartitionDescription.defaultName, catalog.newID())])
            catalog.databases[database]?[name] = collection
            return MilvusStatus()
        }
    }

    func describeCollection(
        _ request: MilvusDescribeCollectionRequest
    ) throws -> MilvusDescribeCollectionResponse {
        let (held, aliases) = try catalog.withLock { catalog in
            let held = try catalog.collection(
                request.dbName, request.collectionName, errorCode: 1)
            return (held, catalog.aliases(of: held.id, in: request.dbName))
        }
        return .with {
            $0.schema = held.description
            $0.aliases = aliases
            $0.schema.name = request.collectionName
            $0.collectionID = held.id
            $0.collectionName = request.collectionName
            $0.createdTimestamp = held.created
            $0.createdUtcTimestamp = held.created >> 18
            $0.shardsNum = held.shards
            $0.consistencyLevel = held.consistencyLevel
            $0.properties = held.properties
            $0.dbName = TwinCatalog.database(request.dbName)
            $0.numPartitions = Int64(
                held.hiddenPartitions > 0 ? held.hiddenPartitions : held.partitions.count)
        }
    }

    func dropCollection(_ request: MilvusDropCollectionRequest) -> MilvusStatus {
        catalog.withLock {
            $0.databases[TwinCatalog.database(request.dbName)]?[request.collectionName] = nil
        }
        return MilvusStatus()
    }

    /// Changes properties, or takes some away.
    func alterCollection(_ request: MilvusAlterCollectionRequest) throws -> MilvusStatus {
        try catalog.withLock { catalog in
            try catalog.change(request.dbName, request.collectionName) { held in
                guard request.properties.isEmpty != request.deleteKeys.isEmpty else {
                    throw TwinRefusal.badParameter(
                        "properties to set, or keys to delete: one of the two")
                }
                let gone = Set(request.deleteKeys + request.properties.map(\.key))
                held.properties.removeAll { gone.contains($0.key) }
                held.properties += request.properties
            }
            return MilvusStatus()
        }
    }

    func hasCollection(_ request: MilvusHasCollectionRequest) -> MilvusBoolResponse {
        let held = catalog.withLock {
            $0.databases[TwinCatalog.database(request.dbName)]?[request.collectionName]
        }
        return .with { $0.value = held != nil }
    }

    /// Keeps the collection as it is, loaded or not; another database takes it too.
    func renameCollection(_ request: MilvusRenameCollectionRequest) throws -> MilvusStatus {
        try TwinCatalog.check(name: request.newName, of: "collection")
        let old = TwinCatalog.database(request.dbName)
        let new = request.newDbName.isEmpty ? old : request.newDbName
        return try catalog.withLock { catalog in
            let held = try catalog.collection(old, request.oldName)
            guard let others = catalog.databases[new] else {
                throw TwinRefusal.unexpected("target database:\(new) not found")
            }
            guard others[request.newName] == nil, catalog.aliases[new]?[request.newName] == nil
            else {
                throw TwinRefusal.unexpected(
                    "duplicated new collection name \(new):\(request.newName) with other "
                        + "collection name or alias")
            }
            catalog.databases[old]?[request.oldName] = nil
            catalog.databases[new]?[request.newName] = held
            return MilvusStatus()
        }
    }

    // MARK: Aliases

    func createAlias(_ request: MilvusCreateAliasRequest) throws -> MilvusStatus {
        try TwinCatalog.check(name: request.alias, of: "alias")
        let database = TwinCatalog.database(request.dbName)
        return try catalog.withLock { catalog in
            let held = try catalog.collection(database, request.collectionName)
            guard catalog.databases[database]?[request.alias] == nil,
                catalog.aliases[database]?[request.alias] ?? held.id == held.id
            else { throw TwinRefusal.aliasTaken(request.alias) }
            catalog.aliases[database, default: [:]][request.alias] = held.id
            return MilvusStatus()
        }
    }

    func listAliases(_ request: MilvusListAliasesRequest) throws -> MilvusListAliasesResponse {
        let aliases = try catalog.withLock { catalog in
            guard !request.collectionName.isEmpty else {
                return (catalog.aliases[TwinCatalog.database(request.dbName)] ?? [:]).keys.sorted()
            }
            let held = try catalog.collection(request.dbName, request.collectionName)
            return catalog.aliases(of: held.id, in: request.dbName)
        }
        return .with {
            $0.dbName = TwinCatalog.database(request.dbName)
            $0.collectionName = request.collectionName
            $0.aliases = aliases
        }
    }

    // MARK: Partitions

    func createPartition(_ request: MilvusCreatePartitionRequest) throws -> MilvusStatus {
        try TwinCatalog.check(name: request.partitionName, of: "partition")
        return try catalog.withLock { catalog in
            let id = catalog.newID()
            try catalog.change(request.dbName, request.collectionName) { held in
                guard held.hiddenPartitions == 0 else {
                    throw TwinRefusal.unexpected(
                        "disable create partition if partition key mode is used")
                }
                guard !held.partitionNames.contains(request.partitionName) else { return }
                held.partitions.append((request.partitionName, id))
            }
            return MilvusStatus()
        }
    }

    func showPartitions(
        _ request: MilvusShowPartitionsRequest
    ) throws -> MilvusShowPartitionsResponse {
        let held = try catalog.withLock {
            try $0.collection(request.dbName, request.collectionName, errorCode: 1)
        }
        return .with {
            guard held.hiddenPartitions > 0 else {
                $0.partitionNames = held.partitionNames
                $0.partitionIds = held.partitions.map(\.id)
                return
            }
            $0.partitionNames = (0..<held.hiddenPartitions).map { "_default_\($0)" }
            $0.partitionIds = (0..<held.hiddenPartitions).map { held.id + Int64($0) + 1 }
        }
    }

    // MARK: Statistics

    /// Flushed rows only, as Go servers count them; and what the twin knows besides.
    func getCollectionStatistics(
        _ request: MilvusGetCollectionStatisticsRequest
    ) throws -> MilvusGetCollectionStatisticsResponse {
        let held = try catalog.withLock {
            try $0.collection(request.dbName, request.collectionName)
        }
        var stats = [MilvusKeyValuePair.pair("row_count", String(held.flushedRows))]
        // Computed anew for the others, which would take as long as reading them.
        if held.rows is TallyRows {
            let tally = try held.rows.tally(partitions: held.partitionNames)
            stats.append(.pair("twin.rows", String(tally.rows)))
            if let least = tally.least { stats.append(.pair("twin.least", "\(least)")) }
            if let greatest = tally.greatest { stats.append(.pair("twin.greatest", "\(greatest)")) }
            for (name, sum) in tally.columns.sorted(by: { $0.key < $1.key }) {
                stats.append(.pair("twin.checksum.\(name)", String(sum, radix: 16)))
            }
        }
        return .with { $0.stats = stats }
    }

    func tally(of name: CollectionName) throws -> MilvusTwin.Tally {
        let held = try catalog.withLock { try $0.collection(name.database, name.collection) }
        return try held.rows.tally(partitions: held.partitionNames)
    }
}
