/// Files of chunks that left the spool, which chunks to come are written into: no file is made then,
/// none removed, and no block of the disk changes hands.
///
/// Why: ext4 without a journal does not give out the inode of a file that was removed within the last
/// minute, and each file that is made looks over all of them: with 170 chunks a second, 16 % of a
/// job's processor after a minute (Docs/decisions/0011).
struct SpareFiles {
    /// Bytes of them on disk, at most.
    static let mostBytes: Int64 = 512 << 20

    struct File {
        var name: String
        var bytes: Int64
    }

    private var files: [File] = []
    private var bytes: Int64 = 0

    mutating func add(_ file: File) {
        files.append(file)
        bytes += file.bytes
    }

    /// One of them, which is the caller's from then on: the latest, of which the most is in caches.
    mutating func take() -> File? {
        guard let file = files.popLast() else { return nil }
        bytes -= file.bytes
        return file
    }

    /// One of them if all have more bytes than these or ``mostBytes``: the caller removes it.
    mutating func takeSurplus(beyond room: Int64) -> File? {
        bytes > min(room, SpareFiles.mostBytes) ? take() : nil
    }
}
