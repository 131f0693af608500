import Foundation

/// Where the files of a job lie.
///
///     HOME/jobs/NAME/
///         plan.json       the plan, as it was accepted; written before anything else
///         ledger.sqlite   what is durable: transfers, splits, chunks, acknowledgements
///         spool/          chunk files (elsewhere with `limits: {spool_dir: …}`)
///         quarantine/     rows that do not fit the target, one JSON object a line
///         errors.jsonl    the error log, one JSON object a line
///         result.json     how the job ended
///         lock            held by the process that runs the job
///
/// HOME is `--home`, else `STOPOVER_HOME`, else `$XDG_STATE_HOME/stopover`, else
/// `~/.local/state/stopover`. Directories are 0700, files 0600: a spool holds other people's rows.
public struct JobDirectory: Sendable, Hashable {
    public let path: String
    public let name: String

    public var planPath: String { path + "/plan.json" }
    public var ledgerPath: String { path + "/ledger.sqlite" }
    public var spoolPath: String { path + "/spool" }
    public var quarantinePath: String { path + "/quarantine" }
    public var errorsPath: String { path + "/errors.jsonl" }
    public var resultPath: String { path + "/result.json" }
    public var receiptPath: String { path + "/" + Receipt.fileName }
    public var reportPath: String { path + "/report.html" }
    public var throughputPath: String { path + "/throughput.jsonl" }
    public var lockPath: String { path + "/lock" }

    /// The home of all jobs, from the option and the environment.
    public static func home(option: String?, environment: [String: String]) -> String {
        if let option { return option }
        if let home = environment["STOPOVER_HOME"], !home.isEmpty { return home }
        if let state = environment["XDG_STATE_HOME"], !state.isEmpty { return state + "/stopover" }
        return (environment["HOME"] ?? "/root") + "/.local/state/stopover"
    }

    /// The directory of a job, whether or not it exists.
    public init(home: String, job name: String) throws(StopoverError) {
        guard JobDirectory.isName(name) else {
            throw StopoverError(
                .jobName, "\(name.debugDescription) is no name for a job",
                remedy: "Use 1 to 64 of a–z, 0–9, - and _: `--job my-migration`.")
        }
        self.name = name
        path = home + "/jobs/" + name
    }

    public static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    /// Names of the jobs under a home, sorted.
    public static func names(home: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: home + "/jobs")) ?? []
        return entries.filter(isName).sorted()
    }

    public var exists: Bool { FileManager.default.fileExists(atPath: ledgerPath) }

    /// Makes the directories that are missing, durably, and refuses what is not safely ours.
    /// - Parameter allowsNetworkFilesystem: take a place where nothing keeps a second machine from
    ///   running the same job. Otherwise it is `STO-JOB-NETWORK-FS`, before anything is made.
    public func prepare(
        spool: String, allowsNetworkFilesystem: Bool = false
    ) throws(StopoverError) {
        try prepare(
            spool: spool, allowsNetworkFilesystem: allowsNetworkFilesystem,
            filesystemType: NetworkFilesystem.type(at:))
    }

    /// The same, asking `filesystemType` what a place lies on.
    func prepare(
        spool: String, allowsNetworkFilesystem: Bool, filesystemType: (String) -> String?
    ) throws(StopoverError) {
        for place in [path, spool] where !allowsNetworkFilesystem {
            if let type = filesystemType(place), NetworkFilesystem.types.contains(type) {
                throw .networkFilesystem(type, at: place)
            }
        }
        for directory in [path, spool, quarantinePath] { try JobDirectory.make(directory) }
    }

    static func make(_ directory: String) throws(StopoverError) {
        let missing = missing(directory)
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw StopoverError(
                .jobDirectory, "\(directory) cannot be made",
                remedy: "Check the rights and the free space there, or choose another place with "
                    + "`--home`.",
                cause: error.localizedDescription)
        }
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == geteuid()
        else {
            throw StopoverError(
                .jobDirectory, "\(directory) is a link, or belongs to somebody else",
                remedy: "Remove it, or choose another place with `--home`.")
        }
        guard status.st_mode & 0o077 == 0 || chmod(directory, 0o700) == 0 else {
            throw StopoverError(
                .jobDirectory, "\(directory) is open to other users",
                remedy: "`chmod 700 \(directory)`")
        }
        // Its own name always: the run that made it may have died before this line.
        for made in Set(missing).union([directory]) {
            if let above = parent(of: made) { try sync(above) }
        }
    }

    /// Writes a small file whole or not at all, readable by its owner alone. When it returns the
    /// file is durable under its name.
    public func write(_ data: Data, to path: String) throws(StopoverError) {
        let temporary = path + ".part"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw JobDirectory.cannotWrite(path) }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: data)
            try handle.synchronize()
        } catch {
            throw JobDirectory.cannotWrite(path)
        }
        try rename(temporary, to: path)
    }

    /// Gives a file its name. When it returns that is durable.
    public func rename(_ path: String, to newPath: String) throws(StopoverError) {
        guard Foundation.rename(path, newPath) == 0 else {
            throw JobDirectory.cannotWrite(newPath)
        }
        if let directory = JobDirectory.parent(of: newPath) { try JobDirectory.sync(directory) }
    }

    static func cannotWrite(_ path: String) -> StopoverError {
        StopoverError(
            .jobDirectory, "\(path) cannot be written: \(String(cString: strerror(errno)))",
            remedy: "Check the rights and the free space there, then run the same command again.")
    }
}

extension StopoverError.Code {
    public static let jobName = Self("STO-JOB-NAME", exit: .usage)
    public static let jobDirectory = Self("STO-JOB-DIRECTORY", exit: .failed)
}
