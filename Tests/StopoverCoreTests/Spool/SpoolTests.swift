import Foundation
import Synchronization
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The spool")
struct SpoolTests {
    private let scratch: JobScratch

    init() throws { scratch = try JobScratch() }

    private func spool(
        limit: Int64 = 1 << 30, resting: [ChunkRecord] = [],
        report: @escaping @Sendable (Int64) -> Void = { _ in }
    ) throws -> Spool {
        try Spool(
            directory: scratch.path, limitBytes: limit, seed: SampleChunk.seed, resting: resting,
            report: report)
    }

    private func seal(_ spool: Spool, _ number: Int64) async throws -> ChunkRecord {
        let batch = SampleChunk.batch()
        try await spool.reserve(batch.byteCount)
        let record = try spool.makeWriter().seal(batch, SampleChunk.header(number))
        spool.settle(reserved: batch.byteCount, written: record)
        return record
    }

    private func fileName(_ record: ChunkRecord) -> String {
        ChunkFormat.fileName(record.id, digest: record.digest)
    }

    // MARK: Files

    @Test("gives back what was sealed, in this run and the next")
    func readBack() async throws {
        let first = try spool()
        let record = try await seal(first, 1)
        #expect(first.usedBytes == Int64(record.fileBytes))
        for spool in [first, try spool(resting: [record])] {
            let (found, batch) = try spool.read(ChunkID(1), with: try spool.makeReader())
            #expect(found == record)
            #expect(batch.columns == SampleChunk.batch().columns)
            #expect(spool.usedBytes == Int64(record.fileBytes))
        }
    }

    @Test("fetches chunks from a directory that the job used before, once")
    func gather() async throws {
        let record = try await seal(try spool(), 1)
        let other = try JobScratch()
        // A chunk that no ledger knows, a fetch that was cut off, and what is not ours.
        try scratch.write([1], to: "0000000002-0123456789abcdef.chunk")
        try other.write([1], to: fileName(record) + ".part")
        try scratch.write([1], to: "notes.txt")
        for _ in 0..<2 {
            try Spool.gather(
                [record], into: other.path, from: ["/nowhere", scratch.path, other.path])
            #expect(try other.names() == [fileName(record)])
            #expect(try scratch.names() == ["notes.txt"])
        }
        _ = try Spool(
            directory: other.path, limitBytes: 1, seed: SampleChunk.seed, resting: [record])
    }

