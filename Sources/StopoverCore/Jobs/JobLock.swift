import Foundation

/// One process a job: an advisory lock that the kernel drops with the process, however it ends,
/// and a record of who holds it for the one who finds it taken.
public struct JobLock: ~Copyable {
    private let file: Int32

    /// A lock that is taken is asked for again this often, this far apart, before it is refused:
    /// one who only asks (``isHeld(at:)``) holds it for some microseconds.
    static let attempts = 10
    static let pauseMicroseconds: UInt32 = 20_000

    /// Takes the lock at `path`, or throws `STO-JOB-LOCKED` with the owner's name.
    public init(at path: String) throws(StopoverError) {
        try self.init(at: path) { usleep(JobLock.pauseMicroseconds) }
    }

    init(at path: String, pause: () -> Void) throws(StopoverError) {
        let file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw StopoverError(
                .jobDirectory, "\(path) cannot be opened: \(String(cString: strerror(errno)))",
                remedy: "Check the rights of the job directory.")
        }
        let refused = JobLock.take(file, pause)
        guard refused == 0 else {
            let owner = JobLock.owner(file)
            close(file)
            guard refused == EWOULDBLOCK else {
                throw StopoverError(
                    .jobDirectory,
                    "\(path) cannot be locked: \(String(cString: strerror(refused)))",
                    remedy: "Choose a directory on a local disk with `--home`.")
            }
            throw StopoverError(
                .jobLocked, "another process runs this job: \(owner)",
                remedy:
                    "Wait for it or stop it, then run the same command again; `stopover status` "
                    + "shows how far it is.")
        }
        self.file = file
        if let data = try? JSONEncoder().encode(LockOwner.current()) {
            // The record is for people: the lock holds without it.
            ftruncate(file, 0)
            _ = data.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        }
    }

    deinit { close(file) }

    /// Whether a process holds the lock at `path` now.
    public static func isHeld(at path: String) -> Bool {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// 0, or why the lock could not be had.
    private static func take(_ file: Int32, _ pause: () -> Void) -> Int32 {
        for attempt in 1... {
            if flock(file, LOCK_EX | LOCK_NB) == 0 { return 0 }
            let refused = errno
            guard refused == EWOULDBLOCK || refused == EINTR, attempt < attempts else {
                return refused
            }
            pause()
        }
        return EWOULDBLOCK
    }

    private static func owner(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: LockOwner.bytesLimit)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0,
            let owner = try? JSONDecoder().decode(LockOwner.self, from: Data(bytes[0..<count])),
            !owner.hasCertainlyEnded
        else { return "it has not said which" }
        return owner.description
    }
}

extension StopoverError.Code {
    public static let jobLocked = Self("STO-JOB-LOCKED", exit: .locked)
}
