import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("Whether a chunk is packed")
struct PackingTests {
    private let batch = SampleChunk.batch()
    private var all: Set<String> { Set(batch.columns.map(\.name)) }

    @Test("is as the user says")
    func chosen() {
        var fast = PackingPolicy(.fast)
        let found1 = fast.columns(of: batch, fill: 1)
        #expect(found1 == [])
        var compact = PackingPolicy(.compact)
        let found2 = compact.columns(of: batch, fill: 0)
        #expect(found2 == all)
    }

    @Test("follows the spool: where chunks rest, and until they no longer do")
    func fill() {
        var policy = PackingPolicy(.auto)
        let found3 = policy.columns(of: batch, fill: 0)
        #expect(found3 == [])
        let found4 = policy.columns(of: batch, fill: 0.2)
        #expect(found4 == [])
        let found5 = policy.columns(of: batch, fill: 0.3)
        #expect(found5 == all)
        let found6 = policy.columns(of: batch, fill: 0.2)
        #expect(found6 == all)
        let found7 = policy.columns(of: batch, fill: 0.05)
        #expect(found7 == [])
    }

    @Test("leaves a column alone that does not shrink, and tries it again later")
    func incompressible() {
        var policy = PackingPolicy(.auto)
        _ = policy.columns(of: batch, fill: 1)
        policy.packed("vector", 1000, to: 1000)
        for _ in 0..<PackingPolicy.chunksUntilTriedAgain {
            let found8 = policy.columns(of: batch, fill: 1)
            #expect(found8 == all.subtracting(["vector"]))
        }
        let found9 = policy.columns(of: batch, fill: 1)
        #expect(found9 == all)
    }

    @Test("pays on a disk that is slower than the packing")
    func slowDisk() {
        var policy = PackingPolicy(.auto)
        for _ in 0..<40 {
            policy.took(
                packing: .zero, of: 0, writing: .milliseconds(100), of: 1 << 20)
        }
        let found10 = policy.columns(of: batch, fill: 0)
        #expect(found10 == all)
        var fast = PackingPolicy(.auto)
        for _ in 0..<40 {
            fast.took(packing: .zero, of: 0, writing: .milliseconds(1), of: 1 << 20)
        }
        let found11 = fast.columns(of: batch, fill: 0)
        #expect(found11 == [])
    }

    @Test("changes nothing of what comes back", arguments: Packing.allCases)
    func comesBack(_ packing: Packing) throws {
        let scratch = try JobScratch()
        let spool = try Spool(
            directory: scratch.path, limitBytes: 1 << 30, packing: packing,
            seed: SampleChunk.seed, resting: [])
        let batch = SampleChunk.batch(payloadBytes: 1 << 20)
        let record = try spool.makeWriter().seal(batch, SampleChunk.header())
        #expect(try spool.makeReader().read(record).columns == batch.columns)
        if packing == .fast { #expect(record.fileBytes >= batch.byteCount) }
        if packing == .compact { #expect(record.fileBytes < batch.byteCount * 3 / 4) }
    }

    @Test("rows that are in memory are taken from there once, within their bound")
    func memory() throws {
        let scratch = try JobScratch()
        let batch = SampleChunk.batch()
        let spool = try Spool(
            directory: scratch.path, limitBytes: 1 << 30, memoryBytes: batch.byteCount * 2,
            seed: SampleChunk.seed, resting: [])
        let (writer, reader) = (try spool.makeWriter(), try spool.makeReader())
        for number in 1...3 as ClosedRange<Int64> {
            let record = try writer.seal(batch, SampleChunk.header(number))
            spool.settle(reserved: 0, written: record, rows: batch)
        }
        // The third had no room: its file is needed, and the first's is not.
        for name in try scratch.names() where name.hasSuffix(".chunk") {
            try scratch.write([], to: name)
        }
        #expect(try spool.read(ChunkID(1), with: reader).1.columns == batch.columns)
        #expect(try spool.read(ChunkID(2), with: reader).1.columns == batch.columns)
        #expect(throws: StopoverError.self) { try spool.read(ChunkID(3), with: reader) }
        #expect(throws: StopoverError.self) { try spool.read(ChunkID(1), with: reader) }
    }
}

@Suite("A buffer for a disk")
struct DiskBufferTests {
    @Test("holds what was appended, aligned, with zeros to the end of the block")
    func blocks() {
        let buffer = DiskBuffer()
        var expected: [UInt8] = []
        var random = SeededRandom(seed: 9)
        for _ in 0..<50 {
            let bytes = random.bytes(Int.random(in: 0...5000, using: &random))
            bytes.withUnsafeBytes { buffer.append($0) }
            expected += bytes
            #expect(Array(buffer.bytes) == expected)
            let blocks = buffer.blocks
            #expect(blocks.count % DiskBuffer.alignment == 0)
            #expect(Int(bitPattern: blocks.baseAddress) % DiskBuffer.alignment == 0)
            #expect(blocks.count - expected.count < DiskBuffer.alignment)
            #expect(blocks[expected.count...].allSatisfy { $0 == 0 })
        }
        buffer.removeAll()
        buffer.append(littleEndian: UInt32(0x0102_0304))
        #expect(Array(buffer.bytes) == [4, 3, 2, 1])
    }

    @Test(
        "of any size is a file of exactly its bytes", arguments: [1, 4095, 4096, 262_143, 262_145])
    func file(_ count: Int) throws {
        let scratch = try JobScratch()
        var random = SeededRandom(seed: UInt64(count))
        let bytes = random.bytes(count)
        let store = ChunkStore(directory: scratch.path)
        try store.write(bytes, as: "a.chunk")
        #expect(try store.read("a.chunk", limit: count + 1) == bytes)
    }
}