    @Test("removes the files of chunks that are released")
    func release() async throws {
        let spool = try spool()
        let records = [try await seal(spool, 1), try await seal(spool, 2)]
        #expect(spool.release([ChunkID(1), ChunkID(9)]) == 64)
        #expect(try spool.dropSpares())
        #expect(try scratch.names() == [fileName(records[1])])
        #expect(spool.release([ChunkID(1), ChunkID(2)]) == 64)
        #expect(spool.usedBytes == 0)
        #expect(try spool.dropSpares())
        #expect(try !spool.dropSpares())
        #expect(try scratch.names().isEmpty)
        #expect(!spool.holdsLoadable)
        let error = #expect(throws: StopoverError.self) {
            try spool.read(ChunkID(1), with: try spool.makeReader())
        }
        #expect(error?.code == .missingChunk)
    }

    /// Rows of any bytes, so that a chunk of them is as large.
    private func batch(bytes: Int) -> Batch {
        var random = SeededRandom(seed: UInt64(bytes))
        return Batch(
            rowCount: 1, columns: [SampleChunk.column("v", .binaryVector, random.bytes(bytes))])
    }

    /// Below and above the size from which a file is written past the page cache.
    @Test("writes a chunk into the file of one that left, smaller or larger")
    func spareFiles() async throws {
        let spool = try spool()
        let writer = try spool.makeWriter()
        let reader = try spool.makeReader()
        var last: (record: ChunkRecord, inode: UInt64)?
        for (number, kibibytes) in [600, 900, 300, 20, 40, 10, 500].enumerated() {
            let batch = batch(bytes: kibibytes << 10)
            let record = try writer.seal(batch, SampleChunk.header(Int64(number + 1)))
            spool.settle(reserved: 0, written: record)
            let inode = try inode(scratch.path + "/" + fileName(record))
            if let last { #expect(inode == last.inode, "\(kibibytes) KiB") }
            #expect(try scratch.names() == [fileName(record)])
            #expect(try reader.read(record).columns == batch.columns, "\(kibibytes) KiB")
            #expect(try mode(scratch.path + "/" + fileName(record)) == 0o600)
            _ = spool.release([record.id])
            last = (record, inode)
        }
        // A file that is there no longer is no loss, nor is a link in its place followed.
        let left = scratch.path + "/" + fileName(try #require(last).record)
        try #require(unlink(left) == 0)
        try scratch.write([1], to: "elsewhere")
        try #require(symlink(scratch.path + "/elsewhere", left) == 0)
        let record = try writer.seal(batch(bytes: 5), SampleChunk.header(9))
        #expect(try scratch.names() == [fileName(record), "elsewhere"].sorted())
        #expect(try Data(contentsOf: URL(filePath: scratch.path + "/elsewhere")) == Data([1]))
    }

    private func inode(_ path: String) throws -> UInt64 {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return UInt64(status.st_ino)
    }

    @Test("keeps spare files within the budget")
    func spareBudget() async throws {
        let spool = try spool(limit: 3 << 20)
        let writer = try spool.makeWriter()
        func write(_ number: Int64, kibibytes: Int) async throws {
            let room = (kibibytes + 1) << 10
            try await spool.reserve(room)
            let record = try writer.seal(batch(bytes: kibibytes << 10), SampleChunk.header(number))
            spool.settle(reserved: room, written: record)
            spool.turnEnded()
        }
        for number in Int64(1)...3 { try await write(number, kibibytes: 900) }
        #expect(spool.release([ChunkID(1), ChunkID(2), ChunkID(3)]) == 3)
        #expect(spool.usedBytes == 0)
        #expect(try scratch.names().count == 3)
        // The fourth and fifth are written into two of them; the third does not fit beside these.
        for (number, kibibytes, files) in [(Int64(4), 900, 3), (5, 1300, 2), (6, 400, 3)] {
            try await write(number, kibibytes: kibibytes)
            #expect(try scratch.names().count == files, "\(kibibytes) KiB")
        }
    }

    @Test("removes unfinished and unknown chunks at the start, and nothing else")
    func start() async throws {
        let known = try await seal(try spool(), 3)
        try scratch.write([1], to: "0000000001-0123456789abcdef.chunk.part")
        try scratch.write([1], to: fileName(known) + ".part")
        try scratch.write([1], to: "0000000002-0123456789abcdef.chunk")
        try scratch.write([1], to: "0000000003-0123456789abcdef.chunk")
        try scratch.write([1], to: "notes.txt")
        let spool = try spool(resting: [known])
        #expect(try scratch.names() == [fileName(known), "notes.txt"].sorted())
        #expect(spool.usedBytes == Int64(known.fileBytes))
    }

    @Test("leaves only foreign files when a job is given up")
    func clear() async throws {
        _ = try await seal(try spool(), 1)
        try scratch.write([1], to: "a.chunk.part")
        try scratch.write([1], to: "notes.txt")
        try Spool.clear(directory: scratch.path)
        #expect(try scratch.names() == ["notes.txt"])
    }

    @Test("says at the start, and when it is read, that a chunk is missing")
    func missing() async throws {
        let first = try spool()
        let record = try await seal(first, 1)
        unlink(scratch.path + "/" + fileName(record))
        let reading = #expect(throws: StopoverError.self) {
            try first.read(ChunkID(1), with: try first.makeReader())
        }
        let starting = #expect(throws: StopoverError.self) { try spool(resting: [record]) }
        for error in [reading, starting] {
            #expect(error?.code.rawValue == "STO-SPOOL-MISSING-CHUNK")
            #expect(error?.message.contains(fileName(record)) == true)
            #expect(error?.remedy.contains("cancel") == true)
        }
    }

    @Test("refuses a damaged chunk, with a remedy", arguments: ["flip", "cut", "grow", "empty"])
    func damaged(how: String) async throws {
        let spool = try spool()
        let record = try await seal(spool, 1)
        var bytes = [UInt8](
            try Data(contentsOf: URL(filePath: scratch.path + "/" + fileName(record))))
        switch how {
        case "flip": bytes[bytes.count / 2] ^= 1
        case "cut": bytes.removeLast()
        case "grow": bytes += bytes
        default: bytes = []
        }
        try scratch.write(bytes, to: fileName(record))
        let error = #expect(throws: StopoverError.self) {
            try spool.read(ChunkID(1), with: try spool.makeReader())
        }
        #expect(error?.code.rawValue == "STO-SPOOL-CORRUPT-CHUNK")
        #expect(error?.message.contains(fileName(record)) == true)
        #expect(error?.remedy.contains("cancel") == true)
    }

    @Test("follows no link in the place of a chunk")
    func link() async throws {
        let spool = try spool()
        let record = try await seal(spool, 1)
        let path = scratch.path + "/" + fileName(record)
        try #require(rename(path, scratch.path + "/elsewhere") == 0)
        try #require(symlink(scratch.path + "/elsewhere", path) == 0)
        let error = #expect(throws: StopoverError.self) {
            try spool.read(ChunkID(1), with: try spool.makeReader())
        }
        #expect(error?.code == .spoolIO)
    }

    @Test("writes files that only their owner reads, and leaves no temporary file")
    func modes() async throws {
        let record = try await seal(try spool(), 1)
        #expect(try scratch.names() == [fileName(record)])
        #expect(try mode(scratch.path + "/" + fileName(record)) == 0o600)
    }

    @Test("names chunks so that they sort by number, however large")
    func names() {
        let digest = Digest128(high: 0xAB, low: 1)
        #expect(
            ChunkFormat.fileName(ChunkID(42), digest: digest)
                == "0000000042-00000000000000ab.chunk")
        #expect(
            ChunkFormat.fileName(ChunkID(.max), digest: digest)
                == "9223372036854775807-00000000000000ab.chunk")
    }

    // MARK: A full disk

    @Test("says that its disk is full, leaves nothing behind, and works again when there is space")
    func diskFull() async throws {
        let disk = scratch.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        // Needs root: a test that cannot mount fails, for else nothing would tell that it never ran.
        try #require(run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk) == 0)
        defer { _ = run("umount", disk) }
        let spool = try Spool(directory: disk, limitBytes: 1 << 30, seed: 1, resting: [])
        let writer = try spool.makeWriter()
        var random = SeededRandom(seed: 5)
        let batch = Batch(
            rowCount: 1,
            columns: [SampleChunk.column("v", .binaryVector, random.bytes(300 << 10))])
        var records: [ChunkRecord] = []
        for number in Int64(1)...3 {
            try await spool.reserve(batch.byteCount)
            let record = try writer.seal(batch, SampleChunk.header(number))
            spool.settle(reserved: batch.byteCount, written: record)
            records.append(record)
        }
        let names = Set(records.map(fileName))
        for _ in 0..<3 {
            let error = #expect(throws: StopoverError.self) {
                try writer.seal(batch, SampleChunk.header(4))
            }
            #expect(error?.code.rawValue == "STO-SPOOL-DISK-FULL")
            #expect(error?.remedy.contains("spool_dir") == true)
            #expect(Set(try FileManager.default.contentsOfDirectory(atPath: disk)) == names)
        }
        for record in records {
            #expect(try spool.makeReader().read(record).columns == batch.columns)
        }
        _ = spool.release([ChunkID(1)])
        let record = try writer.seal(batch, SampleChunk.header(4))
        #expect(try spool.makeReader().read(record).columns == batch.columns)

        // Two spare files: one is too small for this chunk, and both have to go for it.
        _ = spool.release([ChunkID(2), ChunkID(3)])
        let large = self.batch(bytes: 500 << 10)
        let grown = try writer.seal(large, SampleChunk.header(5))
        #expect(try spool.makeReader().read(grown).columns == large.columns)
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: disk))
                == [fileName(record), fileName(grown)])
    }

    private func run(_ arguments: String...) -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        do { try process.run() } catch { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
