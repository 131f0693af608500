import NIOCore
import NIOHPACK
import NIOHTTP2
import StopoverCore

/// A connection over which calls can be made, each on a stream of its own.
struct HTTP2Connection: Sendable {
    let channel: any Channel
    let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    let bypass: NIOLoopBound<DataBypass>

    /// Sends a request once and waits for its reply, at most `timeout`.
    func exchange(
        _ headers: HPACKHeaders, _ request: any RequestBody, within timeout: Duration
    ) async -> Result<[UInt8], CallFailure> {
        let reply = channel.eventLoop.makePromise(of: [UInt8].self)
        let stream = channel.eventLoop.makePromise(of: (any Channel).self)
        multiplexer.createStreamChannel(promise: stream) { [bypass] stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    UnaryCall(
                        stream, headers, GRPCBody(request), within: timeout, bypass: bypass.value,
                        reply: reply))
            }
        }
        stream.futureResult.whenFailure { error in
            reply.fail(CallFailure(.unavailable, String(describing: error), wasSent: false))
        }
        return await withTaskCancellationHandler {
            do {
                return .success(try await reply.futureResult.get())
            } catch {
                let failure = error as? CallFailure
                return .failure(failure ?? CallFailure(.unknown, "\(error)", wasSent: true))
            }
        } onCancel: {
            stream.futureResult.whenSuccess { $0.close(promise: nil) }
        }
    }
}

/// Opens a connection to calls when the server has spoken, and to none any more when it says goodbye.
final class ConnectionGate: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let connection: HTTP2Connection
    private let opened: EventLoopPromise<HTTP2Connection>
    private let streams: StreamCount
    /// Called once the connection takes no new calls.
    private let ended: @Sendable () -> Void
    private var failure: (any Error)?

    init(
        _ connection: HTTP2Connection, _ opened: EventLoopPromise<HTTP2Connection>,
        streams: StreamCount, ended: @escaping @Sendable () -> Void
    ) {
        self.connection = connection
        self.opened = opened
        self.streams = streams
        self.ended = ended
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings): opened.succeed(connection)
        case .goAway:
            ended()
            let channel = context.channel
            streams.whenNone { channel.close(promise: nil) }
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What concerns one stream is that call's own failure.
        if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream
            || error is NIOHTTP2Errors.StreamClosed
        {
            return
        }
        failure = failure ?? error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        opened.fail(failure ?? ChannelError.eof)
        context.fireChannelInactive()
    }
}

extension ChannelError {
    fileprivate static var eof: any Error {
        CallFailure(
            .unavailable, "the connection was closed before the server spoke", wasSent: false)
    }
}
