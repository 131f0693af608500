import NIOCore
import NIOHPACK
import NIOPosix
import StopoverCore
import Synchronization

/// gRPC's unary calls over a few HTTP/2 connections, used in turn.
///
/// A connection is made by the first call that needs it, and again after it was lost; while it
/// cannot be made, a call fails at once instead of waiting for it. Nothing is retried: whether a
/// request may be sent again is for the engine to say.
///
/// Written on SwiftNIO's HTTP/2 instead of gRPC's library for what a row costs: a reply is copied
/// once, from the socket's buffer into the page, and a request once, from the chunk into the
/// socket's (Docs/decisions/0008).
final class HTTP2Transport: MilvusTransport {
    /// Eight digits are the most that the header takes (gRPC over HTTP/2, "Requests").
    private static let mostMilliseconds = 99_999_999.0

    private let links: [HTTP2Link]
    private let turn = Atomic(0)
    /// Ends when the connections shall.
    private let stops = AsyncStream.makeStream(of: Void.self)

    /// The deadline of an Insert or Upsert: what a fence waits for, so the engine's to choose.
    private let writeTimeout: Duration
    private let authority: String
    private let scheme: String

    /// - Parameter losses: told of each connection that ends.
    init(
        _ endpoint: MilvusEndpoint, connections: Int, writeTimeout: Duration, losses: LossSignal
    ) throws(StopoverError) {
        let route = try HTTP2Route(endpoint)
        links = (0..<max(connections, 1)).map { _ in
            HTTP2Link(route, on: MultiThreadedEventLoopGroup.singleton.next(), losses: losses)
        }
        self.writeTimeout = writeTimeout
        authority = route.authority
        scheme = endpoint.tls == nil ? "http" : "https"
    }

    /// Holds the connections until ``stop()`` or cancellation. Calls that are under way then end.
    func run() async {
        for await _ in stops.stream {}
        for link in links { link.close() }
    }

    func stop() { stops.continuation.finish() }

    func call(
        _ method: MilvusMethod, _ request: any RequestBody, authorization: String?
    ) async -> Result<[UInt8], CallFailure> {
        let turn = turn.wrappingAdd(1, ordering: .relaxed).newValue
        let first = Int(UInt(bitPattern: turn) % UInt(links.count))
        var answer = await call(method, request, authorization, over: links[first])
        // A connection that cannot be made now took nothing: another may be up.
        for link in links[(first + 1)...] + links[..<first] {
            guard case .failure(let failure) = answer, !failure.wasSent else { break }
            answer = await call(method, request, authorization, over: link)
        }
        return answer
    }

    private func call(
        _ method: MilvusMethod, _ request: any RequestBody, _ authorization: String?,
        over link: HTTP2Link
    ) async -> Result<[UInt8], CallFailure> {
        let connection: HTTP2Connection
        do { connection = try await link.connection() } catch { return .failure(error) }
        let timeout = method.writesRows ? writeTimeout : method.callClass.deadline
        return await connection.exchange(
            headers(method, authorization, timeout), request, within: timeout)
    }

    private func headers(
        _ method: MilvusMethod, _ authorization: String?, _ timeout: Duration
    ) -> HPACKHeaders {
        let milliseconds = Int(min(timeout / .milliseconds(1), HTTP2Transport.mostMilliseconds))
        var headers: HPACKHeaders = [
            ":method": "POST", ":scheme": scheme,
            ":path": "/\(MilvusMethod.service)/\(method.rawValue)", ":authority": authority,
            "content-type": "application/grpc", "te": "trailers", "user-agent": "stopover",
            // Servers end what they do for a call by it, too: what a fence waits for.
            "grpc-timeout": "\(milliseconds)m",
        ]
        if let authorization {
            headers.add(name: "authorization", value: authorization, indexing: .neverIndexed)
        }
        // The newest servers may merge inserts that look alike (exactly-once.md, finding 9): each of
        // ours says that it is its own. Unknown metadata is harmless everywhere.
        if method == .insert {
            let key = "\(UInt64.random(in: 0 ... .max))-\(UInt64.random(in: 0 ... .max))"
            headers.add(name: "idempotency-key", value: key, indexing: .nonIndexable)
        }
        return headers
    }
}
