import NIOCore
import StopoverCore

/// Reports the end of a connection that stood, and ends one whose server says nothing at first.
///
/// The transport waits for a server's first frame without a limit [grpc-swift-nio-transport 2.9.2]: a
/// network that takes connections and carries nothing (half open) left a job waiting for a cluster
/// that was long back, since keepalive begins only after that frame.
final class ConnectionWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let losses: LossSignal
    private var silence: Scheduled<Void>?

    init(_ losses: LossSignal) { self.losses = losses }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let longest = TimeAmount(MilvusLimits.longestSilence)
        silence = context.eventLoop.scheduleTask(in: longest) {
            channel.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        silence?.cancel()
        silence = nil
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        silence?.cancel()
        losses.occurred()
        context.fireChannelInactive()
    }
}
