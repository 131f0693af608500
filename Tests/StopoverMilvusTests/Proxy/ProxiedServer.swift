import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

/// Lite 3 behind a proxy, a collection on it, and a client of each side: `cluster` through the
/// proxy, `direct` beside it.
struct ProxiedServer: Sendable {
    static let name = CollectionName(collection: "things")
    static let key = FieldSchema(name: "id", type: .int64)
    /// Above what any call but a write of ``batch(_:)`` sends.
    static let writeBytes = 100_000
    static let dimension = 256

    let proxy: FaultProxy
    let cluster: MilvusCluster
    let direct: MilvusCluster

    static func with(
        isAutoID: Bool = false, writeTimeout: Duration = .seconds(2),
        _ body: (ProxiedServer) async throws -> Void
    ) async throws {
        try await RealServer.with(.lite3) { server in
            let proxy = try FaultProxy(to: server.port)
            let endpoint = MilvusEndpoint(host: "127.0.0.1", port: proxy.port)
            try await MilvusCluster.withCluster(server.endpoint) { direct in
                var asked = CollectionDescription(
                    name: name, schema: CollectionSchema(fields: [key, vector]))
                asked.schema.fields[0].isPrimaryKey = true
                asked.schema.fields[0].isAutoID = isAutoID
                try await direct.create(asked)
                try await direct.createIndex(
                    IndexDescription(
                        name: "v", field: "v",
                        params: ["index_type": "AUTOINDEX", "metric_type": "L2"]), on: name)
                try await direct.loadWhole(name)
                try await MilvusCluster.withCluster(
                    endpoint, connections: 1, writeTimeout: writeTimeout
                ) { cluster in
                    try await body(
                        ProxiedServer(proxy: proxy, cluster: cluster, direct: direct))
                }
            }
        }
    }

    private static var vector: FieldSchema {
        var vector = FieldSchema(name: "v", type: .floatVector)
        vector.typeParams = ["dim": "\(dimension)"]
        return vector
    }

    /// Rows of a kilobyte each.
    func batch(_ keys: Range<Int64>, isAutoID: Bool = false) throws -> Batch {
        let vectors = try ColumnBuilder.floatVectors(
            "v", dimension: Self.dimension,
            [Float](repeating: 0.25, count: Self.dimension * keys.count))
        let ids = try ColumnBuilder.longs("id", Array(keys))
        return Batch(rowCount: keys.count, columns: isAutoID ? [vectors] : [ids, vectors])
    }

    func write(_ keys: Range<Int64>, isAutoID: Bool = false) async throws -> WriteOutcome {
        await cluster.write(
            try batch(keys, isAutoID: isAutoID),
            to: InsertDestination(collection: Self.name, partition: nil), mode: .insert)
    }

    /// How many rows there are, asked beside the proxy.
    func rowCount() async throws -> Int64 {
        try await direct.count(RowSelection(collection: Self.name, primaryKey: Self.key))
    }

    /// Waits until so many rows are there, or for ten seconds.
    func rowCount(reaches wanted: Int64) async throws -> Int64 {
        try await until { try await rowCount() >= wanted }
        return try await rowCount()
    }

    func until(_ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while try await !condition(), .now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension WriteOutcome {
    var isAcknowledged: Bool {
        if case .acknowledged = self { true } else { false }
    }

    var isInDoubt: Bool {
        if case .inDoubt = self { true } else { false }
    }
}
