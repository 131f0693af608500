import Foundation
import Synchronization

/// `plan.json`: the plan as it was accepted, and what of the migration may not change.
public struct StoredPlan: Codable, Sendable {
    public var plan: MigrationPlan
    public var identity: MigrationIdentity

    public init(plan: MigrationPlan, identity: MigrationIdentity) {
        self.plan = plan
        self.identity = identity
    }

    public init(_ directory: JobDirectory) throws(StopoverError) {
        do {
            let data = try Data(contentsOf: URL(filePath: directory.planPath))
            self = try JSONDecoder().decode(StoredPlan.self, from: data)
        } catch {
            throw StopoverError(
                .jobDamaged, "the plan of job \(directory.name) cannot be read",
                remedy: "Nothing on the source changed. Drop the collection whose name contains "
                    + "`__stopover_` on the target, and run the migration under another name with "
                    + "`--job`.",
                cause: "\(error)")
        }
        guard plan.format <= MigrationPlan.currentFormat else {
            throw StopoverError(
                .ledgerNewer, "job \(directory.name) was begun by a later version of stopover",
                remedy: "Carry on with that version.")
        }
    }

    public var encoded: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self)
        }
    }
}

/// `result.json`: how a job ended.
public struct JobResult: Codable, Sendable {
    public var transfers: [TransferResult]

    public init(transfers: [TransferResult]) {
        self.transfers = transfers
    }

    /// Every collection has its final name: there is nothing left to do, or to look at again.
    public var isFinal: Bool { transfers.allSatisfy { $0.leftAs == nil } }

    /// nil when the job has not ended.
    public static func read(_ directory: JobDirectory) throws -> JobResult? {
        guard let data = FileManager.default.contents(atPath: directory.resultPath) else {
            return nil
        }
        return try JSONDecoder().decode(JobResult.self, from: data)
    }

    public func write(_ directory: JobDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try directory.write(try encoder.encode(self), to: directory.resultPath)
    }
}

/// `errors.jsonl`: what went wrong, oldest first, one JSON object a line.
public final class ErrorLog: Sendable {
    /// Lines kept; older ones give way.
    public static let lineLimit = 1000

    public struct Entry: Codable, Sendable {
        public var time: Date
        public var code: String
        public var message: String
        public var remedy: String
        public var cause: String?
        /// It did not end the run: the run waited, and tried again.
        public var wasWaitedFor: Bool?
    }

    private let directory: JobDirectory
    /// One writer at a time: each writes the file anew.
    private let writing = Mutex(())

    public init(_ directory: JobDirectory) {
        self.directory = directory
    }

    public func append(
        _ error: StopoverError, waitedFor: Bool = false, at time: Date = .now
    ) throws {
        let entry = Entry(
            time: time, code: error.code.rawValue, message: error.message, remedy: error.remedy,
            cause: error.cause, wasWaitedFor: waitedFor ? true : nil)
        try writing.withLock { _ in try append(entry) }
    }

    private func append(_ entry: Entry) throws {
        let lines = (entries() + [entry]).suffix(ErrorLog.lineLimit)
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = Data()
        for line in lines {
            data.append(try encoder.encode(line))
            data.append(UInt8(ascii: "\n"))
        }
        try directory.write(data, to: directory.errorsPath)
    }

    public func entries() -> [Entry] {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let data = FileManager.default.contents(atPath: directory.errorsPath) ?? Data()
        // A torn last line is no reason to hide the others.
        return data.split(separator: UInt8(ascii: "\n")).compactMap {
            try? decoder.decode(Entry.self, from: Data($0))
        }
    }
}

extension StopoverError.Code {
    public static let jobDamaged = Self("STO-JOB-DAMAGED", exit: .failed)
}

/// `spools`: every directory that the job's chunks have rested in, one a line.
extension JobDirectory {
    var spoolsPath: String { path + "/spools" }

    public func spools() -> [String] {
        let text = FileManager.default.contents(atPath: spoolsPath) ?? Data()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Remembers a directory before the first chunk rests in it.
    public func noteSpool(_ directory: String) throws(StopoverError) {
        let known = spools()
        let absolute = URL(filePath: directory).standardizedFileURL.path(percentEncoded: false)
        if known.contains(absolute) { return }
        try write(Data((known + [absolute]).joined(separator: "\n").utf8), to: spoolsPath)
    }
}
