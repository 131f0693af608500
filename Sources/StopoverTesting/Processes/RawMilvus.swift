import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// One connection to a Milvus server: any method by its name, any bytes, and what comes back as it is.
/// For tests of servers, in which no client of ours shall have a say.
public struct RawMilvus: Sendable {
    private let client: GRPCClient<HTTP2ClientTransport.Posix>

    /// Keeps the connection for the time of `body`. Go servers ping with every few calls, which ends
    /// a connection of this kind after some 200 of them.
    public static func with<Value: Sendable>(
        host: String, port: Int, _ body: @Sendable (RawMilvus) async throws -> Value
    ) async throws -> Value {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: host, port: port), transportSecurity: .plaintext)
        return try await withGRPCClient(transport: transport) { client in
            try await body(RawMilvus(client: client))
        }
    }

    /// - Throws: `RPCError` where there is no reply.
    public func call(_ method: String, _ request: [UInt8]) async throws -> [UInt8] {
        var options = CallOptions.defaults
        options.timeout = .seconds(60)
        return try await client.unary(
            request: ClientRequest(message: request),
            descriptor: MethodDescriptor(
                fullyQualifiedService: TwinMethod.service, method: method),
            serializer: BytesCodec(), deserializer: BytesCodec(), options: options
        ) { try $0.message }
    }

    /// The name of gRPC's status in an error that ``call(_:_:)`` threw.
    public static func status(of error: any Error) -> String? {
        (error as? RPCError).map { "\($0.code)" }
    }
}
