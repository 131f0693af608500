import Foundation
import NIOCore
import NIOHPACK
import NIOHTTP2
import StopoverCore

/// One call on its stream: one message there, one message back, a status.
final class UnaryCall: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let stream: any Channel
    private let headers: HPACKHeaders
    private var request: GRPCBody
    private let timeout: Duration
    private let bypass: DataBypass
    private let reply: EventLoopPromise<[UInt8]>
    private var message = GRPCMessage()
    private var status: GRPCStatus?
    private var number: UInt32?
    private var isSent = false
    private var isOver = false
    private var deadline: Scheduled<Void>?
    /// Bytes of the reply that the server has no credit for yet; ``DataBypass``'s.
    var uncredited = 0

    init(
        _ stream: any Channel, _ headers: HPACKHeaders, _ request: GRPCBody,
        within timeout: Duration, bypass: DataBypass, reply: EventLoopPromise<[UInt8]>
    ) {
        self.stream = stream
        self.headers = headers
        self.request = request
        self.timeout = timeout
        self.bypass = bypass
        self.reply = reply
    }

    func channelActive(context: ChannelHandlerContext) {
        isSent = true
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeout)) {
            self.fail(.deadlineExceeded, "no reply within \(self.timeout)")
        }
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
        send(context)
        // A stream has a number once its first frame is sent.
        stream.getOption(HTTP2StreamChannelOptions.streamID).assumeIsolated().whenSuccess { id in
            let number = UInt32(Int32(id))
            self.number = number
            self.bypass.register(self, stream: number)
        }
        context.fireChannelActive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        send(context)
        context.fireChannelWritabilityChanged()
    }

    /// As much of the request as the connection takes now.
    private func send(_ context: ChannelHandlerContext) {
        repeat {
            guard !isOver, let piece = request.next(upTo: MilvusLimits.pieceBytes) else { return }
            context.writeAndFlush(
                wrapOutboundOut(
                    .data(.init(data: .byteBuffer(piece), endStream: request.isOver))),
                promise: nil)
        } while stream.isWritable
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let block):
            status = GRPCStatus(block.headers) ?? status
            if block.endStream { conclude() }
        // What ``DataBypass`` leaves: the end of a reply without trailers.
        case .data(let part): if part.endStream { conclude() }
        default: break
        }
    }

    /// A part of the reply.
    func received(_ part: ByteBuffer) {
        guard !isOver else { return }
        do throws(CallFailure) { try message.take(part) } catch {
            fail(error.status, error.message)
        }
    }

    /// Where so many bytes of the reply that come next may be read to.
    func room(upTo most: Int) -> ByteBuffer? { isOver ? nil : message.room(upTo: most) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let closed = error as? NIOHTTP2Errors.StreamClosed {
            // RFC 9113, section 8.7: a refused stream was not looked at.
            let isRefused = closed.errorCode == .refusedStream
            end(.unavailable, "the server reset the call: \(closed.errorCode)", isSent: !isRefused)
        } else {
            end(.unavailable, String(describing: error))
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let number { bypass.unregister(stream: number) }
        end(.unavailable, "the connection was lost before the reply was whole")
        context.fireChannelInactive()
    }

    /// Ends the call and takes it back from the server.
    private func fail(_ status: CallFailure.Status, _ message: String) {
        end(status, message)
        stream.close(promise: nil)
    }

    /// The server has said everything.
    private func conclude() {
        // It did not wait for the rest of the request.
        defer { if !request.isOver { stream.close(promise: nil) } }
        guard let status else { return end(.unknown, "the reply ended without a status") }
        guard status.code != 0 else {
            guard let reply = message.whole else {
                return end(.internal, "a reply of no whole message")
            }
            return end(.success(reply))
        }
        end(CallFailure.Status(rawValue: status.code) ?? .unknown, status.message)
    }

    private func end(_ status: CallFailure.Status, _ message: String, isSent: Bool = true) {
        end(.failure(CallFailure(status, message, wasSent: self.isSent && isSent)))
    }

    private func end(_ result: Result<[UInt8], CallFailure>) {
        guard !isOver else { return }
        isOver = true
        deadline?.cancel()
        reply.completeWith(result.mapError { $0 })
    }
}

/// What the trailers of a reply say of its call (gRPC over HTTP/2, "Responses").
struct GRPCStatus: Hashable {
    var code: Int
    var message: String

