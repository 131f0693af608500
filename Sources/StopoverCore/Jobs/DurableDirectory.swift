import Foundation

extension JobDirectory {
    /// The directory that `path` stands in; nil for `/` and `.`, which stand in none of interest.
    static func parent(of path: String) -> String? {
        let parts = path.split(separator: "/")
        guard let last = parts.last, parts.count > 1 || path.hasPrefix("/") || last != "." else {
            return nil
        }
        let above = parts.dropLast().joined(separator: "/")
        if path.hasPrefix("/") { return "/" + above }
        return above.isEmpty ? "." : above
    }

    /// `path` and the directories above it that are not there, deepest first.
    static func missing(_ path: String) -> [String] {
        var missing: [String] = []
        var place = path
        while access(place, F_OK) != 0, errno == ENOENT, let above = parent(of: place) {
            missing.append(place)
            place = above
        }
        return missing
    }

    /// Makes the names in a directory durable: a file that was synced and renamed, or a directory
    /// that was made, can be gone after a power cut as long as the directory over it is not synced.
    static func sync(_ directory: String) throws(StopoverError) {
        let handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A directory over ours that may be written and not listed cannot be synced by anybody.
        if handle < 0, errno == EACCES { return }
        // Some filesystems have no sync of directories and say EINVAL; they order their own writes.
        guard handle >= 0, fsync(handle) == 0 || errno == EINVAL else {
            let code = errno
            if handle >= 0 { close(handle) }
            throw StopoverError(
                .jobDirectory, "\(directory) cannot be synced: \(String(cString: strerror(code)))",
                remedy: "Check the disk, or choose another place with `--home`.")
        }
        close(handle)
    }
}
