import CXXHash
import CZstd

/// Decompresses what was just compressed and compares it with the digests that were taken before:
/// the last moment at which the rows are still in memory and can be read again.
///
/// The digest of a whole file cannot do this: it is taken of the compressed bytes, so a bit that
/// flipped in a plane or in the compressor is sealed with it, and found only when the chunk is
/// loaded, after the position of its split has passed.
///
/// A column is put together again block by block and hashed as it goes, in memory that stays in the
/// processor's cache and is kept from chunk to chunk. One per writer.
final class SealChecker {
    /// Rows of a block: with eight planes, both of its forms take 64 KiB.
    static let blockRows = 4096
    private static let widestElement = 8

    private let decompressor: OpaquePointer
    private let hash: OpaquePointer
    /// A block's planes, and after them its elements.
    private let block = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 2 * blockRows * widestElement, alignment: 64)
    /// The compressed planes of one column, restored.
    private var restored = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init() throws(StopoverError) {
        guard let decompressor = ZSTD_createDCtx(), let hash = XXH3_createState() else {
            throw StopoverError(
                .spoolIO, "there is no memory to check chunks with",
                remedy: "Lower `limits: memory`, then run the same command again.")
        }
        self.decompressor = decompressor
        self.hash = hash
    }

    deinit {
        ZSTD_freeDCtx(decompressor)
        XXH3_freeState(hash)
        block.deallocate()
        restored.deallocate()
    }

    /// Throws `STO-SPOOL-SEAL-MISMATCH` when `bytes`, a whole chunk file, do not give back `batch`.
    func check(
        _ bytes: [UInt8], of batch: Batch, _ header: ChunkHeader, seed: UInt64
    ) throws(StopoverError) {
        do { try find(bytes, batch, header, seed) } catch {
            throw StopoverError(
                .sealMismatch,
                "chunk \(header.id) does not give back the rows that were put in: \(error.what)",
                remedy: "Nothing of it was written. Run the same command again: it reads these "
                    + "rows anew. If it comes back, test this machine's memory.")
        }
    }

    private func find(
        _ bytes: [UInt8], _ batch: Batch, _ header: ChunkHeader, _ seed: UInt64
    ) throws(ChunkDamage) {
        let end = bytes.count - ChunkFormat.trailerBytes
        let (stored, headerEnd) = try ChunkFile.header(of: bytes, bodyEnd: end)
        guard stored.chunk == header, stored.rowCount == batch.rowCount,
            stored.columns.count == batch.columns.count
        else { throw ChunkDamage("its header is another") }
        var position = headerEnd
        for (description, column) in zip(stored.columns, batch.columns) {
            guard description.name == column.name, description.type == column.type,
                description.head == column.head, description.tail == column.tail,
                description.payloadBytes == column.payload.count,
                let length = description.bytesInFile(atMost: end - position)
            else { throw ChunkDamage("the description of column \(column.name) is another") }
            let payload = bytes.withUnsafeBytes { bytes -> Digest128? in
                let stored = UnsafeRawBufferPointer(
                    rebasing: bytes[position..<(position + length)])
                let isWhole =
                    description.isPlain
                    || Digest128(of: stored, seed: seed) == description.storedDigest
                return isWhole ? digest(of: description, from: stored, seed) : nil
            }
            guard let payload,
                description.digest == Digest128(of: column, payload: payload, seed: seed)
            else { throw ChunkDamage("column \(column.name) is not what was compressed") }
            position += length
        }
        guard position == end else { throw ChunkDamage("bytes follow its last column") }
    }

    /// Of a column's payload as it would be restored; nil when it cannot be.
    private func digest(
        of column: StoredColumn, from stored: UnsafeRawBufferPointer, _ seed: UInt64
    ) -> Digest128? {
        let width = column.planes.count
        guard (1...SealChecker.widestElement).contains(width), column.payloadBytes % width == 0,
            let planes = planes(of: column, from: stored, rows: column.payloadBytes / width)
        else { return nil }
        XXH3_128bits_reset_withSeed(hash, seed)
        if width == 1 {
            stopover_xxh3_128_update(hash, planes[0].baseAddress, planes[0].count)
        } else {
            let rows = column.payloadBytes / width
            let middle = block.count / 2
            for first in stride(from: 0, to: rows, by: SealChecker.blockRows) {
                let count = min(SealChecker.blockRows, rows - first)
                for (index, plane) in planes.enumerated() {
                    UnsafeMutableRawBufferPointer(
                        rebasing: block[(index * count)..<((index + 1) * count)]
                    ).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: plane[first..<(first + count)]))
                }
                let elements = UnsafeMutableRawBufferPointer(
                    rebasing: block[middle..<(middle + count * width)])
                BytePlanes.join(
                    UnsafeRawBufferPointer(rebasing: block[0..<(count * width)]), width: width,
                    into: elements)
                stopover_xxh3_128_update(hash, elements.baseAddress, elements.count)
            }
        }
        let digest = XXH3_128bits_digest(hash)
        return Digest128(high: digest.high64, low: digest.low64)
    }

    /// Where each plane's bytes lie: in the file where they are stored, else restored.
    private func planes(
        of column: StoredColumn, from stored: UnsafeRawBufferPointer, rows: Int
    ) -> [UnsafeRawBufferPointer]? {
        let room = rows * column.planes.count(where: \.isCompressed)
        if restored.count < room {
            restored.deallocate()
            restored = .allocate(byteCount: room, alignment: 64)
        }
        var planes: [UnsafeRawBufferPointer] = []
        var position = 0
        var used = 0
        for plane in column.planes {
            let frame = UnsafeRawBufferPointer(
                rebasing: stored[position..<(position + plane.storedBytes)])
            position += plane.storedBytes
            guard plane.bytes == rows else { return nil }
            guard plane.isCompressed else {
                guard frame.count == rows else { return nil }
                planes.append(frame)
                continue
            }
            let content = UnsafeMutableRawBufferPointer(rebasing: restored[used..<(used + rows)])
            used += rows
            // An error is a number too, greater than any length.
            guard
                ZSTD_decompressDCtx(
                    decompressor, content.baseAddress, rows, frame.baseAddress, frame.count) == rows
            else { return nil }
            planes.append(UnsafeRawBufferPointer(content))
        }
        return planes
    }
}

extension StopoverError.Code {
    public static let sealMismatch = Self("STO-SPOOL-SEAL-MISMATCH", exit: .failed)
}
