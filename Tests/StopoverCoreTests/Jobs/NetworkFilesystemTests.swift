import Foundation
import Testing

@testable import StopoverCore

@Suite("A job on a network filesystem")
struct NetworkFilesystemTests {
    private static let mountinfo = """
        21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        36 21 0:42 / /mnt/a\\040b rw,noatime shared:17 master:2 - nfs4 10.0.0.1:/x rw,vers=4.2
        37 21 0:43 / /mnt/c rw - cifs //host/share rw
        38 21 0:44 / /mnt/d - tmpfs - rw
        39 21 0:45 / /mnt/e rw - fuse.sshfs user@host: rw
        40 21 0:46 / /mnt/torn rw -
        41 21
        """

    @Test(
        "is told by the device of its directory",
        arguments: [
            ("8:1", "ext4"), ("0:42", "nfs4"), ("0:43", "cifs"), ("0:45", "fuse.sshfs"),
            ("0:4", nil), ("0:46", nil), ("", nil),
        ] as [(String, String?)])
    func type(device: String, type: String?) {
        #expect(
            NetworkFilesystem.type(ofDevice: device, in: NetworkFilesystemTests.mountinfo) == type)
    }

    @Test("is not found in an empty table")
    func emptyTable() {
        #expect(NetworkFilesystem.type(ofDevice: "8:1", in: "") == nil)
    }

    @Test(
        "has a device number whose halves are read as Linux writes them",
        arguments: [
            (0x801, "8:1"), (0x2A, "0:42"), (0x1_03_05, "259:5"), (0x1000_0800, "8:65536"),
            (0xFFFF_FFFF, "4095:1048575"), (0x1000_0000_0000, "4096:0"),
        ] as [(UInt64, String)])
    func device(number: UInt64, name: String) {
        // 0x10305 is major 0x103: its low twelve bits lie above the minor's low eight.
        #expect(NetworkFilesystem.name(ofDevice: number) == name)
    }

    @Test("is looked for where the directory will be made")
    func ancestor() throws {
        #expect(NetworkFilesystem.type(at: "/proc/self") == "proc")
        let scratch = try JobScratch()
        #expect(
            NetworkFilesystem.type(at: scratch.path + "/not/there/yet")
                == NetworkFilesystem.type(at: scratch.path))
    }

    @Test(
        "is refused before anything is made", arguments: NetworkFilesystem.types.sorted())
    func refused(type: String) throws {
        let scratch = try JobScratch()
        let directory = try JobDirectory(home: scratch.path, job: "j")
        let error = #expect(throws: StopoverError.self) {
            try directory.prepare(
                spool: directory.spoolPath, allowsNetworkFilesystem: false,
                filesystemType: { _ in type })
        }
        #expect(error?.code.rawValue == "STO-JOB-NETWORK-FS")
        #expect(error?.code.exitStatus == .refused)
        #expect(error?.remedy.contains("--home") == true)
        #expect(try scratch.names().isEmpty)
    }

    @Test("is refused for its spool alone too")
    func spool() throws {
        let scratch = try JobScratch()
        let directory = try JobDirectory(home: scratch.path, job: "j")
        let elsewhere = scratch.path + "/elsewhere"
        let error = #expect(throws: StopoverError.self) {
            try directory.prepare(
                spool: elsewhere, allowsNetworkFilesystem: false,
                filesystemType: { $0 == elsewhere ? "nfs" : "ext4" })
        }
        #expect(error?.message.contains(elsewhere) == true)
        #expect(error?.remedy.contains("spool_dir") == true)
    }

    @Test(
        "is taken when that is allowed, when the disk is local, and when it is not known",
        arguments: [
            (true, "nfs"), (false, "ext4"), (false, "xfs"), (false, "overlay"), (false, "9p"),
            (false, "fuse.fuse-overlayfs"), (false, nil),
        ] as [(Bool, String?)])
    func taken(allowed: Bool, type: String?) throws {
        let scratch = try JobScratch()
        let directory = try JobDirectory(home: scratch.path, job: "j")
        try directory.prepare(
            spool: directory.spoolPath, allowsNetworkFilesystem: allowed,
            filesystemType: { _ in type })
        #expect(try mode(directory.spoolPath) == 0o700)
    }
}

@Suite("A path of a job")
struct JobPathTests {
    @Test(
        "stands in the directory above it",
        arguments: [
            ("/a/b", "/a"), ("/a", "/"), ("/", nil), ("a/b", "a"), ("a", "."), (".", nil),
            ("", nil), ("/a/b/", "/a"), ("/a//b", "/a"), ("../a", ".."),
        ] as [(String, String?)])
    func parent(path: String, above: String?) {
        #expect(JobDirectory.parent(of: path) == above)
    }

    @Test("lacks the directories that have to be made, deepest first")
    func missing() throws {
        let scratch = try JobScratch()
        let path = scratch.path
        #expect(JobDirectory.missing(path) == [])
        #expect(JobDirectory.missing(path + "/x/y") == [path + "/x/y", path + "/x"])
    }

    @Test("that cannot be synced, as it is no directory, is said to be so")
    func sync() throws {
        let scratch = try JobScratch()
        try JobDirectory.sync(scratch.path)
        let error = #expect(throws: StopoverError.self) {
            try JobDirectory.sync(scratch.path + "/none")
        }
        #expect(error?.code == .jobDirectory)
    }
}
