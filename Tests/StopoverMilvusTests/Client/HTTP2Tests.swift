import NIOCore
import NIOHPACK
import StopoverCore
import StopoverTesting
import Testing

@testable import StopoverMilvus

@Suite("A connection's stages")
struct LinkStageTests {
    private let begin = ContinuousClock.now

    @Test("are tried at once, then less and less often, and at once again after one that stood")
    func backoff() {
        var stage = LinkStage()
        let found1 = stage.wanted(at: begin)
        #expect(found1 == .connect(1))
        let found2 = stage.wanted(at: begin)
        #expect(found2 == .use)
        stage.failed(1, "no", at: begin)
        let found3 = stage.wanted(at: begin)
        #expect(found3 == .fail("no"))
        var now = begin
        var waits: [Duration] = []
        for attempt in 2...12 {
            var wait = Duration.zero
            while case .fail = stage.wanted(at: now + wait) { wait += .milliseconds(50) }
            now += wait
            waits.append(wait)
            stage.failed(attempt, "no", at: now)
        }
        #expect(waits.first == MilvusLimits.firstReconnectDelay)
        #expect(waits.max() == MilvusLimits.longestReconnectDelay)
        #expect(waits == waits.sorted())
        now += MilvusLimits.longestReconnectDelay
        guard case .connect(let attempt) = stage.wanted(at: now) else {
            Issue.record("not tried")
            return
        }
        let found4 = stage.opened(attempt)
        #expect(found4)
        let found5 = stage.wanted(at: now)
        #expect(found5 == .use)
        stage.ended(attempt)
        let found6 = stage.wanted(at: now)
        #expect(found6 == .connect(attempt + 1))
    }

    @Test("take no word of an earlier attempt, and none after the end")
    func stale() {
        var stage = LinkStage()
        _ = stage.wanted(at: begin)
        let found7 = stage.opened(1)
        #expect(found7)
        stage.ended(1)
        _ = stage.wanted(at: begin)
        stage.ended(1)
        let found8 = stage.wanted(at: begin)
        #expect(found8 == .use)
        let found9 = stage.opened(1)
        #expect(!found9)
        stage.closed()
        let found10 = stage.opened(2)
        #expect(!found10)
        guard case .fail = stage.wanted(at: begin) else {
            Issue.record("connects after it was closed")
            return
        }
    }
}

@Suite("A message of gRPC")
struct GRPCMessageTests {
    @Test("is put together whatever the pieces")
    func pieces() throws {
        var random = SeededRandom(seed: 4)
        for _ in 0..<200 {
            let content = (0..<Int.random(in: 0...300, using: &random)).map { UInt8($0 & 255) }
            var body = GRPCBody(content)
            var stream: [UInt8] = []
            while let piece = body.next(upTo: Int.random(in: 1...50, using: &random)) {
                stream += Array(piece.readableBytesView)
            }
            #expect(body.isOver)
            #expect(
                stream.prefix(5) == [
                    0, 0, 0, UInt8(content.count >> 8), UInt8(content.count & 255),
                ])
            var message = GRPCMessage()
            while !stream.isEmpty {
                let early = message.whole
                #expect(early == nil)
                let count = min(Int.random(in: 1...40, using: &random), stream.count)
                try message.take(ByteBuffer(bytes: stream.prefix(count)))
                stream.removeFirst(count)
            }
            let whole = message.whole
            #expect(whole == content)
        }
    }

    @Test(
        "is read to where its page keeps it, as far as there is room for a read, and so not copied")
    func readApart() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<20 {
            let length = Int.random(in: 1...(6 * MilvusLimits.readApartFrom), using: &random)
            let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var body = GRPCBody(content)
            var stream: ArraySlice<UInt8> = []
            while let piece = body.next(upTo: .max) { stream += piece.readableBytesView }
            var message = GRPCMessage()
            let early = message.room(upTo: .max)
            #expect(early == nil)
            var places: [(offset: Int, address: UInt)] = []
            while !stream.isEmpty {
                let most = Int.random(in: 1...(2 * MilvusLimits.readApartFrom), using: &random)
                guard Bool.random(using: &random), var room = message.room(upTo: most) else {
                    // A read for the header, of which some is the message's.
                    try message.take(ByteBuffer(bytes: stream.prefix(most)))
                    stream = stream.dropFirst(most)
                    continue
                }
                #expect(room.readableBytes == 0)
                #expect(room.writableBytes == min(most, stream.count))
                #expect(room.writableBytes >= MilvusLimits.readApartFrom)
                let read = Int.random(in: 1...room.writableBytes, using: &random)
                let address = room.address
                places.append((length - stream.count, address))
                room.writeBytes(stream.prefix(read))
                #expect(room.address == address)
                try message.take(room)
                stream = stream.dropFirst(read)
            }
            let found = message.whole
            let whole = try #require(found)
            #expect(whole == content)
            whole.withUnsafeBytes { bytes in
                for place in places {
                    let kept = bytes.baseAddress.map { $0 + place.offset }
                    #expect(place.address == UInt(bitPattern: kept))
                    #expect(kept.map { LentBytes.count(at: $0) } == 0)
                }
            }
        }
    }

    @Test("of another form is refused: compressed, too long, or two")
    func refused() {
        func status(_ bytes: [UInt8]) -> CallFailure.Status? {
            var message = GRPCMessage()
            do throws(CallFailure) {
                try message.take(ByteBuffer(bytes: bytes))
                return nil
            } catch {
                return error.status
            }
        }
        #expect(status([1, 0, 0, 0, 1, 7]) == .internal)
        #expect(status([0, 0, 0, 0, 1, 7, 8]) == .internal)
        #expect(status([0, 255, 255, 255, 255]) == .resourceExhausted)
        #expect(status([0, 0, 0, 0, 2, 7, 8]) == nil)
    }

    @Test("ends with a status, which proxies may give in other words")
    func status() {
        func status(_ headers: HPACKHeaders) -> GRPCStatus? { GRPCStatus(headers) }
        #expect(status([":status": "200", "content-type": "application/grpc"]) == nil)
        #expect(status(["grpc-status": "0"])?.code == 0)
        #expect(
            status(["grpc-status": "8", "grpc-message": "rate%20limit"])?.message == "rate limit")
        #expect(status(["grpc-status": "8", "grpc-message": "100%"])?.message == "100%")
        #expect(status([":status": "503"])?.code == CallFailure.Status.unavailable.rawValue)
        #expect(status([":status": "401"])?.code == CallFailure.Status.unauthenticated.rawValue)
        #expect(status(["grpc-status": "x"])?.code == CallFailure.Status.unknown.rawValue)
    }
}

