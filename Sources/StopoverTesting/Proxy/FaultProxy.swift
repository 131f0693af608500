import Foundation
import Synchronization

/// Sits on a loopback port between clients and a real server, passes bytes, and does to them what
/// networks do: see ``Fault``. It knows TCP, and of HTTP/2 only where a request ends.
///
///     let proxy = try FaultProxy(to: server.port)
///     proxy.inflict(.dropAnswer, onRequestOf: 100_000)
///     … a client of `proxy.port` writes …
///     #expect(proxy.counts.faults[.dropAnswer] == 1)
///
/// It ends with its value, and so do its connections.
public final class FaultProxy: Sendable {
    public let port: Int
    private let board = ProxyBoard()
    private let wake: WakePipe

    /// - Parameter upstream: the server's port.
    public init(to upstream: Int) throws {
        let (listener, port) = try LoopbackSocket.listening()
        self.port = port
        let wake = try WakePipe()
        self.wake = wake
        Thread.detachNewThread { [board, descriptor = Mutex(Optional(listener))] in
            guard let listener = descriptor.withLock({ $0.take() }) else { return }
            ProxyLoop(listener: listener, upstream: upstream, board: board, wake: wake).run()
        }
    }

    deinit { send(.end) }

    public var uri: String { "http://127.0.0.1:\(port)" }
    public var counts: FaultCounts { board.counts }

    /// The next connection on which a request has at least so many bytes meets this fault; with 0,
    /// the next bytes of any connection. Several wait side by side.
    public func inflict(_ fault: Fault, onRequestOf bytes: Int = 0) {
        send(.order(FaultOrder(fault: fault, requestBytes: bytes)))
    }

    /// From now on faults follow the script, until ``calm()``.
    public func follow(_ script: FaultScript) { send(.script(script)) }

    /// No new faults; those under way run out.
    public func calm() { send(.calm) }

    private func send(_ command: ProxyBoard.Command) {
        board.give(command)
        wake.wake()
    }
}

/// What passes between the proxy's owner and its thread.
final class ProxyBoard: Sendable {
    enum Command: Sendable {
        case order(FaultOrder)
        case script(FaultScript)
        case calm
        case end
    }

    private let state = Mutex<(commands: [Command], counts: FaultCounts)>(([], FaultCounts()))

    var counts: FaultCounts { state.withLock(\.counts) }
    func publish(_ counts: FaultCounts) { state.withLock { $0.counts = counts } }
    func give(_ command: Command) { state.withLock { $0.commands.append(command) } }

    func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }
}

/// Ends a `poll` from another thread.
final class WakePipe: Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(LoopbackSocket.Failure) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw .system(errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes as well.
        _ = write(writeEnd, &byte, 1)
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(readEnd, &bytes, bytes.count) == bytes.count {}
    }
}
