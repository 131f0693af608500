import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The check of a chunk that was just sealed")
struct SealCheckTests {
    private let checker: SealChecker

    init() throws { checker = try SealChecker() }

    private func check(_ bytes: [UInt8], _ batch: Batch, _ header: ChunkHeader) throws {
        try checker.check(bytes, of: batch, header, seed: SampleChunk.seed)
    }

    @Test(
        "passes what can be read back, whatever the width and however the blocks end",
        arguments: [DataType.varchar, .bfloat16Vector, .floatVector, .double])
    func passes(type: DataType) throws {
        let width = type.payloadElementWidth
        let block = SealChecker.blockRows
        var random = SeededRandom(seed: 11)
        for rows in [0, 1, 63, 64, block - 1, block, block + 1, 2 * block + 17] {
            // Random planes are stored; a plane of few values is compressed.
            var payload = random.bytes(rows * width)
            for row in 0..<rows { payload[row * width + width - 1] = UInt8(row % 3) }
            // One byte more than whole elements is one plane.
            for payload in [payload, payload + [1]] {
                let batch = Batch(
                    rowCount: rows, columns: [SampleChunk.column("c", type, payload)])
                let (_, bytes, _) = try SampleChunk.sealed(batch)
                try check(bytes, batch, SampleChunk.header())
            }
        }
    }

    @Test("passes a chunk of all kinds of columns, and one of none")
    func kinds() throws {
        for batch in [SampleChunk.batch(), Batch(rowCount: 0, columns: [])] {
            let (_, bytes, _) = try SampleChunk.sealed(batch)
            try check(bytes, batch, SampleChunk.header())
        }
    }

    /// A bit that flips before the file's digest is taken: the seal is good, the rows are not.
    @Test("refuses every flipped bit that its seal hides, unless the rows are the same")
    func hiddenFlips() throws {
        let batch = SampleChunk.batch()
        let (file, bytes, record) = try SampleChunk.sealed(batch)
        let body = bytes.count - ChunkFormat.trailerBytes
        var refused = 0
        for index in ChunkFormat.prefixBytes..<body {
            for bit in [0, 3, 7] {
                var damaged = Array(bytes[0..<body])
                damaged[index] ^= 1 << bit
                let resealed = SampleChunk.resealed(damaged, record)
                do {
                    try check(resealed.bytes, batch, SampleChunk.header())
                    let read = try file.decode(resealed.bytes, expecting: resealed.record)
                    #expect(read.columns == batch.columns, "byte \(index), bit \(bit)")
                } catch let error as StopoverError {
                    #expect(error.code.rawValue == "STO-SPOOL-SEAL-MISMATCH")
                    refused += 1
                }
            }
        }
        // zstd has some bits that mean nothing; there are few of them.
        #expect(refused > (body - ChunkFormat.prefixBytes) * 3 * 9 / 10)
    }

    @Test("refuses a digest that is not of these rows, and says that nothing was written")
    func otherRows() throws {
        let batch = SampleChunk.batch()
        let (_, bytes, _) = try SampleChunk.sealed(batch)
        var other = batch
        other.columns[1].payload[other.columns[1].payload.startIndex + 5] ^= 1
        let forged = try SampleChunk.forged(batch) { $0.columns[1].digest.low ^= 1 }
        let error = #expect(throws: StopoverError.self) {
            try check(forged.bytes, batch, SampleChunk.header())
        }
        #expect(error?.message.contains("vector") == true)
        #expect(error?.remedy.contains("Nothing of it was written") == true)
        #expect(throws: StopoverError.self) { try check(bytes, batch, SampleChunk.header(2)) }
        other.columns.removeLast()
        #expect(throws: StopoverError.self) { try check(bytes, other, SampleChunk.header()) }
    }

    @Test("refuses lengths that lie, without reading past the file")
    func lengths() throws {
        let batch = SampleChunk.batch()
        for length in [-1, 0, 1 << 20, Int.max] {
            let planes = try SampleChunk.forged(batch) {
                $0.columns[1].planes[3].storedBytes = length
            }
            let bytes = try SampleChunk.forged(batch) { $0.columns[1].planes[0].bytes = length }
            let payload = try SampleChunk.forged(batch) { $0.columns[1].payloadBytes = length }
            let none = try SampleChunk.forged(batch) { $0.columns[1].planes = [] }
            for forged in [planes, bytes, payload, none] {
                #expect(throws: StopoverError.self) {
                    try check(forged.bytes, batch, SampleChunk.header())
                }
            }
        }
    }

    @Test("lets a writer write what a reader reads")
    func writer() throws {
        let scratch = try JobScratch()
        let spool = try Spool(
            directory: scratch.path, limitBytes: 1 << 20, seed: SampleChunk.seed, resting: [])
        let batch = SampleChunk.batch()
        let checked = try spool.makeWriter(checksSeals: true).seal(batch, SampleChunk.header(1))
        let plain = try spool.makeWriter(checksSeals: false).seal(batch, SampleChunk.header(2))
        let reader = try spool.makeReader()
        #expect(try reader.read(checked).columns == batch.columns)
        #expect(try reader.read(plain).columns == batch.columns)
    }
}
