import Foundation
import StopoverCore
import StopoverMilvus

/// From addresses and references in migration.yaml to clusters that answer.
enum Clusters {
    static func withCluster<Value: Sendable>(
        _ endpoint: Endpoint, writeTimeout: Duration = MigrationLimits.defaultWriteTimeout,
        _ body: (MilvusCluster) async throws -> Value
    ) async throws -> Value {
        try await MilvusCluster.withCluster(
            MilvusEndpoint(endpoint), writeTimeout: writeTimeout, body)
    }

    static func withClusters<Value: Sendable>(
        of migration: Migration, _ body: (MilvusCluster, MilvusCluster) async throws -> Value
    ) async throws -> Value {
        try await withCluster(migration.source) { source in
            try await withCluster(
                migration.target, writeTimeout: migration.limits.writeTimeout
            ) { target in
                try await body(source, target)
            }
        }
    }
}

extension MilvusEndpoint {
    /// The secret is read now and again when the cluster no longer takes it, and kept nowhere.
    init(_ endpoint: Endpoint) {
        var credentials = Credentials.none
        if let asked = endpoint.credentials {
            credentials = Credentials { () throws(StopoverError) in
                switch try asked.resolve() {
                case .token(let token): token.exposed()
                case .password(let user, let password): "\(user):\(password.exposed())"
                }
            }
        }
        let tls =
            endpoint.address.isEncrypted
            ? TLS(
                authorityPath: endpoint.tls?.ca, certificatePath: endpoint.tls?.certificate,
                keyPath: endpoint.tls?.key, serverName: endpoint.tls?.serverName)
            : nil
        self.init(
            host: endpoint.address.host, port: endpoint.address.port, tls: tls,
            credentials: credentials)
    }
}

extension Endpoint {
    /// A cluster named on the command line, where a secret may only be referred to.
    init(argument uri: String, token: String?) throws(StopoverError) {
        let address: EndpointAddress
        do { address = try EndpointAddress(uri) } catch {
            throw StopoverError(
                .addressArgument, error.sentence,
                remedy: "Give it as http://HOST:PORT or https://HOST:PORT.")
        }
        var credentials: Credentials?
        if let token {
            guard let reference = SecretReference(token) else {
                throw StopoverError(
                    .secretArgument,
                    "--token takes a reference, not the token itself: arguments "
                        + "are seen by every user of the machine",
                    remedy: "`--token '${MILVUS_TOKEN}'`, `--token file:PATH` or `--token fd:3`.")
            }
            credentials = .token(reference)
        }
        self.init(address: address, credentials: credentials)
    }
}

extension StopoverError.Code {
    static let addressArgument = Self("STO-ARGUMENT-ADDRESS", exit: .usage)
    static let secretArgument = Self("STO-ARGUMENT-SECRET", exit: .usage)
}
