import NIOCore
import Testing

@testable import StopoverMilvus

@Suite("Bytes that are lent to the network")
struct LentBytesTests {
    /// Bytes of a request whose runs are short, long, short and long.
    private struct Request: RequestBody {
        let parts: [ArraySlice<UInt8>]
        var byteCount: Int { parts.reduce(0) { $0 + $1.count } }

        init(runs: [Int]) {
            parts = runs.map { length in
                // A slice that does not begin where its array does, as a column of a reply.
                (0..<(length + 3)).map { UInt8(truncatingIfNeeded: $0 &* 31) }.dropFirst(3)
            }
        }
    }

    /// How many buffers show the bytes that this one begins with.
    private func lent(_ buffer: ByteBuffer) -> Int {
        buffer.withVeryUnsafeBytes { shown in
            shown.baseAddress.map { LentBytes.count(at: $0) } ?? 0
        }
    }

    private func lent(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { shown in
            shown.baseAddress.map { LentBytes.count(at: $0) } ?? 0
        }
    }

    @Test("are the request's, whatever the pieces, and none that is long is copied")
    func pieces() throws {
        let request = Request(runs: [7, 0, 3 * MilvusLimits.lentFrom + 11, 5, 200_000, 0, 1])
        for most in [MilvusLimits.lentFrom, 50_001, MilvusLimits.pieceBytes] {
            var body = GRPCBody(request)
            var found: [UInt8] = []
            var copied = 0
            while let piece = body.next(upTo: most) {
                #expect((1...most).contains(piece.readableBytes))
                if lent(piece) == 0 { copied += piece.readableBytes }
                found += piece.readableBytesView
            }
            #expect(body.isOver)
            #expect(found.dropFirst(GRPCMessage.prefixBytes).elementsEqual(request.parts.joined()))
            // The short runs, and what is left of a long one when it is short.
            #expect(copied < 3 * MilvusLimits.lentFrom)
        }
    }

    @Test("live as long as the last buffer that shows them, the same bytes more than once, too")
    func lifetime() {
        let bytes: [UInt8] = Array(repeating: 9, count: 100)
        var first: ByteBuffer? = LentBytes.buffer(bytes[10..<90])
        var second: ByteBuffer? = LentBytes.buffer(bytes[10..<50])
        var part = first?.readSlice(length: 10)
        #expect(lent(bytes[10...]) == 2)
        #expect(second?.readableBytesView.elementsEqual(repeatElement(9, count: 40)) == true)
        first = nil
        #expect(lent(bytes[10...]) == 2)
        second = nil
        #expect(lent(bytes[10...]) == 1)
        #expect(part?.readableBytesView.elementsEqual(repeatElement(9, count: 10)) == true)
        part = nil
        #expect(lent(bytes[10...]) == 0)
    }

    @Test("outlive the array that they are of, and stay as they were when it is changed")
    func owner() {
        var bytes: [UInt8] = Array(repeating: 9, count: 100_000)
        let buffer = LentBytes.buffer(bytes[...])
        bytes[20] = 1
        bytes = []
        #expect(buffer.readableBytesView.elementsEqual(repeatElement(9, count: 100_000)))
    }

    @Test("are not changed by who writes to the buffer")
    func written() {
        let bytes: [UInt8] = Array(repeating: 9, count: 100)
        var grown: ByteBuffer? = LentBytes.buffer(bytes[...])
        grown?.writeRepeatingByte(4, count: 1000)
        #expect(grown?.readableBytes == 1100)
        #expect(lent(bytes[...]) == 0)
        var shared: ByteBuffer? = LentBytes.buffer(bytes[...])
        let other = shared
        shared?.setInteger(UInt8(5), at: 0)
        #expect(shared?.getInteger(at: 0, as: UInt8.self) == 5)
        #expect(other?.getInteger(at: 0, as: UInt8.self) == 9)
        grown = nil
        shared = nil
        #expect(bytes.allSatisfy { $0 == 9 })
    }
}