@Suite("DATA frames of a connection")
struct DataSieveTests {
    private static func frame(
        _ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 5, _ bytes: [UInt8]
    ) -> [UInt8] {
        let length = bytes.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
            + [0, 0, 0, stream] + bytes
    }

    @Test("are taken out, padding left away and counted, and all else passes, however it is cut")
    func sieve() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<400 {
            var stream: [UInt8] = []
            var rest: [UInt8] = []
            var data: [UInt8: [UInt8]] = [:]
            /// Of each DATA frame, padding included.
            var lengths: [Int] = []
            /// Of each byte of the stream, whether it is a reply's.
            var isData: [Bool] = []
            func mark(_ payload: [UInt8], padding: Int = 0) {
                let before = stream.count - isData.count - payload.count - padding
                isData += repeatElement(false, count: before)
                isData += repeatElement(true, count: payload.count)
                isData += repeatElement(false, count: padding)
            }
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let payload = random.someBytes(Int.random(in: 0...300, using: &random))
                let number = UInt8.random(in: 1...3, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1:
                    stream += Self.frame(0, stream: number, payload)
                    mark(payload)
                    data[number, default: []] += payload
                    lengths.append(payload.count)
                case 2:
                    let padding = [UInt8](
                        repeating: 0, count: Int.random(in: 0...255, using: &random))
                    let padded = [UInt8(padding.count)] + payload + padding
                    stream += Self.frame(0, flags: 8, stream: number, padded)
                    mark(payload, padding: padding.count)
                    data[number, default: []] += payload
                    lengths.append(padded.count)
                case 3:
                    // The end is NIOHTTP2's to know.
                    stream += Self.frame(0, flags: 1, stream: number, payload)
                    mark(payload)
                    data[number, default: []] += payload
                    lengths.append(payload.count)
                    rest += Self.frame(0, flags: 1, stream: number, [])
                default:
                    let other = Self.frame(
                        UInt8.random(in: 1...9, using: &random), stream: number, payload)
                    stream += other
                    rest += other
                }
            }
            var sieve = DataSieve()
            var passed: [UInt8] = []
            var taken: [UInt8: [UInt8]] = [:]
            var count = 0
            var at = 0
            let longest = [1, 9, 20, 500].randomElement(using: &random) ?? 1
            while at < stream.count {
                let end = min(at + Int.random(in: 1...longest, using: &random), stream.count)
                var part = ByteBuffer(bytes: stream[at..<end])
                while let event = sieve.next(&part) {
                    switch event {
                    case .pass(let bytes): passed += Array(bytes.readableBytesView)
                    case .data(let number, let bytes, let frameBytes):
                        taken[UInt8(number), default: []] += Array(bytes.readableBytesView)
                        count += frameBytes
                    case .broken: Issue.record("broken")
                    }
                }
                #expect(part.readableBytes == 0)
                at = end
                // A read of so many bytes brings nothing else.
                #expect(sieve.expected.bytes == isData.dropFirst(at).prefix { $0 }.count)
            }
            #expect(passed == rest)
            #expect(taken.filter { !$0.value.isEmpty } == data.filter { !$0.value.isEmpty })
            #expect(count == lengths.reduce(0, +))
            #expect(sieve.largest == lengths.max() ?? 0)
        }
    }

    @Test("that are longer than allowed, or all padding and more, end the connection")
    func broken() {
        func isBroken(_ bytes: [UInt8]) -> Bool {
            var sieve = DataSieve()
            var buffer = ByteBuffer(bytes: bytes)
            while let event = sieve.next(&buffer) { if case .broken = event { return true } }
            return false
        }
        #expect(isBroken([255, 255, 255, 0, 0, 0, 0, 0, 1]))
        #expect(isBroken(Self.frame(0, flags: 8, [9, 1, 2])))
        #expect(!isBroken(Self.frame(0, flags: 8, [2, 1, 2])))
    }
}

extension SeededRandom {
    fileprivate mutating func someBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

extension ByteBuffer {
    /// Of its memory.
    fileprivate var address: UInt { withVeryUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
}
