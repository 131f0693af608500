import NIOCore
import NIOEmbedded
import NIOHPACK
import Testing

@testable import StopoverMilvus

@Suite("What is read from a connection")
struct PageReadsTests {
    private let channel = EmbeddedChannel()
    private let bypass = DataBypass()
    private let reads: PageReads

    init() throws {
        reads = PageReads(bypass: NIOLoopBound(bypass, eventLoop: channel.eventLoop))
        try channel.pipeline.syncOperations.addHandler(bypass)
    }

    /// Sends what a server says.
    private func receive(_ bytes: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
    }

    private func header(_ length: Int, type: UInt8 = 0, stream: UInt8) -> [UInt8] {
        [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, 0]
            + [0, 0, 0, stream]
    }

    /// Bytes that the next read takes at most; nil for those of the buffer that is kept.
    private var next: Int? {
        reads.nextBufferSize() == nil
            ? reads.buffer(allocator: channel.allocator).writableBytes : nil
    }

    /// Whether the next read takes so many bytes, and no more than the network's buffers have beyond that.
    private func isHead(_ bytes: Int) -> Bool {
        next.map { (bytes..<(2 * bytes)).contains($0) } ?? false
    }

    @Test(
        "goes to the page where large frames come, their headers before that, and else to one buffer"
    )
    func destinations() throws {
        let reply = channel.eventLoop.makePromise(of: [UInt8].self)
        defer { reply.succeed([]) }
        bypass.register(
            UnaryCall(
                EmbeddedChannel(), HPACKHeaders(), GRPCBody([UInt8]()), within: .seconds(1),
                bypass: bypass, reply: reply), stream: 5)
        let large = 3 * MilvusLimits.readApartFrom
        let message = 2 * large - GRPCMessage.prefixBytes
        #expect(next == nil)
        // A small reply, as servers in Go send all of theirs.
        try receive(header(100, stream: 3) + [UInt8](repeating: 0, count: 100))
        #expect(next == nil)

        try receive(header(large, stream: 5))
        // How long the message is nobody knows yet.
        #expect(isHead(large + MilvusLimits.headReadBytes))
        try receive([0, 0] + [UInt8(message >> 16), UInt8(message >> 8 & 255)])
        try receive([UInt8(message & 255)])
        #expect(next == large - GRPCMessage.prefixBytes)

        var room = reads.buffer(allocator: channel.allocator)
        room.writeRepeatingByte(7, count: room.writableBytes - 1)
        try channel.writeInbound(room)
        // A byte is left of the frame, and then comes a header.
        #expect(isHead(1 + MilvusLimits.headReadBytes))
        try receive([7] + header(large, stream: 5))
        #expect(next == large)
        // Of a call that has ended.
        bypass.unregister(stream: 5)
        #expect(isHead(large + MilvusLimits.headReadBytes))
        try receive([UInt8](repeating: 7, count: large))
        #expect(isHead(MilvusLimits.headReadBytes))
        // Any other frame.
        try receive(header(300_000, type: 4, stream: 0))
        #expect(isHead(MilvusLimits.headReadBytes))
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