    /// nil where the headers are not the last ones.
    init?(_ headers: HPACKHeaders) {
        if let text = headers.first(name: "grpc-status") {
            code = Int(text) ?? CallFailure.Status.unknown.rawValue
            let message = headers.first(name: "grpc-message") ?? ""
            self.message = message.removingPercentEncoding ?? message
            return
        }
        // Not a gRPC server, or something in front of one.
        guard let text = headers.first(name: ":status"), text != "200" else { return nil }
        let status: CallFailure.Status =
            switch text {
            case "400": .internal
            case "401": .unauthenticated
            case "403": .permissionDenied
            case "404": .unimplemented
            case "429", "502", "503", "504": .unavailable
            default: .unknown
            }
        code = status.rawValue
        message = "HTTP status \(text)"
    }
}

/// gRPC's frame of one message: a byte of flags, four of length, and the message.
struct GRPCMessage: ~Copyable {
    static let prefixBytes = 5

    private var prefix: [UInt8] = []
    /// As long as the message; set up to `filled`.
    private var bytes: [UInt8] = []
    /// Where they are. They are written by this alone, also while a read is lent a part of them.
    private var memory: UnsafeMutableRawPointer?
    private var filled = 0
    private var length: Int?

    /// The message, once all of it has come.
    var whole: [UInt8]? { length == filled ? bytes : nil }

    /// Takes what came next. The message's bytes are copied to where the page keeps them, unless they were
    /// read to there: into ``room(upTo:)``.
    mutating func take(_ part: ByteBuffer) throws(CallFailure) {
        var part = part
        while length == nil, let byte = part.readInteger(as: UInt8.self) {
            prefix.append(byte)
            if prefix.count == GRPCMessage.prefixBytes { try begin() }
        }
        guard part.readableBytes > 0, let length else { return }
        guard part.readableBytes <= length - filled else {
            throw CallFailure(.internal, "a reply of more than one message", wasSent: true)
        }
        part.withUnsafeReadableBytes { read in
            guard let place = memory?.advanced(by: filled), let start = read.baseAddress,
                start != UnsafeRawPointer(place)
            else { return }
            place.copyMemory(from: start, byteCount: read.count)
        }
        filled += part.readableBytes
    }

    /// Where what comes next belongs, at most so many bytes; nil where that is too few to read them apart.
    func room(upTo most: Int) -> ByteBuffer? {
        guard let length else { return nil }
        let count = min(most, length - filled)
        guard count >= MilvusLimits.readApartFrom else { return nil }
        return LentBytes.room(bytes[filled..<(filled + count)])
    }

    private mutating func begin() throws(CallFailure) {
        guard prefix[0] == 0 else {
            throw CallFailure(.internal, "a reply that is compressed, unasked", wasSent: true)
        }
        let length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
        guard length <= MilvusLimits.replyBytes else {
            throw CallFailure(
                .resourceExhausted,
                "a reply of \(length) bytes is larger than max (\(MilvusLimits.replyBytes))",
                wasSent: true)
        }
        self.length = length
        // Not set to zero first: ``whole`` shows them when all are set.
        bytes = [UInt8](unsafeUninitializedCapacity: Allocator.bufferBytes(for: length)) {
            $1 = length
        }
        memory = bytes.withUnsafeMutableBytes { $0.baseAddress }
    }
}

/// A request in gRPC's frame, piece by piece.
struct GRPCBody: Sendable {
    private let parts: [ArraySlice<UInt8>]
    private var part = 0
    private var taken = 0
    private(set) var bytesLeft: Int

    init(_ request: any RequestBody) {
        let length = UInt32(request.byteCount)
        var prefix: [UInt8] = [0]
        withUnsafeBytes(of: length.bigEndian) { prefix.append(contentsOf: $0) }
        parts = [prefix[...]] + request.parts
        bytesLeft = GRPCMessage.prefixBytes + request.byteCount
    }

    var isOver: Bool { bytesLeft == 0 }

    /// The next bytes, at most so many; nil when there are none. Long runs are lent, short ones copied
    /// together.
    mutating func next(upTo most: Int) -> ByteBuffer? {
        guard bytesLeft > 0 else { return nil }
        if let run = take(upTo: most, isLong: true) { return LentBytes.buffer(run) }
        var piece = ByteBuffer()
        while let run = take(upTo: most - piece.readableBytes, isLong: false) {
            _ = run.withUnsafeBytes { piece.writeBytes($0) }
        }
        return piece
    }

    /// The next bytes of one part, where what is left of it is as long as is said.
    private mutating func take(upTo most: Int, isLong: Bool) -> ArraySlice<UInt8>? {
        while part < parts.count, taken == parts[part].count { (part, taken) = (part + 1, 0) }
        guard most > 0, part < parts.count else { return nil }
        let rest = parts[part].dropFirst(taken)
        guard (rest.count >= MilvusLimits.lentFrom) == isLong else { return nil }
        let run = rest.prefix(most)
        taken += run.count
        bytesLeft -= run.count
        return run
    }
}
