import Foundation
import StopoverCore
import Synchronization

/// A disk in memory whose calls are numbered points of a process's life. After the death of the process
/// `restart` gives the disk as it survived, for the next life.
public final class SimulatedDisk: Disk {
    private let volume: Mutex<Volume>
    private let points: FaultPoints
    /// Told after every sync that succeeded.
    private let synced: @Sendable () -> Void
    /// Syncs of files that an earlier sync had failed on: what must never be.
    private let repeatedSyncs = Atomic(0)

    public convenience init(_ points: FaultPoints) { self.init(Volume(), points) }

    init(
        _ volume: Volume, _ points: FaultPoints, synced: @escaping @Sendable () -> Void = {}
    ) {
        self.volume = Mutex(volume)
        self.points = points
        self.synced = synced
    }

    var contents: Volume { volume.withLock { $0 } }

    /// The disk for the next life of the process, whose points are `points`.
    /// - Parameter seed: draws what of a power cut is lost; nil is an end without one.
    public func restart(seed: UInt64?, _ points: FaultPoints) -> SimulatedDisk {
        SimulatedDisk(survivor(seed: seed), points)
    }

    func survivor(seed: UInt64?) -> Volume {
        var volume = contents
        if let seed {
            var random = SeededRandom(seed: seed)
            volume.cutPower(&random)
        }
        return volume
    }

    public var syncsAfterFailure: Int { repeatedSyncs.load(ordering: .relaxed) }
    /// Paths of all files, sorted.
    public var paths: [String] { volume.withLock { $0.names.keys.sorted() } }

    // MARK: Points

    /// Carries out a call as its point says. `torn` is what half of it is.
    private func at<Value>(
        _ verb: String, _ what: String, torn: (inout Volume) -> Void = { _ in },
        failed: (inout Volume) -> Void = { _ in }, _ body: (inout Volume) -> Value?
    ) throws(DiskFailure) -> Value {
        let verdict = points.pass(.disk, "\(verb) \(what)")
        let code: Int32
        switch verdict {
        case .pass:
            if let value = volume.withLock({ body(&$0) }) { return value }
            code = verb == "create" ? EEXIST : ENOENT
        case .fault(.torn):
            volume.withLock { torn(&$0) }
            code = EIO
        case .fault(.crashAfter):
            _ = volume.withLock { body(&$0) }
            code = EIO
        case .fault(.full): code = ENOSPC
        case .fault(.error):
            volume.withLock { failed(&$0) }
            code = EIO
        case .fault, .dead: code = EIO
        }
        throw DiskFailure(code, verb)
    }

    private func name(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    // MARK: Disk

    public func create(_ path: String) throws(DiskFailure) -> Int32 {
        Int32(try at("create", name(path)) { $0.create(path) })
    }

    public func reopen(_ path: String) throws(DiskFailure) -> Int32 {
        Int32(try at("reopen", name(path)) { $0.names[path] })
    }

    public func allocate(_ byteCount: Int, for file: Int32) throws(DiskFailure) {
        guard volume.withLock({ $0.fits(byteCount, of: Int(file)) }) else {
            throw DiskFailure(ENOSPC, "allocate")
        }
        let zeros = [UInt8](repeating: 0, count: byteCount)
        try at(
            "allocate", "file \(file)", torn: { $0.write(zeros[..<(byteCount / 2)], to: Int(file)) }
        ) {
            $0.write(zeros, to: Int(file))
        }
    }

    public func write(_ buffer: DiskBuffer, to file: Int32) throws(DiskFailure) {
        let bytes = Array(buffer.bytes)
        let half = bytes[..<(bytes.count / 2)]
        try at(
            "write", "\(bytes.count) bytes of file \(file)", torn: { $0.write(half, to: Int(file)) }
        ) {
            $0.write(bytes, to: Int(file))
        }
    }

    public func sync(_ file: Int32) throws(DiskFailure) {
        let isGivenUp = volume.withLock { $0.files[Int(file)]?.isGivenUp ?? false }
        if isGivenUp { repeatedSyncs.add(1, ordering: .relaxed) }
        try at("sync", "file \(file)", failed: { $0.giveUp(Int(file)) }) { volume in
            // As Linux: the second one says yes, and the bytes are nowhere.
            if !isGivenUp { volume.sync(Int(file)) }
        }
        synced()
    }

    public func close(_ file: Int32) {}

    public func rename(_ path: String, to newPath: String) throws(DiskFailure) {
        try at("rename", name(newPath)) { $0.rename(path, to: newPath) ? () : nil }
    }

    public func remove(_ path: String) throws(DiskFailure) {
        try at("remove", name(path)) { $0.remove(path) }
    }

    public func syncDirectory(_ path: String) throws(DiskFailure) {
        try at("sync", "the directory") { $0.syncDirectory(path) }
        synced()
    }

    public func read(_ path: String, limit: Int) throws(DiskFailure) -> [UInt8]? {
        if points.isDead { throw DiskFailure(EIO, "read") }
        return volume.withLock { $0.bytes(of: path).map { Array($0.prefix(limit)) } }
    }

    public func names(in directory: String) throws -> [String] {
        if points.isDead { throw DiskFailure(EIO, "list") }
        return volume.withLock { $0.names.keys.sorted() }.map(name)
    }

    public func holds(_ directory: String) -> Bool { true }
}
