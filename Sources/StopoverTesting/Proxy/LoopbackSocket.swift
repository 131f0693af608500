import Foundation

/// A TCP socket on 127.0.0.1 that never blocks, closed with its value.
final class LoopbackSocket {
    enum Failure: Error, Hashable {
        /// Nothing can be read or written just now.
        case wouldBlock
        /// The other side has closed, or the connection is broken.
        case gone
        case system(Int32)
        case noFreePort
    }

    let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var one: Int32 = 1
        _ = setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Listens on a free port: below those that the kernel gives to outgoing connections, one of
    /// which could take it while we refuse; above those of people's servers.
    static func listening() throws(Failure) -> (LoopbackSocket, port: Int) {
        for _ in 0..<100 {
            let port = Int.random(in: 20_000..<32_000)
            if let listener = try? listening(on: port) { return (listener, port) }
        }
        throw .noFreePort
    }

    /// Listens on this port. Unlike a port that the kernel chooses, it stays ours while we do not
    /// listen (see ``stopListening()``).
    static func listening(on port: Int) throws(Failure) -> LoopbackSocket {
        let result = try make()
        var one: Int32 = 1
        _ = setsockopt(
            result.descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard onAddress(port, { bind(result.descriptor, $0, $1) }) == 0 else {
            throw .system(errno)
        }
        try result.listenAgain()
        return result
    }

    /// From now on connections are refused. Not to be called twice: of a socket that does not listen
    /// it shuts the reading, which every connection inherits that it takes after ``listenAgain()``.
    func stopListening() { _ = shutdown(descriptor, Int32(SHUT_RD)) }

    func listenAgain() throws(Failure) {
        guard listen(descriptor, 128) == 0 else { throw .system(errno) }
    }

    static func connected(to port: Int) throws(Failure) -> LoopbackSocket {
        let result = try make()
        let status = onAddress(port) { connect(result.descriptor, $0, $1) }
        // On the loopback it is done, or refused, by the time that it is asked for again.
        guard status == 0 || errno == EINPROGRESS else { throw .gone }
        return result
    }

    /// nil when nobody waits.
    func accepted() -> LoopbackSocket? {
        let new = accept(descriptor, nil, nil)
        return new < 0 ? nil : LoopbackSocket(new)
    }

    /// Some bytes.
    func read(_ limit: Int) throws(Failure) -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            count = recv(descriptor, buffer.baseAddress, limit, 0)
            initialized = max(count, 0)
        }
        if count > 0 { return bytes }
        throw count == 0 ? .gone : LoopbackSocket.failure()
    }

    /// Returns how many it took.
    func write(_ bytes: ArraySlice<UInt8>) throws(Failure) -> Int {
        let count = bytes.withUnsafeBytes {
            send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count >= 0 else { throw LoopbackSocket.failure() }
        return count
    }

    /// Closing sends a reset from now on, whatever is under way.
    func resetOnClose() {
        var now = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    private static func make() throws(Failure) -> LoopbackSocket {
        let new = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard new >= 0 else { throw .system(errno) }
        return LoopbackSocket(new)
    }

    private static func failure() -> Failure {
        switch errno {
        case EAGAIN, EINTR, ENOTCONN: .wouldBlock
        default: .gone
        }
    }

    private static func onAddress(
        _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
