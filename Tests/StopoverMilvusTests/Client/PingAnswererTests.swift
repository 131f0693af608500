import NIOCore
import StopoverTesting
import Testing

@testable import StopoverMilvus

@Suite("The answerer of pings")
struct PingAnswererTests {
    /// A frame of `type` whose payload is `bytes`.
    private static func frame(_ type: UInt8, flags: UInt8 = 0, _ bytes: [UInt8]) -> [UInt8] {
        let length = bytes.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
            + [0, 0, 0, 5] + bytes
    }

    @Test("takes out the pings that want an answer, however the stream is cut")
    func sieve() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<300 {
            var stream: [UInt8] = []
            var rest: [UInt8] = []
            var pings: [UInt64] = []
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let payload = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    stream += Self.frame(6, payload)
                    pings.append(payload.reduce(0) { $0 << 8 | UInt64($1) })
                case 1:
                    // An answer to a ping of ours passes; so does what only looks like one.
                    stream += Self.frame(6, flags: 1, payload)
                    rest += Self.frame(6, flags: 1, payload)
                default:
                    let inner = Int.random(in: 0..<3, using: &random) == 0 ? 0 : 300
                    let data = Self.frame(
                        0, Array(repeating: 6, count: Int.random(in: 0...inner, using: &random)))
                    stream += data
                    rest += data
                }
            }
            var sieve = PingSieve()
            var passed: [UInt8] = []
            var found: [UInt64] = []
            var at = 0
            let longest = [1, 9, 20, 500].randomElement(using: &random) ?? 1
            while at < stream.count {
                let end = min(at + Int.random(in: 1...longest, using: &random), stream.count)
                let part = sieve.sift(ByteBuffer(bytes: stream[at..<end]))
                passed += part.passed.flatMap { Array(buffer: $0) }
                found += part.pings
                at = end
            }
            #expect(passed == rest)
            #expect(found == pings)
        }
    }

    @Test("answers with the payload of the ping")
    func answer() {
        var buffer = ByteBuffer()
        PingSieve.writeAnswer(to: 0x0102_0304_0506_0708, into: &buffer)
        let answer = Array(buffer: buffer)
        #expect(answer == [0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    }
}
