import Foundation

/// One process a job: an advisory lock that the kernel drops with the process, however it ends,
/// and a record of who holds it for the one who finds it taken.
public struct JobLock: ~Copyable {
    struct Owner: Codable {
        var pid: Int32
        var host: String
        var command: String
        var since: Date
    }

    private let file: Int32

    /// Takes the lock at `path`, or throws `STO-JOB-LOCKED` with the owner's name.
    public init(at path: String) throws(StopoverError) {
        let file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw StopoverError(
                .jobDirectory, "\(path) cannot be opened: \(String(cString: strerror(errno)))",
                remedy: "Check the rights of the job directory.")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let owner = JobLock.owner(file)
            close(file)
            throw StopoverError(
                .jobLocked, "another process runs this job: \(owner)",
                remedy: "Wait for it or stop it, then run the same command again; `stopover status` "
                    + "shows how far it is.")
        }
        self.file = file
        let owner = Owner(
            pid: getpid(), host: ProcessInfo.processInfo.hostName,
            command: CommandLine.arguments.prefix(3).joined(separator: " "), since: .now)
        if let data = try? JSONEncoder().encode(owner) {
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
        return flock(file, LOCK_SH | LOCK_NB) != 0
    }

    private static func owner(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0,
            let owner = try? JSONDecoder().decode(Owner.self, from: Data(bytes[0..<count]))
        else { return "it has not said which" }
        return "pid \(owner.pid) on \(owner.host), since \(owner.since.formatted(.iso8601)) "
            + "(`\(owner.command)`)"
    }
}

extension StopoverError.Code {
    public static let jobLocked = Self("STO-JOB-LOCKED", exit: .locked)
}
