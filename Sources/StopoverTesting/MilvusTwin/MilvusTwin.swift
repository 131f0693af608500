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

    /// What an Insert does with a key that is there.
    public enum ExistingKeys: String, Sendable, CaseIterable {
        /// Adds a copy, as Go servers do: `count(*)` counts every one, and a page has the last.
        case doubled
        /// Replaces the row, in whichever partition it is, as Milvus Lite 3 does.
        case overwritten
    }

    public struct Options: Sendable {
        /// 0 takes any free port.
        public var port = 0
        public var version = "v2.4.0-twin"
        public var store = Store.memory
        public var generated: [CollectionName: Generated] = [:]
        public var behaviour = Behaviour.normal
        public var existingKeys = ExistingKeys.doubled
        /// Methods that a server of another version would not know: UNIMPLEMENTED.
        public var unknownMethods: Set<String> = []
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
    private typealias Server = GRPCServer<HTTP2ServerTransport.Posix>
    /// The one that serves, or is about to.
    private let current: Mutex<Server>
    private let restarts = Restarts()
    private let boundPort = Atomic(0)

    /// Restarts that were ordered and not yet carried out.
    private final class Restarts: Sendable {
        let orders = AsyncStream.makeStream(of: Duration.self)
        let count = Atomic(0)
        let lostRows = Atomic<Int64>(0)

        /// What is lost is lost at once, before another call is answered.
        func goDown(_ engine: TwinEngine, for down: Duration) {
            lostRows.wrappingAdd(engine.loseUnflushed(), ordering: .relaxed)
            count.wrappingAdd(1, ordering: .relaxed)
            orders.continuation.yield(down)
        }
    }

    public init(_ options: Options = Options()) throws {
        let engine = try TwinEngine(options)
        let seam = FaultSeam(options.behaviour)
        self.engine = engine
        self.seam = seam
        current = Mutex(MilvusTwin.server(engine, seam, port: options.port, restarts))
    }

    private static func server(
        _ engine: TwinEngine, _ seam: FaultSeam, port: Int, _ restarts: Restarts
    ) -> Server {
        GRPCServer(
            transport: HTTP2ServerTransport.Posix(
                address: .ipv4(host: "127.0.0.1", port: port),
                transportSecurity: security(engine.options.tls),
                config: .defaults { config in
                    // Small frames and windows cost large messages up to four times the time.
                    config.http2.maxFrameSize = 1 << 20
                    config.http2.targetWindowSize = 16 << 20
                    // The transport resets the stream of a larger one, where servers say why: what
                    // a test sets lower is looked at where it can be said.
                    config.rpc.maxRequestPayloadSize = 512 << 20
                    // The official Python client pings every 10 s, a call under way or not; a server
                    // that minds hangs up on whoever waits for another one meanwhile.
                    config.connection.keepalive.clientBehavior.allowWithoutCalls = true
                    config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls =
                        .seconds(5)
                }),
            router: TwinRouter.router(engine, seam) { down in
                restarts.goDown(engine, for: down)
            })
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
    public func run() async throws {
        while let down = try await serveUntilRestart() {
            let port = boundPort.load(ordering: .acquiring)
            // Before the pause, so that `ready` waits for this one.
            current.withLock { $0 = MilvusTwin.server(engine, seam, port: port, restarts) }
            try await Task.sleep(for: down)
        }
    }

    /// The whole transport is stopped and made anew: its connections cannot be cut from inside.
    /// - Returns: for how long nothing shall listen; nil at the end.
    private func serveUntilRestart() async throws -> Duration? {
        let server = current.withLock { $0 }
        return try await withThrowingTaskGroup(of: Duration?.self) { group in
            group.addTask {
                try await server.serve()
                return nil
            }
            group.addTask { [orders = restarts.orders.stream] in
                for await down in orders { return down }
                return nil
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? nil
            guard let first else { return nil }
            // Cancelled with calls under way it may crash (NIOAsyncWriter, swift-nio 2.101): they end by
            // themselves, with a failure, because their life is over.
            server.beginGracefulShutdown()
            while await group.nextResult() != nil {}
            return first
        }
    }

    /// Goes down as a server that is killed: what no Flush covered is gone, acknowledged or not, what
    /// is under way is not answered, every connection breaks, and nothing listens for a while. Then it
    /// serves again, on the same port; collections, indexes and load states are as they were.
    ///
    /// Nothing is lost twice by calling it while it is down.
    public func restart(down: Duration = .milliseconds(200)) {
        restarts.goDown(engine, for: down)
    }

    /// Since the twin was made.
    public var restartCount: Int { restarts.count.load(ordering: .relaxed) }
    /// Rows that restarts took, since the twin was made.
    public var lostRowCount: Int64 { restarts.lostRows.load(ordering: .relaxed) }

    /// Returns the port when the server listens.
    @discardableResult
    public func ready() async throws -> Int {
        let server = current.withLock { $0 }
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

    /// How often each method was called since then, and how often each fault of a rule was met.
    public var counts: (calls: [String: Int], faults: [String: Int]) { seam.counts }

    /// Takes at most so much a second from now on, and refuses what is above; nil takes all.
    public func limit(_ rate: Rate, to perSecond: Double?) {
        engine.rates.limit(rate, to: perSecond)
    }
    /// How many calls were refused for a rate, since the twin was made.
    public var rateRefusalCount: Int { engine.rates.refusalCount }

    /// Calls a method without the network; a refusal is in the reply.
    public func answer(_ method: String, _ request: [UInt8]) throws -> [UInt8] {
        guard let method = TwinMethod(rawValue: method) else {
            throw RPCError(code: .unimplemented, message: "unknown method \(method)")
        }
        do {
            return try engine.answer(method, request)
        } catch let refusal as TwinRefusal {
            return try refusal.reply(to: method)
        }
    }

    /// What a collection's rows sum up to, all partitions together. A tally counts every row that
    /// came; a collection in memory is summed up as it can be read, each key once a partition.
    /// - Throws: when there is none of this name.
    public func tally(of name: CollectionName) throws -> Tally { try engine.tally(of: name) }
}
