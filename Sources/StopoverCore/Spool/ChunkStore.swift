import Foundation

/// Files of chunks in one directory: written once and synced, read whole.
struct ChunkStore: Sendable {
    static let temporarySuffix = ".part"
    let directory: String
    let disk: any Disk

    init(directory: String, disk: any Disk = LinuxDisk()) {
        self.directory = directory
        self.disk = disk
    }

    /// Writes `bytes` under `name`: into a file of another name, sync, rename, sync of the directory.
    /// When it returns the file is durable; when it throws there is none.
    func write(_ bytes: [UInt8], as name: String) throws(StopoverError) {
        try write(DiskBuffer(bytes), as: name)
    }

    /// - Parameter spare: a file that nobody needs, to be written anew. It is gone in any case; where it
    ///   cannot be opened, or there is none, a file is made.
    func write(_ bytes: DiskBuffer, as name: String, into spare: String? = nil)
        throws(StopoverError)
    {
        try guarded(name) { disk throws(DiskFailure) in
            let (file, temporary) = try open(spare, for: name)
            do throws(DiskFailure) {
                defer { disk.close(file) }
                try disk.allocate(bytes.count, for: file)
                try disk.write(bytes, to: file)
                try disk.sync(file)
                try disk.rename(temporary, to: path(name))
            } catch {
                // A sync that failed is never repeated: the kernel may have marked the pages clean.
                try? disk.remove(temporary)
                throw error
            }
        }
        do { try syncDirectory() } catch {
            try? disk.remove(path(name))
            throw error
        }
    }

    /// A file to be written, and its path until it is whole.
    private func open(_ spare: String?, for name: String) throws(DiskFailure) -> (Int32, String) {
        if let spare = spare.map(path) {
            if let file = try? disk.reopen(spare) { return (file, spare) }
            try disk.remove(spare)
        }
        let temporary = path(name) + ChunkStore.temporarySuffix
        return (try disk.create(temporary), temporary)
    }

    func syncDirectory() throws(StopoverError) {
        try guarded(directory) { disk throws(DiskFailure) in try disk.syncDirectory(directory) }
    }

    /// The bytes of a file, at most `limit`; nil when there is none.
    func read(_ name: String, limit: Int) throws(StopoverError) -> [UInt8]? {
        try guarded(name) { disk throws(DiskFailure) in try disk.read(path(name), limit: limit) }
    }

    func remove(_ name: String) throws(StopoverError) {
        try guarded(name) { disk throws(DiskFailure) in try disk.remove(path(name)) }
    }

    var exists: Bool { disk.holds(directory) }

    func names() throws(StopoverError) -> [String] {
        do {
            return try disk.names(in: directory)
        } catch {
            throw StopoverError(
                .spoolIO, "the spool \(directory) cannot be listed",
                remedy: "Check that it exists and its rights, then run the same command again.",
                cause: "\(error)")
        }
    }

    private func path(_ name: String) -> String { directory + "/" + name }

    private func guarded<Value>(
        _ name: String, _ body: (any Disk) throws(DiskFailure) -> Value
    ) throws(StopoverError) -> Value {
        do throws(DiskFailure) {
            return try body(disk)
        } catch {
            throw .spool(error.code, error.verb, name)
        }
    }
}

extension StopoverError {
    fileprivate static func spool(_ code: Int32, _ verb: String, _ name: String) -> StopoverError {
        if code == ENOSPC || code == EDQUOT {
            return StopoverError(
                .spoolDiskFull, "the disk of the spool is full",
                remedy: "Free some space there, or move the spool with `limits: {spool_dir: …}`, "
                    + "then run the same command again: it carries on.",
                cause: "\(verb) \(name)")
        }
        return StopoverError(
            .spoolIO, "the spool cannot \(verb) \(name): \(String(cString: strerror(code)))",
            remedy: "Check the disk and the rights of the spool, then run the same command again.")
    }

    static func corrupt(_ name: String, _ damage: ChunkDamage) -> StopoverError {
        StopoverError(
            .corruptChunk, "chunk \(name) in the spool is damaged: \(damage.what)",
            remedy:
                "The damage was found before a row of it was sent. Check the disk of the spool; "
                + "then `stopover cancel JOB --drop`, and run the migration again.")
    }

    static func missing(_ name: String) -> StopoverError {
        StopoverError(
            .missingChunk, "chunk \(name) is no longer in the spool",
            remedy: "Somebody removed it. `stopover cancel JOB --drop`, then run the migration "
                + "again.")
    }
}

extension StopoverError.Code {
    public static let spoolDiskFull = Self("STO-SPOOL-DISK-FULL", exit: .failed)
    public static let spoolIO = Self("STO-SPOOL-IO", exit: .failed)
    public static let corruptChunk = Self("STO-SPOOL-CORRUPT-CHUNK", exit: .failed)
    public static let missingChunk = Self("STO-SPOOL-MISSING-CHUNK", exit: .failed)
}
