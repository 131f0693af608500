import Foundation
import StopoverTesting

@testable import StopoverCore

/// Batches, and chunk files in memory.
enum SampleChunk {
    static let seed: UInt64 = 7

    static func header(_ number: Int64 = 1) -> ChunkHeader {
        ChunkHeader(
            id: ChunkID(number), transfer: TransferID(1), split: SplitID(1), partition: "p",
            firstKey: .int64(number * 100), lastKey: .int64(number * 100 + 99))
    }

    static func column(_ name: String, _ type: DataType, _ payload: [UInt8]) -> Column {
        Column(name: name, type: type, head: [8, 1], payload: payload[...], tail: [0, 255])
    }

    /// A little of everything: compressed and plain planes, text, nothing at all.
    static func batch(payloadBytes: Int = 256) -> Batch {
        var random = SeededRandom(seed: 3)
        return Batch(
            rowCount: 64,
            columns: [
                column("id", .int64, Array("0123456789abcdef".utf8) + random.bytes(16)),
                column("vector", .floatVector, random.normalFloats(payloadBytes / 4)),
                column("zeros", .float, [UInt8](repeating: 0, count: payloadBytes)),
                column("empty", .double, []),
            ])
    }

    /// What a ledger would say of these bytes.
    static func record(_ batch: Batch, _ header: ChunkHeader, fileBytes: Int, digest: Digest128)
        -> ChunkRecord
    {
        ChunkRecord(
            id: header.id, transfer: header.transfer, split: header.split,
            partition: header.partition, rowCount: batch.rowCount, firstKey: header.firstKey,
            lastKey: header.lastKey, bodyBytes: batch.byteCount, fileBytes: fileBytes,
            digest: digest)
    }

    static func sealed(
        _ batch: Batch, number: Int64 = 1
    ) throws -> (file: ChunkFile, bytes: [UInt8], record: ChunkRecord) {
        let file = ChunkFile(seed: seed, coder: try PlaneCoder())
        let header = header(number)
        let buffer = DiskBuffer()
        let digest = try file.encode(
            batch, header, packed: Set(batch.columns.map(\.name)), into: buffer
        ).digest
        let bytes = Array(buffer.bytes)
        return (file, bytes, record(batch, header, fileBytes: bytes.count, digest: digest))
    }

    /// The bytes after `edit` changed the JSON header, with a digest and a record that fit again.
    static func forged(
        _ batch: Batch, _ edit: (inout StoredHeader) -> Void
    ) throws -> (bytes: [UInt8], record: ChunkRecord) {
        let (_, bytes, record) = try sealed(batch)
        let headerBytes = bytes[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = try JSONDecoder().decode(
            StoredHeader.self, from: Data(bytes[16..<(16 + headerBytes)]))
        edit(&header)
        let json = try JSONEncoder().encode(header)
        let body =
            bytes[0..<12] + little(UInt32(json.count)) + json
            + bytes[(16 + headerBytes)..<(bytes.count - ChunkFormat.trailerBytes)]
        return resealed(Array(body), record)
    }

    static func resealed(
        _ body: [UInt8], _ record: ChunkRecord
    ) -> (bytes: [UInt8], record: ChunkRecord) {
        let headerBytes = body[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
        let digest = body.withUnsafeBytes {
            Digest128(
                of: UnsafeRawBufferPointer(rebasing: $0[..<min(16 + headerBytes, body.count)]),
                seed: seed)
        }
        let bytes = body + little(digest.low) + little(digest.high) + ChunkFormat.seal
        var record = record
        record.digest = digest
        record.fileBytes = bytes.count
        return (bytes, record)
    }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

extension SeededRandom {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// Normally distributed float32, as embeddings are.
    mutating func normalFloats(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in
            let radius = (-2 * log(Double.random(in: 1e-9..<1, using: &self))).squareRoot()
            let value = Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self)))
            return withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }
    }
}
