import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The simulated disk")
struct SimulatedDiskTests {
    /// Points of one file: create or reopen, allocate, write, sync, rename, and the sync of the directory.
    private static let sync = 3
    private static let directorySync = 5

    private func store(_ disk: SimulatedDisk) -> ChunkStore {
        ChunkStore(directory: "/spool", disk: disk)
    }

    private func disk(
        _ point: Int, _ fault: PointFault, spare: String? = nil
    ) throws -> SimulatedDisk {
        let before = SimulatedDisk(FaultPoints())
        if let spare { try store(before).write([9, 9, 9, 9, 9, 9], as: spare) }
        return before.restart(seed: nil, FaultPoints([PlannedFault(.disk, point, fault)]))
    }

    private func write(_ bytes: [UInt8], _ disk: SimulatedDisk, into spare: String?) throws {
        try store(disk).write(DiskBuffer(bytes), as: "a.chunk", into: spare)
    }

    @Test("keeps a file that was written, whatever a power cut takes", arguments: 0..<20)
    func durable(seed: UInt64) throws {
        let disk = SimulatedDisk(FaultPoints())
        try store(disk).write([1, 2, 3], as: "a.chunk")
        let after = disk.restart(seed: seed, FaultPoints())
        #expect(try store(after).read("a.chunk", limit: 9) == [1, 2, 3])
    }

    @Test(
        "has a file whole under its name or not at all, wherever a write is cut off",
        arguments: [nil, "spare.chunk"])
    func whole(spare: String?) throws {
        for point in 0...Self.directorySync {
            for fault in [PointFault.crashBefore, .torn, .crashAfter] {
                for seed in UInt64(0)..<20 {
                    let disk = try disk(point, fault, spare: spare)
                    #expect(throws: StopoverError.self) {
                        try write([1, 2, 3, 4], disk, into: spare)
                    }
                    let after = store(disk.restart(seed: seed, FaultPoints()))
                    let found = try after.read("a.chunk", limit: 9)
                    #expect(found == nil || found == [1, 2, 3, 4], "\(fault) at \(point), \(seed)")
                }
            }
        }
    }

    @Test("loses what was not synced for some seed, and a file that no directory sync followed")
    func forgets() throws {
        var lengths: Set<Int> = []
        for seed in UInt64(0)..<40 {
            let disk = try disk(Self.directorySync, .crashBefore)
            try? store(disk).write([1, 2, 3, 4], as: "a.chunk")
            lengths.insert(disk.restart(seed: seed, FaultPoints()).paths.count)
        }
        #expect(lengths.contains(0) && lengths.contains(1))
    }

    @Test("answers nothing after the death of the process")
    func dead() throws {
        let disk = try disk(Self.sync, .crashBefore)
        for _ in 0..<2 {
            #expect(throws: StopoverError.self) { try store(disk).write([1], as: "a.chunk") }
        }
        #expect(throws: StopoverError.self) { try store(disk).names() }
    }

    @Test(
        "sees that a file whose sync failed is given up, and never synced again",
        arguments: [nil, "spare.chunk"])
    func failedSync(spare: String?) throws {
        for point in [Self.sync, Self.directorySync] {
            let disk = try disk(point, .error, spare: spare)
            let error = #expect(throws: StopoverError.self) {
                try write([1, 2], disk, into: spare)
            }
            #expect(error?.code == .spoolIO)
            #expect(disk.paths.isEmpty)
            try store(disk).write([1, 2], as: "a.chunk")
            #expect(disk.syncsAfterFailure == 0)
            let after = disk.restart(seed: 1, FaultPoints())
            #expect(try store(after).read("a.chunk", limit: 9) == [1, 2])
        }
    }

    @Test(
        "says that it is full, which is an error with a way out", arguments: 0..<6,
        [nil, "spare.chunk"])
    func full(point: Int, spare: String?) throws {
        let disk = try disk(point, .full, spare: spare)
        // A spare file that cannot be opened is no spare file.
        if spare != nil, point == 0 {
            try write([1, 2], disk, into: spare)
            #expect(disk.paths == ["/spool/a.chunk"])
            return
        }
        let error = #expect(throws: StopoverError.self) { try write([1, 2], disk, into: spare) }
        #expect(error?.code == .spoolDiskFull)
        #expect(disk.paths.isEmpty)
    }
}
