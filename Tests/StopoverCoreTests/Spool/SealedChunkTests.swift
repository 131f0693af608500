import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("A sealed chunk")
struct SealedChunkTests {
    @Test("gives back every column exactly", arguments: DataType.allCases)
    func roundTrip(type: DataType) throws {
        var random = SeededRandom(seed: UInt64(type.rawValue))
        let payloads: [[UInt8]] = [
            [], [1], random.bytes(3), random.bytes(63), random.bytes(64), random.bytes(4097),
            [UInt8](repeating: 0, count: 5000), [UInt8](repeating: 0, count: 8192),
            random.normalFloats(1), random.normalFloats(50_000), random.bytes(65_536),
            Array(String(repeating: "Sätze über Vektoren. ", count: 400).utf8),
        ]
        let batch = Batch(
            rowCount: 5,
            columns: payloads.enumerated().map { index, payload in
                // A slice that does not begin at 0, as a page's are.
                let page = [9, 9] + payload + [9]
                return Column(
                    name: "f\(index)", type: type, head: random.bytes(index * 3),
                    payload: page[2..<(page.count - 1)], tail: random.bytes(index))
            })
        let (file, bytes, record) = try SampleChunk.sealed(batch)
        let read = try file.decode(bytes, expecting: record)
        #expect(read.rowCount == 5)
        #expect(read.columns == batch.columns)
        #expect(record.bodyBytes == read.byteCount)
    }

    @Test("may have no columns")
    func noColumns() throws {
        let (file, bytes, record) = try SampleChunk.sealed(Batch(rowCount: 3, columns: []))
        #expect(try file.decode(bytes, expecting: record).columns.isEmpty)
    }

    @Test("is refused when any one bit of any byte is flipped")
    func flipped() throws {
        let (file, sealed, record) = try SampleChunk.sealed(SampleChunk.batch())
        var accepted: [String] = []
        var bytes = sealed
        for index in bytes.indices {
            for bit in [0, 3, 7] {
                bytes[index] ^= 1 << bit
                if (try? file.decode(bytes, expecting: record)) != nil {
                    accepted.append("byte \(index), bit \(bit)")
                }
                bytes[index] ^= 1 << bit
            }
        }
        #expect(accepted.isEmpty)
        #expect(try file.decode(bytes, expecting: record).columns.count == 4)
    }

    @Test("is refused when it is truncated at any length")
    func truncated() throws {
        let (file, bytes, record) = try SampleChunk.sealed(SampleChunk.batch())
        for length in bytes.indices {
            let torn = Array(bytes[0..<length])
            #expect(throws: ChunkDamage.self) { try file.decode(torn, expecting: record) }
            // Nor when the record says that it is that short.
            var short = record
            short.fileBytes = length
            #expect(throws: ChunkDamage.self) { try file.decode(torn, expecting: short) }
        }
    }

    @Test("is refused when bytes are appended", arguments: [1, 24, 4096])
    func appended(count: Int) throws {
        let (file, bytes, record) = try SampleChunk.sealed(SampleChunk.batch())
        for filler: UInt8 in [0, 255] {
            let longer = bytes + [UInt8](repeating: filler, count: count)
            #expect(throws: ChunkDamage.self) { try file.decode(longer, expecting: record) }
        }
    }

    @Test("is refused when bytes stand between its columns and its seal")
    func padded() throws {
        let (file, bytes, record) = try SampleChunk.sealed(SampleChunk.batch())
        let body = Array(bytes.dropLast(ChunkFormat.trailerBytes)) + [0]
        let forged = SampleChunk.resealed(body, record)
        #expect(throws: ChunkDamage.self) {
            try file.decode(forged.bytes, expecting: forged.record)
        }
    }

    @Test("is refused in the place of another")
    func another() throws {
        let (file, _, record) = try SampleChunk.sealed(SampleChunk.batch(), number: 1)
        let (_, other, otherRecord) = try SampleChunk.sealed(SampleChunk.batch(), number: 2)
        #expect(throws: ChunkDamage.self) { try file.decode(other, expecting: record) }
        // Not even with the other's digest.
        var mixed = otherRecord
        mixed.id = record.id
        #expect(throws: ChunkDamage.self) { try file.decode(other, expecting: mixed) }
    }

    @Test("is refused under another job's seed")
    func seed() throws {
        let (_, bytes, record) = try SampleChunk.sealed(SampleChunk.batch())
        let file = ChunkFile(seed: SampleChunk.seed + 1, coder: try PlaneCoder())
        #expect(throws: ChunkDamage.self) { try file.decode(bytes, expecting: record) }
    }

    @Test("is smaller than the text in it")
    func text() throws {
        let text = (0..<2000).map { "{\"title\": \"Article \($0)\", \"language\": \"en\"}" }
        let batch = Batch(
            rowCount: text.count,
            columns: [SampleChunk.column("json", .json, Array(text.joined(separator: "\n").utf8))])
        let (_, bytes, _) = try SampleChunk.sealed(batch)
        #expect(bytes.count * 4 < batch.byteCount)
    }

    @Test("is smaller than normally distributed float32 by more than 1.15")
    func floats() throws {
        var random = SeededRandom(seed: 11)
        let batch = Batch(
            rowCount: 256,
            columns: [SampleChunk.column("v", .floatVector, random.normalFloats(256 * 768))])
        let (_, bytes, _) = try SampleChunk.sealed(batch)
        #expect(Double(batch.byteCount) / Double(bytes.count) > 1.15)
    }

    @Test("is hardly larger than bytes that cannot be compressed")
    func noise() throws {
        var random = SeededRandom(seed: 12)
        let batch = Batch(
            rowCount: 1, columns: [SampleChunk.column("v", .binaryVector, random.bytes(100_000))])
        let (_, bytes, _) = try SampleChunk.sealed(batch)
        #expect(bytes.count < batch.byteCount + 2000)
    }
}

