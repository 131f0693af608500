import StopoverCore

/// Where a Milvus or Zilliz Cloud cluster answers, and how to be let in.
public struct MilvusEndpoint: Sendable {
    public var host: String
    public var port: Int
    /// nil is plaintext.
    public var tls: TLS?
    public var credentials: Credentials

    public static let defaultPort = 19530

    public init(
        host: String, port: Int = MilvusEndpoint.defaultPort, tls: TLS? = nil,
        credentials: Credentials = .none
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.credentials = credentials
    }

    /// For messages and logs: it never holds a secret.
    public var address: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(tls == nil ? "http" : "https")://\(name):\(port)"
    }
}

extension MilvusEndpoint {
    /// TLS by PEM files. The default is one-way TLS against the roots of the system.
    public struct TLS: Sendable, Hashable {
        /// The certificate authorities to trust; nil is those of the system.
        public var authorityPath: String?
        /// Our certificate chain and its key, for mutual TLS: both or neither.
        public var certificatePath: String?
        public var keyPath: String?
        /// The name that the server's certificate must carry, where it is not the host's.
        public var serverName: String?

        public init(
            authorityPath: String? = nil, certificatePath: String? = nil, keyPath: String? = nil,
            serverName: String? = nil
        ) {
            self.authorityPath = authorityPath
            self.certificatePath = certificatePath
            self.keyPath = keyPath
            self.serverName = serverName
        }
    }

    /// Who we are, read when it is needed: the closure gives a token, or `user:password`, in the
    /// clear, and is asked again when the server no longer accepts what it gave before. Both have
    /// the same form on the wire (milvus-protocol.md, section 4).
    public struct Credentials: Sendable, CustomStringConvertible, CustomReflectable {
        public typealias Provider = @Sendable () throws(StopoverError) -> String?

        let provider: Provider?

        public init(_ provider: @escaping Provider) { self.provider = provider }
        private init() { provider = nil }

        public static let none = Credentials()

        public static func token(_ token: String) -> Credentials {
            Credentials { () throws(StopoverError) in token }
        }

        public static func user(_ name: String, password: String) -> Credentials {
            Credentials { () throws(StopoverError) in "\(name):\(password)" }
        }

        public var description: String { provider == nil ? "none" : "<redacted>" }
        public var customMirror: Mirror { Mirror(self, children: []) }
    }
}
