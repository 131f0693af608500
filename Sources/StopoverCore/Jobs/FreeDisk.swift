import Foundation

/// Room on a file system.
public enum FreeDisk {
    /// Bytes that this user may still write where `path` lies, or will lie: its nearest directory
    /// that is there is asked. nil where the system does not say.
    public static func bytes(at path: String) -> Int64? {
        var url = URL(filePath: path).standardizedFileURL
        while !FileManager.default.fileExists(atPath: url.path(percentEncoded: false)),
            url.path(percentEncoded: false) != "/"
        {
            url.deleteLastPathComponent()
        }
        var status = statvfs()
        guard statvfs(url.path(percentEncoded: false), &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}
