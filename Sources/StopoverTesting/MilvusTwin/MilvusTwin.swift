import GRPCCore
import GRPCNIOTransportHTTP2Posix
import StopoverCore
import StopoverMilvus
import Synchronization

/// A Milvus server in memory, on a loopback port: for what no real server here holds (a thousand
/// million rows, shapes of newer versions) and for what none does on request (failing).
///
///     try await MilvusTwin.with(.init()) { twin in
///         let cluster = try MilvusCluster(twin.endpoint)
///         …
///     }
public final class MilvusTwin: Sendable {
    /// What a collection that a client creates does with its rows.
    public enum Store: String, Sendable, CaseIterable {
        /// Keeps them.
        case memory
        /// Sums them up: see ``MilvusTwin/tally(of:)``.
        case tally
    }

    public struct Options: Sendable {
        /// 0 takes any free port.
        public var port = 0
        public var version = "v2.4.0-twin"
        public var store = Store.memory
        public var generated: [CollectionName: Generated] = [:]
        public var behaviour = Behaviour.normal
        /// The greatest `limit` of a Query.
        public var queryWindow = 16_384
        /// Messages above these are RESOURCE_EXHAUSTED. A request above 512 MiB resets its stream.
        public var requestBytes = 512 << 20
        public var replyBytes = 512 << 20

        /// Given every Insert and Upsert that was taken, as its bytes came.
        public var written: (@Sendable ([UInt8]) -> Void)?

        /// nil serves in the clear.
        public var tls: TLS?

        public init() {}
    }

    /// PEM files of a server's own.
    public struct TLS: Sendable {
        public var certificatePath: String
        public var keyPath: String
        /// Wants a certificate of every client, signed by this one: mutual TLS.
        public var clientAuthorityPath: String?

        public init(certificatePath: String, keyPath: String, clientAuthorityPath: String? = nil) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
            self.clientAuthorityPath = clientAuthorityPath
        }
    }

    public struct CannotListen: Error, CustomStringConvertible {
        public var description: String
    }

    private let engine: TwinEngine
    private let seam: FaultSeam
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let boundPort = Atomic(0)

    public init(_ options: Options = Options()) throws {
        let engine = try TwinEngine(options)
        let seam = FaultSeam(options.behaviour)
        self.engine = engine
        self.seam = seam
        server = GRPCServer(
            transport: HTTP2ServerTransport.Posix(
                address: .ipv4(host: "127.0.0.1", port: options.port),
                transportSecurity: MilvusTwin.security(options.tls),
                config: .defaults { config in
                    // Small frames and windows cost large messages up to four times the time.
                    config.http2.maxFrameSize = 1 << 20
                    config.http2.targetWindowSize = 16 << 20
                    // The transport resets the stream of a larger one, where servers say why: what
                    // a test sets lower is looked at where it can be said.
                    config.rpc.maxRequestPayloadSize = 512 << 20
                }),
            router: TwinRouter.router(engine, seam))
    }

    private static func security(
        _ tls: TLS?
    ) -> HTTP2ServerTransport.Posix.TransportSecurity {
        guard let tls else { return .plaintext }
        return .tls(
            certificateChain: [.file(path: tls.certificatePath, format: .pem)],
            privateKey: .file(path: tls.keyPath, format: .pem)
        ) { config in
            guard let path = tls.clientAuthorityPath else { return }
            config.clientCertificateVerification = .noHostnameVerification
            config.trustRoots = .certificates([.file(path: path, format: .pem)])
        }
    }

    /// Serves until the task is cancelled; once. Connections are closed then, whatever they carry.
    public func run() async throws { try await server.serve() }

    /// Returns the port when the server listens.
    @discardableResult
    public func ready() async throws -> Int {
        guard let port = try await server.transport.listeningAddress.ipv4?.port else {
            throw CannotListen(description: "the twin cannot listen on a loopback port")
        }
        boundPort.store(port, ordering: .releasing)
        return port
    }

    /// Runs a server around `body`.
    public static func with<Value: Sendable>(
        _ options: Options = Options(), _ body: (MilvusTwin) async throws -> Value
    ) async throws -> Value {
        let twin = try MilvusTwin(options)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await twin.run() }
            defer { group.cancelAll() }
            try await twin.ready()
            return try await body(twin)
        }
    }

    /// Known once it is ``ready()``.
    public var port: Int { boundPort.load(ordering: .acquiring) }
    public var uri: String { "http://127.0.0.1:\(port)" }
    public var endpoint: MilvusEndpoint { MilvusEndpoint(host: "127.0.0.1", port: port) }

    // MARK: For tests

    /// From the next call on; calls are counted anew.
    public func behave(_ behaviour: Behaviour) { seam.become(behaviour) }

    /// How often a method was called since the last ``behave(_:)``.
    public func calls(of method: String) -> Int {
        TwinMethod(rawValue: method).map { seam.calls(of: $0) } ?? 0
    }

    /// Calls a method without the network; a refusal is in the reply.
    public func answer(_ method: String, _ request: [UInt8]) throws -> [UInt8] {
        guard let method = TwinMethod(rawValue: method) else {
            throw RPCError(code: .unimplemented, message: "unknown method \(method)")
        }
        do {
            return try engine.answer(method, request, pageLimit: nil)
        } catch let refusal as TwinRefusal {
            return try refusal.reply(to: method)
        }
    }

    /// What a collection's rows sum up to, all partitions together. A tally counts every row that
    /// came; a collection in memory is summed up as it can be read, each key once a partition.
    /// - Throws: when there is none of this name.
    public func tally(of name: CollectionName) throws -> Tally { try engine.tally(of: name) }
}

