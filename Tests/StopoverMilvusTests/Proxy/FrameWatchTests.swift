import Testing

@testable import StopoverTesting

@Suite("The frames of a connection")
struct FrameWatchTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private static func frame(
        _ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]
    ) -> [UInt8] {
        let length = payload.count
        return [
            UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags, 0, 0,
            0, stream,
        ] + payload
    }

    /// Two requests side by side: one message in three frames, its prefix torn; one in a single
    /// frame, ended by an empty one.
    private static let requests: [UInt8] = {
        let message: [UInt8] = [0, 0, 0, 1, 0] + [UInt8](repeating: 7, count: 256)
        var bytes = preface
        bytes += frame(4, 0, 0, [0, 3, 0, 0, 0, 1, 0, 4, 0, 1, 0, 0])
        bytes += frame(1, 4, 1, [0x82, 0x83])
        bytes += frame(0, 0, 1, Array(message[..<3]))
        bytes += frame(1, 4, 3, [0x82])
        bytes += frame(0, 0, 3, [0, 0, 0, 0, 2, 9, 9])
        bytes += frame(0, 0, 3, []) + frame(8, 0, 1, [0, 0, 1, 0])
        bytes += frame(0, 0, 1, Array(message[3..<200]))
        bytes += frame(0, 1, 1, Array(message[200...]))
        return bytes
    }()

    @Test(
        "tell where a request is whole, however the bytes come", arguments: [1, 2, 7, 64, 10_000])
    func wholes(_ step: Int) {
        var watch = FrameWatch(isOfClient: true)
        var wholes: [FrameWatch.Event] = []
        var others: Set<FrameWatch.Event> = []
        var at = 0
        while at < Self.requests.count {
            let end = min(at + step, Self.requests.count)
            for event in watch.read(Array(Self.requests[at..<end])[...]) {
                switch event {
                case .whole(let stream, let bytes, let index):
                    wholes.append(.whole(stream: stream, bytes: bytes, end: at + index))
                case .grew: break
                default: others.insert(event)
                }
            }
            at = end
        }
        let ofThree = Self.requests.firstIndex(of: 9).map { $0 + 2 }
        #expect(
            wholes == [
                .whole(stream: 3, bytes: 7, end: ofThree ?? 0),
                .whole(stream: 1, bytes: 261, end: Self.requests.count),
            ])
        #expect(
            others == [
                .settings(initialWindow: 65_536), .headers(stream: 1, endsStream: false),
                .headers(stream: 3, endsStream: false), .window(stream: 1, increment: 256),
            ])
    }
}
