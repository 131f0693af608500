import NIOCore

/// Answers a server's HTTP/2 PINGs itself and keeps them from NIOHTTP2.
///
/// Servers in Go, Milvus among them, measure the wire with a PING per message that arrives, at no
/// bounded rate. NIOHTTP2 1.46 takes more than 200 such frames in 30 s for an attack and ends the
/// connection with ENHANCE_YOUR_CALM, and the transport has no setting for it: a write was in doubt
/// after every 200 or so calls. The servers are the user's own, so no bound stands here.
///
/// It stands between NIOHTTP2 and the socket (or TLS) and writes only while it reads, so its
/// answers fall between frames.
final class PingAnswerer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var sieve = PingSieve()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (passed, pings) = sieve.sift(unwrapInboundIn(data))
        if !pings.isEmpty {
            var answer = context.channel.allocator.buffer(
                capacity: pings.count * PingSieve.frameBytes)
            for ping in pings { PingSieve.writeAnswer(to: ping, into: &answer) }
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }
        for bytes in passed { context.fireChannelRead(wrapInboundOut(bytes)) }
    }
}

/// Takes PINGs that want an answer out of a stream of HTTP/2 frames, however it is cut into reads.
/// The layout of frames: RFC 9113, sections 4.1 and 6.7.
struct PingSieve {
    static let frameBytes = headerBytes + payloadBytes
    private static let headerBytes = 9
    private static let payloadBytes = 8
    private static let type: UInt8 = 6
    private static let acknowledged: UInt8 = 1

    /// Of a frame that passes, the bytes still to come.
    private var passing = 0
    /// The start of a frame that cannot be told yet: less than a PING.
    private var held = ByteBuffer()

    /// - Returns: the bytes that pass, in order, and the payloads of the PINGs between them.
    mutating func sift(_ read: ByteBuffer) -> (passed: [ByteBuffer], pings: [UInt64]) {
        var bytes = read
        if held.readableBytes > 0 {
            held.writeBuffer(&bytes)
            bytes = held
            held = ByteBuffer()
        }
        var passed: [ByteBuffer] = []
        var pings: [UInt64] = []
        // What lies between the reader index and `end` passes.
        var end = bytes.readerIndex
        while end < bytes.writerIndex {
            let rest = bytes.writerIndex - end
            if passing > 0 {
                let step = min(passing, rest)
                passing -= step
                end += step
            } else if let header = Self.header(of: bytes, at: end), !header.isPing {
                end += Self.headerBytes
                passing = header.length
            } else if rest >= Self.frameBytes,
                let payload = bytes.getInteger(at: end + Self.headerBytes, as: UInt64.self)
            {
                Self.take(upTo: end, from: &bytes, into: &passed)
                pings.append(payload)
                bytes.moveReaderIndex(forwardBy: Self.frameBytes)
                end = bytes.readerIndex
            } else {
                held = bytes.getSlice(at: end, length: rest) ?? ByteBuffer()
                break
            }
        }
        Self.take(upTo: end, from: &bytes, into: &passed)
        return (passed, pings)
    }

    static func writeAnswer(to ping: UInt64, into buffer: inout ByteBuffer) {
        buffer.writeBytes([0, 0, UInt8(payloadBytes), type, acknowledged, 0, 0, 0, 0])
        buffer.writeInteger(ping)
    }

    private static func take(upTo end: Int, from bytes: inout ByteBuffer, into: inout [ByteBuffer])
    {
        guard end > bytes.readerIndex, let slice = bytes.readSlice(length: end - bytes.readerIndex)
        else { return }
        into.append(slice)
    }

    /// Nil when the header is cut.
    private static func header(of bytes: ByteBuffer, at: Int) -> (length: Int, isPing: Bool)? {
        guard at + headerBytes <= bytes.writerIndex,
            let word = bytes.getInteger(at: at, as: UInt32.self),
            let flags = bytes.getInteger(at: at + 4, as: UInt8.self)
        else { return nil }
        let length = Int(word >> 8)
        let isPing =
            UInt8(truncatingIfNeeded: word) == type && flags & acknowledged == 0
            && length == payloadBytes
        return (length, isPing)
    }
}