/// Methods to handlers, by hand: there are no generated stubs.
private enum TwinRouter {
    static func router(
        _ engine: TwinEngine, _ seam: FaultSeam
    ) -> RPCRouter<HTTP2ServerTransport.Posix> {
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        for method in TwinMethod.allCases {
            router.registerHandler(
                forMethod: MethodDescriptor(
                    fullyQualifiedService: TwinMethod.service, method: method.rawValue),
                deserializer: BytesCodec(), serializer: BytesCodec()
            ) { request, _ in
                let message = try await ServerRequest(stream: request).message
                try check(message, "received message", engine.options.requestBytes)
                let reply = try await answer(engine, method, message, seam.fault(in: method))
                try check(reply, "trying to send message", engine.options.replyBytes)
                return StreamingServerResponse(single: ServerResponse(message: reply))
            }
        }
        return router
    }

    private static func check(_ message: [UInt8], _ what: String, _ limit: Int) throws {
        guard message.count > limit else { return }
        throw RPCError(
            code: .resourceExhausted,
            message: "grpc: \(what) larger than max (\(message.count) vs. \(limit))")
    }

    private static func answer(
        _ engine: TwinEngine, _ method: TwinMethod, _ request: [UInt8],
        _ fault: MilvusTwin.Behaviour.Fault?
    ) async throws -> [UInt8] {
        var pageLimit: Int?
        switch fault {
        case .refuse(let code, let reason)?:
            return try TwinRefusal(code: code, reason: reason).reply(to: method)
        case .fail(let code, let message)?: throw RPCError(code: code, message: message)
        case .reply(let bytes)?: return bytes
        case .delay(let duration)?: try await Task.sleep(for: duration)
        case .truncatePage(let rows)?: pageLimit = rows
        case .applyThenFail?, nil: break
        }
        let reply: [UInt8]
        do {
            reply = try engine.answer(method, request, pageLimit: pageLimit)
        } catch let refusal as TwinRefusal {
            reply = try refusal.reply(to: method)
        }
        if case .applyThenFail(let code, let message)? = fault {
            throw RPCError(code: code, message: message)
        }
        return reply
    }
}

/// Messages as the bytes they are.
private struct BytesCodec: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        var bytes = Bytes(repeating: 0, count: message.count)
        bytes.withUnsafeMutableBytes { $0.copyBytes(from: message) }
        return bytes
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}
