/// The file operations under the spool and the quarantine: one call of the system each, so that a
/// disk can be put in their place that fails and forgets at any of them.
///
/// A call that fails throws what the system said of it. Names are paths; a file that is being
/// written is a number of the disk's own, until it is closed.
public protocol Disk: Sendable {
    /// Makes a file that nobody else can read, and that must not be there, to be written.
    func create(_ path: String) throws(DiskFailure) -> Int32
    /// Opens a file of ours, to be written anew: it keeps its blocks.
    func reopen(_ path: String) throws(DiskFailure) -> Int32
    /// Takes room for a file of `byteCount` bytes, so that a full disk is met before a byte is written.
    func allocate(_ byteCount: Int, for file: Int32) throws(DiskFailure)
    /// Writes all of `bytes`, from the file's beginning: then it has these and no others.
    func write(_ bytes: DiskBuffer, to file: Int32) throws(DiskFailure)
    /// When it returns the file's bytes are durable. After it failed they may be gone, and a second
    /// one may succeed all the same: the kernel may have marked them clean.
    func sync(_ file: Int32) throws(DiskFailure)
    func close(_ file: Int32)
    func rename(_ path: String, to newPath: String) throws(DiskFailure)
    /// A file that is not there is a success.
    func remove(_ path: String) throws(DiskFailure)
    /// Makes durable which names a directory has.
    func syncDirectory(_ path: String) throws(DiskFailure)
    /// The bytes of a file, at most `limit`; nil when there is none.
    func read(_ path: String, limit: Int) throws(DiskFailure) -> [UInt8]?
    func names(in directory: String) throws -> [String]
    func holds(_ directory: String) -> Bool
}

/// A call of the system that failed.
public struct DiskFailure: Error, Hashable, Sendable {
    /// `errno`.
    public var code: Int32
    /// What was tried, as a verb: `sync`.
    public var verb: String

    public init(_ code: Int32, _ verb: String) {
        self.code = code
        self.verb = verb
    }
}
