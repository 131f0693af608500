/// Follows the HTTP/2 frames (RFC 9113, section 4) of one direction of a connection as its bytes
/// pass, just as far as faults need it: where a gRPC message ends, where an answer begins, and what
/// the other side allows to be sent.
///
/// It keeps no message. Padded DATA frames would be counted wrong; no gRPC client pads.
struct FrameWatch {
    enum Event: Hashable {
        /// So many bytes of the stream's message have passed.
        case grew(stream: UInt32, bytes: Int)
        /// Its message, of so many bytes, is whole with the byte before this index.
        case whole(stream: UInt32, bytes: Int, end: Int)
        case headers(stream: UInt32, endsStream: Bool)
        /// With the window that it gives to each stream, if it says so. Not an acknowledgement.
        case settings(initialWindow: Int?)
        case window(stream: UInt32, increment: Int)
    }

    struct Frame: Hashable {
        var length: Int
        var type: UInt8
        var flags: UInt8
        var stream: UInt32

        static let headerBytes = 9
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let windowUpdate: UInt8 = 8
        /// END_STREAM of DATA and HEADERS, ACK of SETTINGS.
        static let endOrAcknowledgement: UInt8 = 1

        init(_ header: some Collection<UInt8>) {
            let bytes = Array(header)
            length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
            type = bytes[3]
            flags = bytes[4]
            stream = FrameWatch.number(bytes[5..<9]) & 0x7FFF_FFFF
        }
    }

    /// `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, with which a client begins.
    static let prefaceBytes = 24
    /// gRPC's flag of compression and the length, before each message.
    private static let prefixBytes = 5

    private struct Message {
        var prefix: [UInt8] = []
        var received = 0
        var isWhole = false

        var length: Int? {
            prefix.count < prefixBytes
                ? nil : prefixBytes + Int(FrameWatch.number(prefix[1..<prefixBytes]))
        }
    }

    private var prefaceLeft: Int
    private var header: [UInt8] = []
    private var frame: Frame?
    private var left = 0
    /// Of the small frames that are read.
    private var payload: [UInt8] = []
    private var messages: [UInt32: Message] = [:]

    init(isOfClient: Bool) { prefaceLeft = isOfClient ? FrameWatch.prefaceBytes : 0 }

    /// What the next bytes of the direction tell. Indices are those of `bytes`.
    mutating func read(_ bytes: ArraySlice<UInt8>) -> [Event] {
        var events: [Event] = []
        var at = bytes.startIndex
        while at < bytes.endIndex {
            if prefaceLeft > 0 {
                let count = min(prefaceLeft, bytes.endIndex - at)
                prefaceLeft -= count
                at += count
            } else if let frame {
                let end = at + min(left, bytes.endIndex - at)
                left -= end - at
                events += take(bytes[at..<end], of: frame)
                at = end
                if left == 0 { events += finish(frame) }
            } else {
                let end = at + min(Frame.headerBytes - header.count, bytes.endIndex - at)
                header += bytes[at..<end]
                at = end
                guard header.count == Frame.headerBytes else { break }
                events += begin(Frame(header))
                header = []
            }
        }
        return events
    }

    private mutating func begin(_ new: Frame) -> [Event] {
        frame = new
        left = new.length
        payload = []
        var events: [Event] = []
        if new.type == Frame.headers {
            let ends = new.flags & Frame.endOrAcknowledgement != 0
            events.append(.headers(stream: new.stream, endsStream: ends))
        }
        if left == 0 { events += finish(new) }
        return events
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, of frame: Frame) -> [Event] {
        switch frame.type {
        case Frame.settings, Frame.windowUpdate:
            payload += bytes
            return []
        case Frame.data:
            var message = messages[frame.stream] ?? Message()
            defer { messages[frame.stream] = message }
            let missing = FrameWatch.prefixBytes - message.prefix.count
            message.prefix += bytes.prefix(missing)
            message.received += bytes.count
            var events = [Event.grew(stream: frame.stream, bytes: message.received)]
            if let length = message.length, message.received >= length, !message.isWhole {
                message.isWhole = true
                let end = bytes.endIndex - (message.received - length)
                events.append(.whole(stream: frame.stream, bytes: length, end: end))
            }
            return events
        default: return []
        }
    }

    private mutating func finish(_ frame: Frame) -> [Event] {
        self.frame = nil
        let ends = frame.flags & Frame.endOrAcknowledgement != 0
        switch frame.type {
        case Frame.data, Frame.headers:
            if ends { messages[frame.stream] = nil }
        case Frame.reset: messages[frame.stream] = nil
        case Frame.settings where !ends:
            return [.settings(initialWindow: initialWindow())]
        case Frame.windowUpdate where payload.count == 4:
            let increment = Int(FrameWatch.number(payload) & 0x7FFF_FFFF)
            return [.window(stream: frame.stream, increment: increment)]
        default: break
        }
        return []
    }

    /// SETTINGS_INITIAL_WINDOW_SIZE, number 4, among entries of a 16 and a 32 bit number each.
    private func initialWindow() -> Int? {
        var window: Int?
        for at in stride(from: 0, to: payload.count - 5, by: 6)
        where FrameWatch.number(payload[at..<at + 2]) == 4 {
            window = Int(FrameWatch.number(payload[at + 2..<at + 6]))
        }
        return window
    }

    static func number(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.reduce(UInt32(0)) { (number: UInt32, byte: UInt8) in number << 8 | UInt32(byte) }
    }
}
