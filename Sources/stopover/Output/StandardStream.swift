import Foundation
import Synchronization

/// Standard output or standard error. A reader that has gone (`stopover status | head -1`) ends
/// the output, not the job.
final class StandardStream: Sendable {
    private let descriptor: Int32
    private let isBroken = Mutex(false)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Call once, before the first write: a broken pipe then is an error of `write`, not a signal
    /// that ends the process.
    static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Writes all of it, or nothing more once a write has failed. Whole texts do not mix.
    func write(_ text: String) {
        isBroken.withLock { isBroken in
            var rest = Array(text.utf8)[...]
            while !isBroken, !rest.isEmpty {
                let written = rest.withUnsafeBytes {
                    Foundation.write(descriptor, $0.baseAddress, $0.count)
                }
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if written < 0, errno == EAGAIN {
                    // Somebody made our terminal non-blocking: wait until it takes more.
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, 1000)
                } else if written == 0 || errno != EINTR {
                    isBroken = true
                }
            }
        }
    }
}
