/// What a client sent once, sent again on a connection of its own, from the preface on.
///
/// The client had waited for the server's windows as it sent; this one waits for them too, since a
/// server ends a connection that passes them (RFC 9113, section 5.2).
final class ReplayedConnection {
    /// How long the server may be silent.
    private static let patience = Duration.seconds(10)
    private static let initialWindow = 65_535

    private let socket: LoopbackSocket
    private var bytes: ArraySlice<UInt8>
    /// Of the frame that is being sent; it passed the windows when it was begun.
    private var leftOfFrame = FrameWatch.prefaceBytes
    private var answers = FrameWatch(isOfClient: false)
    private var hasSettings = false
    private var streamWindow = initialWindow
    private var windows: [UInt32: Int] = [:]
    private var connectionWindow = initialWindow
    private var requests: Set<UInt32> = []
    private var quietSince: ContinuousClock.Instant
    private(set) var isDone = false
    /// Streams that the server has answered to their ends.
    private(set) var answered = 0

    var descriptor: Int32 { socket.descriptor }

    /// - Parameter bytes: whole frames but for the last, of which the server may get a part.
    init(
        _ bytes: ArraySlice<UInt8>, to port: Int, now: ContinuousClock.Instant
    ) throws(LoopbackSocket.Failure) {
        socket = try .connected(to: port)
        self.bytes = bytes
        quietSince = now
    }

    var due: ContinuousClock.Instant { quietSince + ReplayedConnection.patience }

    /// A server sends its settings first of all.
    var writes: Bool { hasSettings && !bytes.isEmpty && mayGoOn }

    private var mayGoOn: Bool {
        if leftOfFrame > 0 { return true }
        guard let frame = nextFrame else { return true }
        guard frame.type == FrameWatch.Frame.data else { return true }
        let window = windows[frame.stream] ?? streamWindow
        return frame.length <= min(window, connectionWindow)
    }

    private var nextFrame: FrameWatch.Frame? {
        let header = bytes.prefix(FrameWatch.Frame.headerBytes)
        return header.count == FrameWatch.Frame.headerBytes ? FrameWatch.Frame(header) : nil
    }

    func read(_ now: ContinuousClock.Instant) {
        do {
            let read = try socket.read(256 << 10)
            quietSince = now
            for event in answers.read(read[...]) { hear(event) }
            if bytes.isEmpty, answered >= requests.count { isDone = true }
        } catch {
            if error != .wouldBlock { isDone = true }
        }
    }

    private func hear(_ event: FrameWatch.Event) {
        switch event {
        case .settings(let initialWindow):
            hasSettings = true
            guard let initialWindow else { return }
            for stream in windows.keys { windows[stream]? += initialWindow - streamWindow }
            streamWindow = initialWindow
        case .window(0, let increment): connectionWindow += increment
        case .window(let stream, let increment):
            windows[stream, default: streamWindow] += increment
        case .headers(_, endsStream: true): answered += 1
        case .headers, .grew, .whole: break
        }
    }

    func write() {
        do {
            while writes {
                if leftOfFrame == 0 { beginFrame() }
                let count = try socket.write(bytes.prefix(leftOfFrame))
                leftOfFrame -= count
                bytes = bytes.dropFirst(count)
            }
        } catch {
            if error != .wouldBlock { isDone = true }
        }
    }

    private func beginFrame() {
        guard let frame = nextFrame else {
            leftOfFrame = bytes.count
            return
        }
        leftOfFrame = FrameWatch.Frame.headerBytes + frame.length
        switch frame.type {
        case FrameWatch.Frame.data:
            windows[frame.stream, default: streamWindow] -= frame.length
            connectionWindow -= frame.length
        case FrameWatch.Frame.headers: requests.insert(frame.stream)
        default: break
        }
    }

    func tick(_ now: ContinuousClock.Instant) {
        if now >= due { isDone = true }
    }
}
