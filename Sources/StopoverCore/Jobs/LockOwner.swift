import Foundation

/// Who holds a job's lock, as it says in the lock's file: for the message to the next one.
///
/// The lock itself is the kernel's (`flock`); a record is never a reason to refuse. But a record
/// can be older than the lock's holder, who takes the lock first and writes second: so one that
/// can be seen to be of a process that has ended is not shown, lest a person stops the wrong one.
struct LockOwner: Codable, Hashable {
    var pid: Int32
    var host: String
    var command: String
    var since: Date
    /// The kernel's run, the process's namespace and its start in ticks after boot. With the pid
    /// they name a process for ever; absent where the system does not say.
    var boot: String?
    var namespace: String?
    var started: UInt64?

    /// The owner's record is bounded by this when it is read.
    static let bytesLimit = 4096

    /// This process.
    static func current(since: Date = .now) -> LockOwner {
        LockOwner(
            pid: getpid(), host: ProcessInfo.processInfo.hostName,
            command: String(CommandLine.arguments.prefix(3).joined(separator: " ").prefix(512)),
            since: since, boot: bootID(), namespace: pidNamespace(),
            started: startTicks(of: getpid())
        )
    }

    /// Whether the process that wrote this has certainly ended. Of another machine, or of another
    /// namespace of processes (a container's), nothing is known: false.
    var hasCertainlyEnded: Bool {
        guard let boot, let namespace, let started, boot == LockOwner.bootID(),
            namespace == LockOwner.pidNamespace()
        else { return false }
        return LockOwner.startTicks(of: pid) != started
    }

    private static func bootID() -> String? {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.split(separator: "\n").first.map(String.init)
    }

    private static func pidNamespace() -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    }

    /// Field 22 of `/proc/PID/stat`; nil when there is no such process.
    static func startTicks(of pid: Int32) -> UInt64? {
        let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // Field 2 is the command in parentheses, which may hold spaces and parentheses itself.
        guard let stat, let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].dropFirst().split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }
}

extension LockOwner: CustomStringConvertible {
    var description: String {
        "pid \(pid) on \(host), since \(since.formatted(.iso8601)) (`\(command)`)"
    }
}
