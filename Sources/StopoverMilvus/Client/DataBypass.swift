import NIOCore

/// Takes the DATA frames of replies out of a connection's bytes and gives them to their calls, so that
/// a reply is copied once, from the socket's buffer into its page, or is read to there (``PageReads``).
/// Everything else passes on to NIOHTTP2, which would join frames that come in pieces and carry each
/// through a channel of its own.
///
/// So it also gives the server the credit for these bytes: WINDOW_UPDATE, RFC 9113, section 6.9. It
/// writes only while it reads, so that what it writes falls between NIOHTTP2's frames.
final class DataBypass: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The server is told when so much of a window is used.
    private static let creditStep = MilvusLimits.windowBytes / 4
    /// What the window of a connection begins with, RFC 9113, section 6.9.2.
    private static let firstWindow = 65_535

    private var sieve = DataSieve()
    private var calls: [UInt32: UnaryCall] = [:]
    private var uncredited = 0

    /// The replies of this stream are this call's from now on.
    func register(_ call: UnaryCall, stream: UInt32) { calls[stream] = call }
    func unregister(stream: UInt32) { calls[stream] = nil }

    /// Whether the server sends frames that are worth a read of their own.
    var readsApart: Bool { sieve.largest >= MilvusLimits.readApartFrom }

    /// What comes next: where the page of the reply keeps it, or else a buffer for what the frame still has
    /// and the header of the next, which is large likely.
    func apart(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        let (stream, bytes) = sieve.expected
        return calls[stream]?.room(upTo: bytes)
            ?? allocator.buffer(
                capacity: min(bytes + MilvusLimits.headReadBytes, MilvusLimits.receiveBytes))
    }

    func channelActive(context: ChannelHandlerContext) {
        // NIOHTTP2's preface goes first.
        context.fireChannelActive()
        credit(MilvusLimits.windowBytes - DataBypass.firstWindow, stream: 0, context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while let event = sieve.next(&bytes) {
            switch event {
            case .pass(let bytes): context.fireChannelRead(wrapInboundOut(bytes))
            case .data(let stream, let part, let frameBytes):
                uncredited += frameBytes
                guard let call = calls[stream] else { continue }
                call.received(part)
                call.uncredited += frameBytes
                if call.uncredited >= DataBypass.creditStep {
                    credit(call.uncredited, stream: stream, context)
                    call.uncredited = 0
                }
            case .broken:
                context.close(promise: nil)
                return
            }
        }
        if uncredited >= DataBypass.creditStep {
            credit(uncredited, stream: 0, context)
            uncredited = 0
        }
    }

    private func credit(_ bytes: Int, stream: UInt32, _ context: ChannelHandlerContext) {
        var frame = context.channel.allocator.buffer(capacity: DataSieve.headerBytes + 4)
        frame.writeBytes([0, 0, 4, DataSieve.windowUpdate, 0])
        frame.writeInteger(stream)
        frame.writeInteger(UInt32(bytes))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}

/// Tells DATA frames from others in a stream of HTTP/2 frames, however it is cut into reads. The
/// layout of frames: RFC 9113, sections 4.1 and 6.1.
struct DataSieve {
    enum Event {
        /// Bytes of other frames, in order.
        case pass(ByteBuffer)
        /// Bytes of a reply; `frameBytes` is what the flow control counts, padding included.
        case data(stream: UInt32, ByteBuffer, frameBytes: Int)
        /// A frame that is longer than we allow.
        case broken
    }

    static let headerBytes = 9
    static let windowUpdate: UInt8 = 8
    private static let data: UInt8 = 0
    private static let endsStream: UInt8 = 1
    private static let isPadded: UInt8 = 8

    private struct Data {
        var stream: UInt32
        /// Of the frame.
        var left: Int
        /// Of those, at the end; nil when its length has to be read first.
        var padding: Int?
        var endsStream: Bool
    }

    private enum State {
        case header
        case passing(Int)
        case data(Data)
    }

    private var state = State.header
    /// Bytes of the largest DATA frame so far: servers differ in what they make of a large reply.
    private(set) var largest = 0
    /// The start of a header that is cut.
    private var held = ByteBuffer()

    /// What is left of the DATA frame that has begun, without its padding; no bytes where none has.
    var expected: (stream: UInt32, bytes: Int) {
        guard case .data(let frame) = state, let padding = frame.padding else { return (0, 0) }
        return (frame.stream, max(frame.left - padding, 0))
    }

    /// What comes next in `bytes`, which it takes; nil when nothing can be told yet.
    mutating func next(_ bytes: inout ByteBuffer) -> Event? {
        while true {
            switch state {
            case .header:
                guard held.readableBytes + bytes.readableBytes >= DataSieve.headerBytes else {
                    held.writeBuffer(&bytes)
                    return nil
                }
                if let event = begin(&bytes) { return event }
            case .passing(let left):
                guard left > 0 else {
                    state = .header
                    continue
                }
                guard let part = bytes.readSlice(length: min(left, bytes.readableBytes)),
                    part.readableBytes > 0
                else { return nil }
                state = .passing(left - part.readableBytes)
                return .pass(part)
            case .data(let frame):
                if let event = take(frame, &bytes) { return event }
                if case .data = state, bytes.readableBytes == 0 { return nil }
            }
        }
    }

    /// Reads a header. A DATA frame's goes no further.
    private mutating func begin(_ bytes: inout ByteBuffer) -> Event? {
        var header = held
        held = ByteBuffer()
        if header.readableBytes > 0 {
            var rest =
                bytes.readSlice(length: DataSieve.headerBytes - header.readableBytes)
                ?? ByteBuffer()
            header.writeBuffer(&rest)
        } else {
            header = bytes.readSlice(length: DataSieve.headerBytes) ?? ByteBuffer()
        }
        let start = header.readerIndex
        guard let word = header.getInteger(at: start, as: UInt32.self),
            let flags = header.getInteger(at: start + 4, as: UInt8.self),
            let stream = header.getInteger(at: start + 5, as: UInt32.self)
        else { return .broken }
        let length = Int(word >> 8)
        guard length <= MilvusLimits.frameBytes else { return .broken }
        guard UInt8(truncatingIfNeeded: word) == DataSieve.data else {
            state = .passing(length)
            return .pass(header)
        }
        largest = max(largest, length)
        state = .data(
            Data(
                stream: stream & 0x7FFF_FFFF, left: length,
                padding: flags & DataSieve.isPadded == 0 ? 0 : nil,
                endsStream: flags & DataSieve.endsStream != 0))
        return nil
    }

    private mutating func take(_ frame: Data, _ bytes: inout ByteBuffer) -> Event? {
        var frame = frame
        guard frame.left > 0 else {
            state = .header
            // Rare, since trailers end a reply: NIOHTTP2 learns of it by an empty frame.
            guard frame.endsStream else { return nil }
            var end = ByteBuffer(bytes: [0, 0, 0, DataSieve.data, DataSieve.endsStream])
            end.writeInteger(frame.stream)
            return .pass(end)
        }
        guard let padding = frame.padding else {
            guard let count = bytes.readInteger(as: UInt8.self) else { return nil }
            frame.left -= 1
            guard Int(count) <= frame.left else { return .broken }
            frame.padding = Int(count)
            state = .data(frame)
            return .data(stream: frame.stream, ByteBuffer(), frameBytes: 1)
        }
        let isPadding = frame.left <= padding
        let wanted = isPadding ? frame.left : frame.left - padding
        guard let part = bytes.readSlice(length: min(wanted, bytes.readableBytes)),
            part.readableBytes > 0
        else { return nil }
        frame.left -= part.readableBytes
        state = .data(frame)
        return .data(
            stream: frame.stream, isPadding ? ByteBuffer() : part, frameBytes: part.readableBytes)
    }
}
