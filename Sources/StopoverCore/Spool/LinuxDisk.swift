import Foundation

/// The disk itself. Links are never followed, and files are their owner's alone.
public struct LinuxDisk: Disk {
    public init() {}

    public func create(_ path: String) throws(DiskFailure) -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DiskFailure(errno, "create") }
        return file
    }

    public func allocate(_ byteCount: Int, for file: Int32) throws(DiskFailure) {
        var refused: Int32
        repeat { refused = posix_fallocate(file, 0, byteCount) } while refused == EINTR
        guard refused == 0 || refused == EOPNOTSUPP else { throw DiskFailure(refused, "allocate") }
    }

    public func write(_ bytes: [UInt8], to file: Int32) throws(DiskFailure) {
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress.map { $0 + done }, $0.count - done, done)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw DiskFailure(errno, "write") }
            done += written
        }
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
        var bytes = [UInt8](repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + done }, size - done, done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw DiskFailure(errno, "read") }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[0..<done])
    }

    public func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory)
    }

    public func holds(_ directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory)
    }
}
