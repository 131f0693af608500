import NIOCore
import NIOHTTP2
import StopoverCore
import Synchronization

/// Stands between HTTP/2 and the socket (or TLS): reports the end of a connection that stood, ends
/// one whose server says nothing at first (a network that takes connections and carries nothing), and
/// asks one that is silent while a call waits whether it lives.
final class ConnectionWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    let streams = StreamCount()
    private let channel: any Channel
    private let losses: LossSignal
    /// Ends the connection unless something is heard.
    private var silence: Scheduled<Void>?
    private var question: Scheduled<Void>?
    private var heard = NIODeadline.now()

    init(_ channel: any Channel, _ losses: LossSignal) {
        self.channel = channel
        self.losses = losses
    }

    func channelActive(context: ChannelHandlerContext) {
        endUnlessHeard(within: MilvusLimits.longestSilence)
        askLater()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        silence?.cancel()
        silence = nil
        heard = .now()
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        silence?.cancel()
        question?.cancel()
        losses.occurred()
        context.fireChannelInactive()
    }

    private func askLater() {
        let interval = TimeAmount(MilvusLimits.keepaliveInterval)
        question = channel.eventLoop.assumeIsolated().scheduleTask(in: interval) {
            self.askIfSilent()
            self.askLater()
        }
    }

    private func askIfSilent() {
        guard streams.count > 0, silence == nil,
            NIODeadline.now() - heard >= TimeAmount(MilvusLimits.keepaliveInterval)
        else { return }
        endUnlessHeard(within: MilvusLimits.keepaliveTimeout)
        let ping = HTTP2Frame(
            streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 1), ack: false))
        channel.writeAndFlush(ping, promise: nil)
    }

    private func endUnlessHeard(within limit: Duration) {
        let channel = channel
        silence = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) {
            channel.close(promise: nil)
        }
    }
}

/// How many calls are under way on a connection.
final class StreamCount: NIOHTTP2StreamDelegate {
    private struct State {
        var count = 0
        var whenNone: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        state.withLock { $0.count += 1 }
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {
        let action = state.withLock { state in
            state.count -= 1
            return state.count == 0 ? state.whenNone : nil
        }
        action?()
    }

    /// Calls `action` when the last call has ended; now, if there is none.
    func whenNone(_ action: @escaping @Sendable () -> Void) {
        let isNone = state.withLock { state in
            state.whenNone = action
            return state.count == 0
        }
        if isNone { action() }
    }
}
