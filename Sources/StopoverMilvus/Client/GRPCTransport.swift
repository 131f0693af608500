import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOHTTP2
import StopoverCore
import Synchronization

/// gRPC over a few HTTP/2 connections, used in turn.
///
/// A connection that is lost comes back by itself; a call that meets none fails at once instead
/// of waiting for it. Nothing is retried: whether a request may be sent again is for the engine
/// to say.
final class GRPCTransport: MilvusTransport {
    private let clients: [GRPCClient<HTTP2ClientTransport.Posix>]
    private let turn = Atomic(0)
    /// Ends when the connections shall.
    private let stops = AsyncStream.makeStream(of: Void.self)

    /// The deadline of an Insert or Upsert: what a fence waits for, so the engine's to choose.
    private let writeTimeout: Duration

    /// - Parameter losses: told of each connection that ends.
    init(
        _ endpoint: MilvusEndpoint, connections: Int, writeTimeout: Duration, losses: LossSignal
    ) throws(StopoverError) {
        var clients: [GRPCClient<HTTP2ClientTransport.Posix>] = []
        do {
            for _ in 0..<max(connections, 1) {
                clients.append(
                    GRPCClient(transport: try GRPCTransport.connection(to: endpoint, losses)))
            }
        } catch {
            throw StopoverError(
                .clusterTLS, "the TLS settings for \(endpoint.address) cannot be used",
                remedy: "Check that the certificate and key files exist, are readable and are PEM.",
                cause: String(describing: error))
        }
        self.clients = clients
        self.writeTimeout = writeTimeout
    }

    /// Holds the connections until ``stop()`` or cancellation. Calls made before it wait for it.
    ///
    /// The connections are cancelled, not asked to end: one whose name does not resolve never hears
    /// the question [grpc-swift-nio-transport 2.9.2].
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for client in clients {
                // It throws only when it was stopped before, or was started twice.
                group.addTask { try? await client.runConnections() }
            }
            for await _ in stops.stream {}
            group.cancelAll()
        }
    }

    func stop() { stops.continuation.finish() }

    func call(
        _ method: MilvusMethod, _ request: any RequestBody, authorization: String?
    ) async -> Result<[UInt8], CallFailure> {
        let turn = turn.wrappingAdd(1, ordering: .relaxed).newValue
        let first = Int(UInt(bitPattern: turn) % UInt(clients.count))
        var answer = await call(method, request, authorization: authorization, on: clients[first])
        // A connection that is still in its backoff took nothing: another may be up again.
        for client in clients[(first + 1)...] + clients[..<first] {
            guard case .failure(let failure) = answer, !failure.wasSent else { break }
            answer = await call(method, request, authorization: authorization, on: client)
        }
        return answer
    }

    private func call(
        _ method: MilvusMethod, _ request: any RequestBody, authorization: String?,
        on client: GRPCClient<HTTP2ClientTransport.Posix>
    ) async -> Result<[UInt8], CallFailure> {
        var metadata = Metadata()
        if let authorization { metadata.addString(authorization, forKey: "authorization") }
        // The newest servers may merge inserts that look alike (exactly-once.md, finding 9): each of
        // ours says that it is its own. Unknown metadata is harmless everywhere.
        if method == .insert {
            metadata.addString(
                "\(UInt64.random(in: 0 ... .max))-\(UInt64.random(in: 0 ... .max))",
                forKey: "idempotency-key")
        }
        let sendMark = SendMark()
        do {
            let reply = try await client.unary(
                request: ClientRequest(message: request, metadata: metadata),
                descriptor: MethodDescriptor(
                    fullyQualifiedService: MilvusMethod.service, method: method.rawValue),
                serializer: RawSerializer(sendMark: sendMark), deserializer: RawDeserializer(),
                options: options(for: method)
            ) { response in
                try response.message
            }
            return .success(reply)
        } catch let error as RPCError {
            let status = CallFailure.Status(rawValue: error.code.rawValue) ?? .unknown
            let because = error.cause.map { ": \($0)" } ?? ""
            return .failure(
                CallFailure(status, error.message + because, wasSent: sendMark.isSet))
        } catch {
            return .failure(
                CallFailure(.cancelled, String(describing: error), wasSent: sendMark.isSet))
        }
    }
}

extension GRPCTransport {
    private func options(for method: MilvusMethod) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = method.writesRows ? writeTimeout : method.callClass.deadline
        options.waitForReady = false
        options.maxResponseMessageBytes = MilvusLimits.replyBytes
        // The NIO transport 2.9 limits the *reply* by this one.
        options.maxRequestMessageBytes = MilvusLimits.replyBytes
        return options
    }

    private static func connection(
        to endpoint: MilvusEndpoint, _ losses: LossSignal
    ) throws -> HTTP2ClientTransport.Posix {
        let config = HTTP2ClientTransport.Posix.Config.defaults { config in
            config.http2.maxFrameSize = MilvusLimits.frameBytes
            config.http2.targetWindowSize = MilvusLimits.windowBytes
            config.http2.authority = endpoint.tls?.serverName
            config.backoff.initial = MilvusLimits.firstReconnectDelay
            config.backoff.max = MilvusLimits.longestReconnectDelay
            config.connection.keepalive = .init(
                time: MilvusLimits.keepaliveInterval, timeout: MilvusLimits.keepaliveTimeout,
                allowWithoutCalls: false)
            config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let http2 = try pipeline.handler(type: NIOHTTP2Handler.self)
                    try pipeline.addHandlers(
                        [ConnectionWatch(losses), PingAnswerer()], position: .before(http2))
                }
            }
        }
        return try HTTP2ClientTransport.Posix(
            target: target(of: endpoint), transportSecurity: security(of: endpoint), config: config)
    }

    /// An address is not a name: TLS forbids it as a server name, so it must not go through DNS,
    /// which would make it one.
    private static func target(of endpoint: MilvusEndpoint) -> any ResolvableTarget {
        let host = endpoint.host
        if host.contains(":") { return .ipv6(address: host, port: endpoint.port) }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        if numbers.count == 4, numbers.allSatisfy({ UInt8($0) != nil }) {
            return .ipv4(address: host, port: endpoint.port)
        }
        return .dns(host: host, port: endpoint.port)
    }

    private static func security(
        of endpoint: MilvusEndpoint
    ) -> HTTP2ClientTransport.Posix.TransportSecurity {
        guard let tls = endpoint.tls else { return .plaintext }
        return .tls { config in
            if let path = tls.authorityPath {
                config.trustRoots = .certificates([.file(path: path, format: .pem)])
            }
            if let path = tls.certificatePath {
                config.certificateChain = [.file(path: path, format: .pem)]
            }
            if let path = tls.keyPath {
                config.privateKey = .file(path: path, format: .pem)
            }
        }
    }
}
