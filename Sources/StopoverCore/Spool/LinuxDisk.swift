import Foundation

/// The disk itself. Links are never followed, and files are their owner's alone.
public struct LinuxDisk: Disk {
    public init() {}

    public func create(_ path: String) throws(DiskFailure) -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DiskFailure(errno, "create") }
        return file
    }

    public func reopen(_ path: String) throws(DiskFailure) -> Int32 {
        let file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw DiskFailure(errno, "open") }
        return file
    }

    public func allocate(_ byteCount: Int, for file: Int32) throws(DiskFailure) {
        var refused: Int32
        repeat { refused = posix_fallocate(file, 0, byteCount) } while refused == EINTR
        guard refused == 0 || refused == EOPNOTSUPP else { throw DiskFailure(refused, "allocate") }
    }

    /// A file shorter than this is not worth going past the page cache for.
    static let directBytes = 256 << 10

    public func write(_ bytes: DiskBuffer, to file: Int32) throws(DiskFailure) {
        // Past the page cache, since a chunk is written once and read seldom: 0.05–0.08 s of CPU per
        // GB instead of 0.22 (performance.md).
        var refused = EINVAL
        if bytes.count >= LinuxDisk.directBytes, setDirect(true, file) {
            refused = write(bytes.blocks, to: file)
            guard setDirect(false, file) else { throw DiskFailure(errno, "write") }
        }
        // A file system may take the flag and refuse the write.
        if refused == EINVAL { refused = write(bytes.bytes, to: file) }
        guard refused == 0 else { throw DiskFailure(refused, "write") }
        // Blocks are whole, and a file that is written anew may have been longer.
        guard ftruncate(file, bytes.count) == 0 else { throw DiskFailure(errno, "write") }
    }

    /// - Returns: `errno`, or 0.
    private func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Int32 {
        var done = 0
        while done < bytes.count {
            let written = pwrite(
                file, bytes.baseAddress.map { $0 + done }, bytes.count - done, done)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return written < 0 ? errno : EIO }
            done += written
        }
        return 0
    }

    private func setDirect(_ isDirect: Bool, _ file: Int32) -> Bool {
        let flags = fcntl(file, F_GETFL)
        guard flags >= 0 else { return false }
        return fcntl(file, F_SETFL, isDirect ? flags | __O_DIRECT : flags & ~__O_DIRECT) == 0
    }

    public func sync(_ file: Int32) throws(DiskFailure) {
        guard fsync(file) == 0 else { throw DiskFailure(errno, "sync") }
    }

    public func close(_ file: Int32) { _ = Foundation.close(file) }

    public func rename(_ path: String, to newPath: String) throws(DiskFailure) {
        guard Foundation.rename(path, newPath) == 0 else { throw DiskFailure(errno, "rename") }
    }

    public func remove(_ path: String) throws(DiskFailure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw DiskFailure(errno, "remove") }
    }

    public func syncDirectory(_ path: String) throws(DiskFailure) {
        let handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw DiskFailure(errno, "open") }
        defer { close(handle) }
        try sync(handle)
    }

    public func read(_ path: String, limit: Int) throws(DiskFailure) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw DiskFailure(errno, "open")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw DiskFailure(errno, "stat") }
        let size = min(Int(status.st_size), limit)
        var refused: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { room, done in
            while done < size {
                let count = pread(file, room.baseAddress.map { $0 + done }, size - done, done)
                if count < 0, errno == EINTR { continue }
                if count < 0 { refused = errno }
                if count <= 0 { break }
                done += count
            }
        }
        guard refused == 0 else { throw DiskFailure(refused, "read") }
        return bytes
    }

    public func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory)
    }

    public func holds(_ directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory)
    }
}