@Suite("A chunk whose header lies under a valid digest")
struct LyingHeaderTests {
    /// Column 1 is a vector of 256 bytes in four planes.
    private func refuses(_ edit: (inout StoredHeader) -> Void) throws {
        let file = ChunkFile(seed: SampleChunk.seed, coder: try PlaneCoder())
        let forged = try SampleChunk.forged(SampleChunk.batch(), edit)
        #expect(throws: ChunkDamage.self) {
            try file.decode(forged.bytes, expecting: forged.record)
        }
    }

    @Test("is believed where it does not lie")
    func honest() throws {
        let file = ChunkFile(seed: SampleChunk.seed, coder: try PlaneCoder())
        let forged = try SampleChunk.forged(SampleChunk.batch()) { _ in }
        let read = try file.decode(forged.bytes, expecting: forged.record)
        #expect(read.columns == SampleChunk.batch().columns)
    }

    @Test(
        "is refused for any false length of a payload",
        arguments: [-1, Int.min, 0, 255, 257, 1 << 29, ChunkFormat.bodyLimit + 1, Int.max])
    func payload(length: Int) throws {
        try refuses { $0.columns[1].payloadBytes = length }
        try refuses { header in
            for i in header.columns.indices { header.columns[i].payloadBytes = length }
        }
    }

    @Test(
        "is refused for any false length of a plane",
        arguments: [-1, Int.min, 0, 1 << 40, Int.max / 2, Int.max])
    func plane(length: Int) throws {
        try refuses { $0.columns[1].planes[2].storedBytes = length }
        try refuses { $0.columns[1].planes[2].bytes = length }
        try refuses { header in
            for i in header.columns[1].planes.indices {
                header.columns[1].planes[i].storedBytes = length
                header.columns[1].planes[i].bytes = length
            }
        }
    }

    @Test("is refused before a buffer is made for a bomb")
    func bomb() throws {
        // 1 GiB of zeros is a frame of some 30 KiB; the record says how many bytes there are.
        let before = residentBytes()
        try refuses { header in
            header.columns[1].payloadBytes = ChunkFormat.bodyLimit
            header.columns[1].planes = [
                StoredPlane(isCompressed: true, storedBytes: 200, bytes: ChunkFormat.bodyLimit)
            ]
        }
        #expect(residentBytes() - before < 256 << 20)
    }

    @Test("is refused for planes that are not there, or too many")
    func planes() throws {
        try refuses { $0.columns[1].planes = [] }
        try refuses { $0.columns[1].planes.removeLast() }
        try refuses { $0.columns[1].planes += $0.columns[1].planes }
        try refuses {
            $0.columns[2].planes.swapAt(0, 1)
            $0.columns[2].planes[0].isCompressed.toggle()
        }
    }

    @Test("is refused for another order, count or type of columns or rows")
    func columns() throws {
        try refuses { $0.columns.swapAt(0, 1) }
        try refuses { $0.columns.removeLast(3) }
        try refuses { $0.columns += $0.columns }
        try refuses {
            $0.columns = Array(repeating: $0.columns[3], count: ChunkFormat.columnLimit + 1)
        }
        try refuses { $0.rowCount += 1 }
        try refuses { $0.columns[0].head.append(0) }
        try refuses { $0.columns[0].tail.removeLast() }
    }

    @Test(
        "is refused for a header that is longer than the file", arguments: [1 << 10, 1 << 31 - 1])
    func headerLength(length: Int) throws {
        let (file, bytes, record) = try SampleChunk.sealed(Batch(rowCount: 1, columns: []))
        var body = Array(bytes.dropLast(ChunkFormat.trailerBytes))
        withUnsafeBytes(of: UInt32(length).littleEndian) { body.replaceSubrange(12..<16, with: $0) }
        let forged = SampleChunk.resealed(body, record)
        #expect(throws: ChunkDamage.self) {
            try file.decode(forged.bytes, expecting: forged.record)
        }
    }

    @Test("is refused for a later format")
    func version() throws {
        let (file, bytes, record) = try SampleChunk.sealed(SampleChunk.batch())
        var body = Array(bytes.dropLast(ChunkFormat.trailerBytes))
        body[8] = UInt8(ChunkFormat.version) + 1
        let forged = SampleChunk.resealed(body, record)
        #expect(throws: ChunkDamage.self) {
            try file.decode(forged.bytes, expecting: forged.record)
        }
    }
}
