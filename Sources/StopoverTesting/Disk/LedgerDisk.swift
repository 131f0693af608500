import CFaultVFS
import Foundation
import Synchronization

/// The directory of a ledger for one life of a process: SQLite's writes and syncs in it are points of
/// that life (`CFaultVFS`).
final class LedgerDisk: Sendable {
    private let number: Int64

    /// SQLite's calls come by number, from any thread.
    private static let worlds = Mutex<[Int64: World]>([:])
    private static let last = Atomic<Int64>(0)

    private struct World {
        var points: FaultPoints
        var synced: @Sendable () -> Void
    }

    struct NotInstalled: Error {
        var code: Int32
    }

    init(
        _ directory: String, _ points: FaultPoints, synced: @escaping @Sendable () -> Void = {}
    ) throws {
        let code = fault_vfs_install { world, call, path, bytes in
            LedgerDisk.verdict(world, call, path.map { String(cString: $0) } ?? "", bytes)
        }
        guard code == 0 else { throw NotInstalled(code: code) }
        let number = LedgerDisk.last.add(1, ordering: .relaxed).newValue
        self.number = number
        LedgerDisk.worlds.withLock { $0[number] = World(points: points, synced: synced) }
        fault_world_begin(number, directory)
    }

    /// The end of the life, when its connections are closed.
    /// - Parameter seed: draws what a power cut takes; nil is an end without one.
    func end(seed: UInt64?) {
        let survivals = [FAULT_KEEP_ALL, FAULT_KEEP_NONE, FAULT_KEEP_SOME]
        let survival = seed.map { survivals[Int($0 % 3)] } ?? FAULT_KEEP_ALL
        fault_world_end(number, survival, seed ?? 0)
        _ = LedgerDisk.worlds.withLock { $0.removeValue(forKey: number) }
    }

    /// What is in the directory now, but shared memory: only whole at a sync, or when all is closed.
    static func files(in directory: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where !name.hasSuffix("-shm") {
            files[name] = try Data(contentsOf: URL(filePath: directory + "/" + name))
        }
        return files
    }

    private static func verdict(
        _ number: Int64, _ call: fault_call, _ path: String, _ bytes: Int32
    ) -> fault_verdict {
        guard let world = worlds.withLock({ $0[number] }) else { return FAULT_REFUSE }
        let verb: String
        switch call {
        case FAULT_CALL_READ: return world.points.isDead ? FAULT_REFUSE : FAULT_PASS
        case FAULT_CALL_SYNCED:
            world.synced()
            return FAULT_PASS
        case FAULT_CALL_CREATE: verb = "create"
        case FAULT_CALL_WRITE: verb = "write \(bytes) bytes of"
        case FAULT_CALL_SYNC: verb = "sync"
        case FAULT_CALL_TRUNCATE: verb = "truncate"
        default: verb = "delete"
        }
        let name = path.split(separator: "/").last ?? ""
        return switch world.points.pass(.disk, "\(verb) \(name)") {
        case .pass: FAULT_PASS
        case .fault(.error): FAULT_ERROR
        case .fault(.full): FAULT_FULL
        case .fault(.crashAfter): FAULT_REFUSE_AFTER
        case .fault(.torn): FAULT_REFUSE_TORN
        case .fault, .dead: FAULT_REFUSE
        }
    }
}
