import Foundation

/// `limits.json`: limits that the user changed while the job runs, until this run ends. What is nil is
/// as the migration has it.
public struct LiveLimits: Codable, Hashable, Sendable {
    public var cursors: Int?
    public var workers: Int?
    /// 0 is no bound.
    public var readRowsPerSecond: Int64?
    /// 0 is no bound.
    public var writeBytesPerSecond: Int64?

    /// How often a running job looks whether they changed.
    public static let interval = Duration.seconds(1)

    public init() {}

    /// What holds after a change: the later word on each limit.
    public func changed(by change: LiveLimits) -> LiveLimits {
        var limits = self
        limits.cursors = change.cursors ?? cursors
        limits.workers = change.workers ?? workers
        limits.readRowsPerSecond = change.readRowsPerSecond ?? readRowsPerSecond
        limits.writeBytesPerSecond = change.writeBytesPerSecond ?? writeBytesPerSecond
        return limits
    }

    /// Nothing changed where there is no file.
    public static func read(_ directory: JobDirectory) throws -> LiveLimits {
        guard let data = FileManager.default.contents(atPath: directory.limitsPath) else {
            return LiveLimits()
        }
        return try JSONDecoder().decode(LiveLimits.self, from: data)
    }

    public func write(_ directory: JobDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try directory.write(try encoder.encode(self), to: directory.limitsPath)
    }

    /// A run begins with what the migration says.
    public static func forget(_ directory: JobDirectory) {
        unlink(directory.limitsPath)
    }
}

extension JobDirectory {
    public var limitsPath: String { path + "/limits.json" }
}

extension Engine {
    /// Does as ``LiveLimits`` say, from now on until the task is cancelled.
    public func followLimits(of directory: JobDirectory) async {
        var known = LiveLimits()
        while !Task.isCancelled {
            // A file that cannot be read changes nothing.
            if let limits = try? LiveLimits.read(directory), limits != known {
                known = limits
                obey(limits)
            }
            try? await Task.sleep(for: LiveLimits.interval)
        }
    }

    func obey(_ changed: LiveLimits) {
        tuning.cursors.bound(to: changed.cursors ?? limits.cursors)
        tuning.verifiers.bound(to: changed.cursors ?? limits.cursors)
        tuning.inserts.bound(to: changed.workers ?? limits.insertRequests)
        reading.bound(to: changed.readRowsPerSecond ?? limits.readRowsPerSecond.map(Int64.init))
        writing.bound(to: changed.writeBytesPerSecond ?? limits.writeBytesPerSecond)
    }
}
