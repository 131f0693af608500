import MilvusProto
import StopoverCore

/// A Milvus or Zilliz Cloud cluster as a source and as a target of migrations.
///
///     let cluster = try MilvusCluster(endpoint)
///     group.addTask { await cluster.run() }
///     defer { cluster.stop() }
///
/// Nothing is sent before the first call, and nothing is ever sent twice: an error with
/// `isTransient` says that the caller may try again.
public struct MilvusCluster: Cluster {
    let client: MilvusClient
    private let connections: HTTP2Transport?
    public let losses = LossSignal()

    /// - Throws: `STO-CLUSTER-TLS` when certificate or key files cannot be used.
    public init(
        _ endpoint: MilvusEndpoint, connections: Int = MilvusLimits.connections,
        writeTimeout: Duration = CallClass.insert.deadline
    ) throws(StopoverError) {
        let transport = try HTTP2Transport(
            endpoint, connections: connections, writeTimeout: writeTimeout, losses: losses)
        self.connections = transport
        client = MilvusClient(
            address: endpoint.address, transport: transport,
            authorization: Authorization(endpoint.credentials))
    }

    /// Over a transport of the caller's, which has its own life.
    public init(
        address: String, transport: any MilvusTransport,
        credentials: MilvusEndpoint.Credentials = .none
    ) {
        connections = nil
        client = MilvusClient(
            address: address, transport: transport, authorization: Authorization(credentials))
    }

    public var address: String { client.address }

    /// Holds the connections until ``stop()`` or until the task is cancelled; once per cluster.
    public func run() async { await connections?.run() }

    /// Ends calls under way and takes no new ones; ``run()`` returns then.
    public func stop() { connections?.stop() }

    /// Runs a cluster's connections around `body`.
    public static func withCluster<Value: Sendable>(
        _ endpoint: MilvusEndpoint, connections: Int = MilvusLimits.connections,
        writeTimeout: Duration = CallClass.insert.deadline,
        _ body: (MilvusCluster) async throws -> Value
    ) async throws -> Value {
        let cluster = try MilvusCluster(
            endpoint, connections: connections, writeTimeout: writeTimeout)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cluster.run() }
            defer { cluster.stop() }
            return try await body(cluster)
        }
    }
}

extension MilvusCluster {
    /// GetVersion, or where that is not implemented what Connect says, or `unknown`.
    public func identity() async throws(StopoverError) -> ServerIdentity {
        do {
            let reply: MilvusGetVersionResponse = try await client.call(
                .getVersion, MilvusGetVersionRequest())
            return ServerIdentity(reportedVersion: reply.version)
        } catch  where error.code == .clusterUnimplemented {}
        do {
            let reply: MilvusConnectResponse = try await client.call(
                .connect, MilvusConnectRequest())
            return ServerIdentity(reportedVersion: reply.serverInfo.buildTags)
        } catch  where error.code == .clusterUnimplemented {
            return .unknown
        }
    }

    /// `["default"]` for a server without databases.
    public func databases() async throws(StopoverError) -> [String] {
        do {
            let reply: MilvusListDatabasesResponse = try await client.call(
                .listDatabases, MilvusListDatabasesRequest())
            return reply.dbNames
        } catch  where error.code == .clusterUnimplemented {
            return [CollectionName(collection: "").database]
        }
    }

    public func collections(in database: String) async throws(StopoverError) -> [String] {
        let request = MilvusShowCollectionsRequest.with { $0.dbName = database }
        let reply: MilvusShowCollectionsResponse = try await client.call(
            .showCollections, request, subject: database)
        return reply.collectionNames
    }
}
