import Foundation

/// Where a job stood at one moment: all its transfers together.
public struct ThroughputSample: Hashable, Sendable, Codable {
    /// Seconds since 1970.
    public var at: Double
    public var rowsRead: Int64
    public var rowsLoaded: Int64
    public var bytesLoaded: Int64
    public var rowsVerified: Int64
}

/// `throughput.jsonl`: how the rows of a job moved, over all its runs. At first twice a second, then ever
/// more rarely, so that a job of days has some thousand lines.
public struct ThroughputLog: Sendable {
    static let shortest = Duration.milliseconds(500)
    /// A part of the time that has passed.
    static let parts = 200

    private let directory: JobDirectory
    private let board: ProgressBoard

    public init(_ directory: JobDirectory, _ board: ProgressBoard) {
        self.directory = directory
        self.board = board
    }

    /// Writes until its task is cancelled, and the last line then. What cannot be written is left out:
    /// nothing depends on it.
    public func run() async {
        let start = ContinuousClock.now
        while !Task.isCancelled {
            append()
            let elapsed = ContinuousClock.now - start
            try? await Task.sleep(for: max(ThroughputLog.shortest, elapsed / ThroughputLog.parts))
        }
        append()
    }

    private func append() {
        let total = board.snapshot().total
        let sample = ThroughputSample(
            at: Date.now.timeIntervalSince1970, rowsRead: total.rowsRead,
            rowsLoaded: total.rowsLoaded,
            bytesLoaded: total.bytesLoaded, rowsVerified: total.rowsVerified)
        guard let line = try? Receipt.encode(sample) else { return }
        let file = open(
            directory.throughputPath, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        try? FileHandle(fileDescriptor: file, closeOnDealloc: true).write(
            contentsOf: Data(line + [0x0A]))
    }

    /// Oldest first; lines that were cut off are left out.
    public static func read(_ directory: JobDirectory) -> [ThroughputSample] {
        let data = FileManager.default.contents(atPath: directory.throughputPath) ?? Data()
        return data.split(separator: 0x0A).compactMap {
            try? Receipt.decode(ThroughputSample.self, Array($0)[...])
        }
    }
}
