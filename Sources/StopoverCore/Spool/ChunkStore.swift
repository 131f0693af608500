import Foundation

/// Files of chunks in one directory: written once and synced, read whole.
struct ChunkStore: Sendable {
    static let temporarySuffix = ".part"
    let directory: String

    /// Writes `bytes` under `name`: temporary file, sync, rename, sync of the directory. When it
    /// returns the file is durable; when it throws there is none.
    func write(_ bytes: [UInt8], as name: String) throws(StopoverError) {
        let temporary = directory + "/" + name + ChunkStore.temporarySuffix
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .spool(errno, "create", name) }
        do {
            try ChunkStore.fill(file, bytes, name)
        } catch {
            // A sync that failed is never repeated: the kernel may have marked the pages clean.
            close(file)
            unlink(temporary)
            throw error
        }
        close(file)
        guard rename(temporary, directory + "/" + name) == 0 else {
            let code = errno
            unlink(temporary)
            throw .spool(code, "rename", name)
        }
        do { try syncDirectory() } catch {
            unlink(directory + "/" + name)
            throw error
        }
    }

    private static func fill(
        _ file: Int32, _ bytes: [UInt8], _ name: String
    ) throws(StopoverError) {
        // Space is asked for first, so that a full disk is met before a byte is written.
        var refused: Int32
        repeat { refused = posix_fallocate(file, 0, bytes.count) } while refused == EINTR
        guard refused == 0 || refused == EOPNOTSUPP else { throw .spool(refused, "allocate", name) }
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress.map { $0 + done }, $0.count - done, done)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .spool(errno, "write", name) }
            done += written
        }
        guard fsync(file) == 0 else { throw .spool(errno, "sync", name) }
    }

    func syncDirectory() throws(StopoverError) {
        let handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw .spool(errno, "open", directory) }
        defer { close(handle) }
        guard fsync(handle) == 0 else { throw .spool(errno, "sync", directory) }
    }

    /// The bytes of a file, at most `limit`; nil when there is none.
    func read(_ name: String, limit: Int) throws(StopoverError) -> [UInt8]? {
        let file = open(directory + "/" + name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .spool(errno, "open", name)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .spool(errno, "stat", name) }
        let size = min(Int(status.st_size), limit)
        var bytes = [UInt8](repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + done }, size - done, done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .spool(errno, "read", name) }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[0..<done])
    }

    func remove(_ name: String) throws(StopoverError) {
        guard unlink(directory + "/" + name) == 0 || errno == ENOENT else {
            throw .spool(errno, "remove", name)
        }
    }

    var exists: Bool { FileManager.default.fileExists(atPath: directory) }

    func names() throws(StopoverError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw StopoverError(
                .spoolIO, "the spool \(directory) cannot be listed",
                remedy: "Check that it exists and its rights, then run the same command again.",
                cause: "\(error)")
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
