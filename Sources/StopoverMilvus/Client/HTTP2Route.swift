import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import StopoverCore

/// How to make a connection to a cluster: where to, and by what settings.
struct HTTP2Route: Sendable {
    /// `:authority` of every request.
    let authority: String
    private let host: String
    private let port: Int
    private let tls: (context: NIOSSLContext, serverName: String?)?

    /// - Throws: `STO-CLUSTER-TLS` when certificate or key files cannot be used.
    init(_ endpoint: MilvusEndpoint) throws(StopoverError) {
        host = endpoint.host
        port = endpoint.port
        guard let asked = endpoint.tls else {
            tls = nil
            authority = HTTP2Route.authority(host, port)
            return
        }
        authority = asked.serverName ?? HTTP2Route.authority(host, port)
        // An address is not a name: TLS forbids it as a server name.
        let name = asked.serverName ?? (HTTP2Route.isAddress(host) ? nil : host)
        do {
            tls = (try NIOSSLContext(configuration: HTTP2Route.configuration(asked)), name)
        } catch {
            throw StopoverError(
                .clusterTLS, "the TLS settings for \(endpoint.address) cannot be used",
                remedy: "Check that the certificate and key files exist, are readable and are PEM.",
                cause: String(describing: error))
        }
    }

    private static func authority(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    private static func configuration(
        _ tls: MilvusEndpoint.TLS
    ) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["h2"]
        if let path = tls.authorityPath {
            // Read here, so that a file that is not there is known before a connection is tried.
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
        }
        if let path = tls.certificatePath {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path)
                .map { .certificate($0) }
        }
        if let path = tls.keyPath {
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
        }
        return configuration
    }

    /// A connection over which the server has spoken, so that calls can be made.
    func connect(
        on loop: any EventLoop, losses: LossSignal, ended: @escaping @Sendable () -> Void
    ) -> EventLoopFuture<HTTP2Connection> {
        let opened = loop.makePromise(of: HTTP2Connection.self)
        let tls = tls
        ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(MilvusLimits.longestSilence))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: MilvusLimits.receiveBytes)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(
                                context: tls.context, serverHostname: tls.serverName))
                    }
                    let watch = ConnectionWatch(channel, losses)
                    let bypass = DataBypass()
                    if tls == nil { try PageReads.install(on: channel, bypass) }
                    try pipeline.addHandlers(watch, bypass)
                    let multiplexer = try pipeline.configureHTTP2Pipeline(
                        mode: .client, connectionConfiguration: HTTP2Route.connection,
                        streamConfiguration: HTTP2Route.stream, streamDelegate: watch.streams
                    ) { pushed in
                        pushed.eventLoop.makeFailedFuture(CallFailure.pushed)
                    }
                    try pipeline.addHandler(
                        ConnectionGate(
                            HTTP2Connection(
                                channel: channel, multiplexer: multiplexer,
                                bypass: NIOLoopBound(bypass, eventLoop: channel.eventLoop)),
                            opened, streams: watch.streams, ended: ended))
                }
            }
            .connect(host: host, port: port)
            .whenFailure { opened.fail($0) }
        return opened.futureResult
    }

    private static let connection = {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .initialWindowSize, value: MilvusLimits.windowBytes),
            HTTP2Setting(parameter: .maxFrameSize, value: MilvusLimits.frameBytes),
            HTTP2Setting(parameter: .maxHeaderListSize, value: MilvusLimits.headerBytes),
        ]
        // Servers in Go, Milvus among them, measure the wire with a PING per message that arrives, at
        // no bounded rate. NIOHTTP2 takes more than 200 in 30 s for an attack and hangs up: a write
        // was in doubt after every 200 or so calls. The servers are the user's own.
        configuration.controlFrameRateLimit.maximumCount = .max
        return configuration
    }()

    private static let stream = {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.outboundBufferSizeHighWatermark = MilvusLimits.bytesOnTheWay
        configuration.outboundBufferSizeLowWatermark = MilvusLimits.bytesOnTheWay / 2
        // Streams that a server resets are calls that failed, not an attack.
        configuration.streamResetFrameRateLimit.maximumCount = .max
        configuration.streamErrorRateLimit.maximumCount = .max
        return configuration
    }()
}

extension CallFailure {
    fileprivate static let pushed = CallFailure(
        .internal, "the server pushes a stream, which no gRPC server does", wasSent: true)
}
