import MilvusProto
import StopoverCore

extension TwinEngine {
    /// Refused until every vector field has its index, as on 2.3.5. It is loaded when it returns.
    func loadCollection(_ request: MilvusLoadCollectionRequest) throws -> MilvusStatus {
        try catalog.withLock { catalog in
            try catalog.change(request.dbName, request.collectionName) { held in
                let indexed = Set(held.indexes.map(\.fieldName))
                for field in held.schema.fields
                where field.type.isVector && !indexed.contains(field.name) {
                    throw TwinRefusal.indexMissing(request.collectionName)
                }
                held.isLoaded = true
            }
            return MilvusStatus()
        }
    }

    func releaseCollection(_ request: MilvusReleaseCollectionRequest) throws -> MilvusStatus {
        try catalog.withLock { catalog in
            try catalog.change(request.dbName, request.collectionName) { $0.isLoaded = false }
            return MilvusStatus()
        }
    }

    /// A missing collection is a state, not an error.
    func getLoadState(_ request: MilvusGetLoadStateRequest) throws -> MilvusGetLoadStateResponse {
        let held = catalog.withLock {
            $0.databases[TwinCatalog.database(request.dbName)]?[request.collectionName]
        }
        guard let held else { return .with { $0.state = LoadState.absent.rawValue } }
        for name in request.partitionNames where !held.partitionNames.contains(name) {
            throw TwinRefusal.partitionMissing(name)
        }
        return .with { $0.state = (held.isLoaded ? LoadState.loaded : .notLoaded).rawValue }
    }

    func getLoadingProgress(
        _ request: MilvusGetLoadingProgressRequest
    ) throws -> MilvusGetLoadingProgressResponse {
        let held = try catalog.withLock {
            try $0.collection(request.dbName, request.collectionName)
        }
        guard held.isLoaded else { throw TwinRefusal.notLoaded }
        return .with { $0.progress = 100 }
    }

    // MARK: Indexes

    /// The same again is a success, another one is refused, as on 2.3.5.
    func createIndex(_ request: MilvusCreateIndexRequest) throws -> MilvusStatus {
        try catalog.withLock { catalog in
            let id = catalog.newID()
            try catalog.change(request.dbName, request.collectionName) { held in
                guard
                    let field = held.schema.fields.first(where: { $0.name == request.fieldName })
                else {
                    throw TwinRefusal.badParameter(
                        "cannot create index on non-exist field: \(request.fieldName)")
                }
                var params = request.extraParams
                if field.type.isVector, !params.contains(where: { $0.key == "metric_type" }) {
                    params.append(.pair("metric_type", "IP"))
                }
                let terms = { (params: [MilvusKeyValuePair]) in
                    Set(params.map { "\($0.key)=\($0.value)" })
                }
                if let other = held.indexes.first(where: { $0.fieldName == field.name }) {
                    guard terms(other.params) == terms(params) else {
                        throw TwinRefusal.unexpected(
                            "CreateIndex failed: at most one distinct index is allowed per field")
                    }
                    return
                }
                held.indexes.append(
                    .with {
                        $0.indexName = request.indexName.isEmpty ? field.name : request.indexName
                        $0.fieldName = field.name
                        $0.indexID = id
                        $0.params = params
                        $0.state = TwinEngine.indexFinished
                    })
            }
            return MilvusStatus()
        }
    }

    func describeIndex(
        _ request: MilvusDescribeIndexRequest
    ) throws -> MilvusDescribeIndexResponse {
        let held = try catalog.withLock {
            try $0.collection(request.dbName, request.collectionName)
        }
        let found = held.indexes.filter { index in
            (request.fieldName.isEmpty || index.fieldName == request.fieldName)
                && (request.indexName.isEmpty || index.indexName == request.indexName)
        }
        guard !found.isEmpty else { throw TwinRefusal.indexMissing(request.collectionName) }
        return .with { $0.indexDescriptions = found }
    }

    // MARK: Flush

    /// Done when it returns: memory has nothing to wait for. A segment for every flush that found
    /// rows, so that a client that sends none back is seen.
    func flush(_ request: MilvusFlushRequest) throws -> MilvusFlushResponse {
        let now = timestamp()
        return try catalog.withLock { catalog in
            var response = MilvusFlushResponse()
            response.dbName = TwinCatalog.database(request.dbName)
            for name in request.collectionNames {
                let segments: [Int64] = try catalog.change(request.dbName, name) { held in
                    held.rows.flush()
                    guard held.writtenRows > 0 else { return [] }
                    held.flushedRows += held.writtenRows
                    held.writtenRows = 0
                    held.flushes += 1
                    return [held.id + (held.flushes << 20)]
                }
                response.collSegIds[name] = .with { $0.data = segments }
                response.collFlushTs[name] = now
            }
            return response
        }
    }

    func getFlushState(
        _ request: MilvusGetFlushStateRequest
    ) throws -> MilvusGetFlushStateResponse {
        let now = timestamp()
        return .with { $0.flushed = request.flushTs < now }
    }
}
