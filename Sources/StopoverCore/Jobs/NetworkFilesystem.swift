import Foundation

/// Which filesystems a job directory may not lie on: those that two machines can write at once.
///
/// There a lock that one machine holds need not be seen by the other, SQLite's write-ahead log
/// (memory shared between processes) is not supported, and a rename may be seen half done. So a
/// job on one of them could be run twice, or lose what its ledger called durable.
///
/// Decided by the kernel's own name of the type in `/proc/self/mountinfo`. `statfs` would give a
/// number, but the same one for sshfs as for a local disk behind FUSE. Unknown types pass, and so
/// does 9p: it is how sandboxes and virtual machines show a directory of their one host.
enum NetworkFilesystem {
    static let types: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "coda", "ncpfs", "ceph", "ocfs2", "gfs2",
        "lustre", "gpfs", "beegfs", "panfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph-fuse",
        "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.juicefs",
    ]

    /// The type of the filesystem on device `major:minor`, by the lines of a `mountinfo` (proc(5)):
    ///
    ///     36 35 98:0 /root /mount/point options [more …] - type source options
    ///
    /// By device and not by path: a mount can hide another that has a longer path. nil when no
    /// line has the device, as for a subvolume of btrfs.
    static func type(ofDevice device: String, in mountinfo: String) -> String? {
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // Spaces in paths are escaped there, so a lone dash is the separator.
            guard fields.count > 6, fields[2] == device,
                let dash = fields[6...].firstIndex(of: "-"), dash + 1 < fields.endIndex
            else { continue }
            return String(fields[dash + 1])
        }
        return nil
    }

    /// The type of the filesystem at `path`, or of the nearest directory above it that exists: so
    /// that a place is judged before anything is made there. nil when it cannot be found out.
    static func type(at path: String) -> String? {
        var status = stat()
        var place = path
        while stat(place, &status) != 0 {
            guard errno == ENOENT, let above = JobDirectory.parent(of: place) else { return nil }
            place = above
        }
        let mountinfo = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        return mountinfo.flatMap { type(ofDevice: name(ofDevice: UInt64(status.st_dev)), in: $0) }
    }

    /// `major:minor` of a device number of Linux, whose halves are interleaved.
    static func name(ofDevice device: UInt64) -> String {
        let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
        let minor = device & 0xff | (device >> 12) & 0xfff_ff00
        return "\(major):\(minor)"
    }
}

extension StopoverError {
    static func networkFilesystem(_ type: String, at path: String) -> StopoverError {
        StopoverError(
            .jobNetworkFilesystem,
            "\(path) is on a network filesystem (\(type)), where a lock does not keep a second "
                + "machine out",
            remedy: "Choose a directory on a local disk: `--home DIR` for jobs, "
                + "`limits: {spool_dir: DIR}` for the spool.")
    }
}

extension StopoverError.Code {
    public static let jobNetworkFilesystem = Self("STO-JOB-NETWORK-FS", exit: .refused)
}
