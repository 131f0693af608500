import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The simulated disk")
struct SimulatedDiskTests {
    /// Points of one file: create, allocate, write, sync, rename, and the sync of the directory.
    private static let sync = 3
    private static let directorySync = 5

    private func store(_ disk: SimulatedDisk) -> ChunkStore {
        ChunkStore(directory: "/spool", disk: disk)
    }

    private func disk(_ point: Int, _ fault: PointFault) -> SimulatedDisk {
        SimulatedDisk(FaultPoints([PlannedFault(.disk, point, fault)]))
    }

    @Test("keeps a file that was written, whatever a power cut takes", arguments: 0..<20)
    func durable(seed: UInt64) throws {
        let disk = SimulatedDisk(FaultPoints())
        try store(disk).write([1, 2, 3], as: "a.chunk")
        let after = disk.restart(seed: seed, FaultPoints())
        #expect(try store(after).read("a.chunk", limit: 9) == [1, 2, 3])
    }

    @Test("has a file whole under its name or not at all, wherever a write is cut off")
    func whole() throws {
        for point in 0...Self.directorySync {
            for fault in [PointFault.crashBefore, .torn, .crashAfter] {
                for seed in UInt64(0)..<20 {
                    let disk = disk(point, fault)
                    #expect(throws: StopoverError.self) {
                        try store(disk).write([1, 2, 3, 4], as: "a.chunk")
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
            let disk = disk(Self.directorySync, .crashBefore)
            try? store(disk).write([1, 2, 3, 4], as: "a.chunk")
            lengths.insert(disk.restart(seed: seed, FaultPoints()).paths.count)
        }
        #expect(lengths.contains(0) && lengths.contains(1))
    }

    @Test("answers nothing after the death of the process")
    func dead() throws {
        let disk = disk(Self.sync, .crashBefore)
        for _ in 0..<2 {
            #expect(throws: StopoverError.self) { try store(disk).write([1], as: "a.chunk") }
        }
        #expect(throws: StopoverError.self) { try store(disk).names() }
    }

    @Test("sees that a file whose sync failed is given up, and never synced again")
    func failedSync() throws {
        for point in [Self.sync, Self.directorySync] {
            let disk = disk(point, .error)
            let error = #expect(throws: StopoverError.self) {
                try store(disk).write([1, 2], as: "a.chunk")
            }
            #expect(error?.code == .spoolIO)
            #expect(disk.paths.isEmpty)
            try store(disk).write([1, 2], as: "a.chunk")
            #expect(disk.syncsAfterFailure == 0)
            let after = disk.restart(seed: 1, FaultPoints())
            #expect(try store(after).read("a.chunk", limit: 9) == [1, 2])
        }
    }

    @Test("says that it is full, which is an error with a way out", arguments: 0..<6)
    func full(point: Int) throws {
        let disk = disk(point, .full)
        let error = #expect(throws: StopoverError.self) {
            try store(disk).write([1, 2], as: "a.chunk")
        }
        #expect(error?.code == .spoolDiskFull)
        #expect(disk.paths.isEmpty)
    }
}
