import Foundation

/// One side of a migration: the address of a cluster and how to show who we are. Holds references
/// to secrets, never secrets, so it may be printed.
public struct Endpoint: Hashable, Sendable, Codable {
    public var address: EndpointAddress
    public var credentials: Credentials?
    /// nil leaves it to be guessed from the host name.
    public var clusterPlan: ClusterPlan?
    public var tls: TLSFiles?

    public init(
        address: EndpointAddress, credentials: Credentials? = nil,
        clusterPlan: ClusterPlan? = nil, tls: TLSFiles? = nil
    ) {
        self.address = address
        self.credentials = credentials
        self.clusterPlan = clusterPlan
        self.tls = tls
    }

    /// What `plan:` says, else what the host's name tells.
    public var likelyPlan: ClusterPlan { clusterPlan ?? ClusterPlan(host: address.host) }

    /// Whether the name told it, and may mean another one.
    var planIsUncertain: Bool { clusterPlan == nil && likelyPlan == .serverless }
}

/// How a cluster is told who asks.
public enum Credentials: Hashable, Sendable, Codable {
    case token(SecretReference)
    case password(user: String, SecretReference)

    /// - Throws: as ``SecretReference/resolve(environment:)``.
    public func resolve(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(StopoverError) -> ResolvedCredentials {
        switch self {
        case .token(let reference): .token(try reference.resolve(environment: environment))
        case .password(let user, let reference):
            .password(user: user, try reference.resolve(environment: environment))
        }
    }
}

/// Credentials with the secret itself. Neither stored nor encoded.
public enum ResolvedCredentials: Sendable {
    case token(Secret)
    case password(user: String, Secret)
}

/// The offers of Zilliz Cloud, between which only some migrations are possible.
public enum ClusterPlan: String, Hashable, Sendable, Codable, CaseIterable {
    case free
    case serverless
    case dedicated
    case selfHosted = "self-hosted"

    /// By the name of a host (docs.zilliz.com, "Connect to Serving Clusters"): Dedicated clusters
    /// are `ID.REGION.vectordb.zillizcloud.com`, Serverless and Free ones
    /// `ID.serverless.REGION.…`, and before `in03-….api.REGION.zillizcloud.com`. Nothing tells those
    /// two apart.
    init(host: String) {
        if !EndpointAddress.isZillizHost(host) {
            self = .selfHosted
        } else if host.contains(".serverless.") || host.hasPrefix("in03-") {
            self = .serverless
        } else {
            self = .dedicated
        }
    }

    /// As the console writes it.
    var title: String {
        switch self {
        case .free: "Free"
        case .serverless: "Serverless"
        case .dedicated: "Dedicated"
        case .selfHosted: "self-hosted"
        }
    }
}

/// Files for TLS. `ca` alone verifies the server by it, `certificate` and `key` add mutual TLS.
public struct TLSFiles: Hashable, Sendable, Codable {
    public var ca: String?
    public var certificate: String?
    public var key: String?
    /// The name to expect in the server's certificate, where it is not the host of the address.
    public var serverName: String?

    public init(
        ca: String? = nil, certificate: String? = nil, key: String? = nil,
        serverName: String? = nil
    ) {
        self.ca = ca
        self.certificate = certificate
        self.key = key
        self.serverName = serverName
    }
}
