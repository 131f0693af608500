import CZstd
import Foundation

/// Compresses and restores payloads, plane by plane. One per worker: it owns zstd's contexts.
///
/// Embeddings have no repeats to match, only a skewed exponent byte, so they are split into byte
/// planes and zstd is asked for its entropy coder alone (level −1000 with literal compression),
/// on the planes whose sampled histogram says that it pays: 0.24–0.3 s per GB and a ratio of 1.20
/// for float32, against 0.87–1.8 s and 1.08 for level 1 on the plain bytes (performance.md).
/// Text, JSON and integers repeat: level 1.
final class PlaneCoder {
    /// zstd's level for text, and the one that leaves out the search for matches.
    static let textLevel: Int32 = 1
    static let entropyOnlyLevel: Int32 = -1000
    /// A plane is compressed when its sampled entropy is below this many bits a byte.
    static let worthwhileBits = 7.6
    static let sampleBytes = 16_384
    /// Shorter than this, a frame costs more than it saves.
    static let shortestPlane = 64

    private let compressor: OpaquePointer
    private let decompressor: OpaquePointer

    init() throws(StopoverError) {
        guard let compressor = ZSTD_createCCtx(), let decompressor = ZSTD_createDCtx() else {
            throw StopoverError(
                .spoolIO, "zstd has no memory for a context",
                remedy: "Lower `limits: memory`, then run the same command again.")
        }
        self.compressor = compressor
        self.decompressor = decompressor
    }

    deinit {
        ZSTD_freeCCtx(compressor)
        ZSTD_freeDCtx(decompressor)
    }

    /// Appends the payload's planes to `file` and says how they are stored.
    func store(
        _ payload: ArraySlice<UInt8>, elementWidth: Int, into file: inout [UInt8]
    ) -> [StoredPlane] {
        let width = elementWidth > 1 && payload.count % elementWidth == 0 ? elementWidth : 1
        guard width > 1 else {
            return [payload.withUnsafeBytes { store($0, level: PlaneCoder.textLevel, &file) }]
        }
        let rows = payload.count / width
        return payload.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(byteCount: max(rows, 1), alignment: 64) { plane in
                (0..<width).map { offset in
                    for row in 0..<rows { plane[row] = bytes[row &* width &+ offset] }
                    let content = UnsafeRawBufferPointer(rebasing: plane[0..<rows])
                    return store(content, level: PlaneCoder.entropyOnlyLevel, &file)
                }
            }
        }
    }

    private func store(
        _ bytes: UnsafeRawBufferPointer, level: Int32, _ file: inout [UInt8]
    ) -> StoredPlane {
        let start = file.count
        if bytes.count >= PlaneCoder.shortestPlane,
            level != PlaneCoder.entropyOnlyLevel || isWorthwhile(bytes)
        {
            ZSTD_CCtx_reset(compressor, ZSTD_reset_session_and_parameters)
            ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level)
            if level == PlaneCoder.entropyOnlyLevel {
                ZSTD_CCtx_setParameter(
                    compressor, ZSTD_c_experimentalParam5, Int32(ZSTD_ps_enable.rawValue))
            }
            let bound = ZSTD_compressBound(bytes.count)
            file.append(contentsOf: repeatElement(0, count: bound))
            let written = file.withUnsafeMutableBytes { file in
                ZSTD_compress2(
                    compressor, file.baseAddress.map { $0 + start }, bound, bytes.baseAddress,
                    bytes.count)
            }
            if ZSTD_isError(written) == 0, written < bytes.count {
                file.removeSubrange((start + written)...)
                return StoredPlane(isCompressed: true, storedBytes: written, bytes: bytes.count)
            }
            file.removeSubrange(start...)
        }
        file.append(contentsOf: bytes)
        return StoredPlane(isCompressed: false, storedBytes: bytes.count, bytes: bytes.count)
    }

    /// Whether the entropy coder alone would shrink these bytes, by a sample from all over them.
    private func isWorthwhile(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var histogram = [Int](repeating: 0, count: 256)
        let step = max(bytes.count / PlaneCoder.sampleBytes, 1)
        var samples = 0
        for index in Swift.stride(from: 0, to: bytes.count, by: step) {
            histogram[Int(bytes[index])] += 1
            samples += 1
        }
        // Bits a byte = log2(n) − Σ c·log2(c) / n.
        let weighted = histogram.reduce(0.0) { sum, count in
            count == 0 ? sum : sum + Double(count) * Double(count).log2
        }
        return Double(samples).log2 - weighted / Double(samples) < PlaneCoder.worthwhileBits
    }

    /// Restores a payload. `stored` is the planes' bytes, checked to have the sizes of `planes`.
    func restore(
        _ planes: [StoredPlane], from stored: ArraySlice<UInt8>, payloadBytes: Int
    ) throws(ChunkDamage) -> [UInt8] {
        let width = planes.count
        guard width > 0, payloadBytes % width == 0,
            planes.allSatisfy({ $0.bytes == payloadBytes / width })
        else { throw ChunkDamage("planes do not add up to the payload") }
        if width == 1 {
            var payload = [UInt8](repeating: 0, count: payloadBytes)
            try restore(planes[0], stored, into: &payload)
            return payload
        }
        var payload = [UInt8](repeating: 0, count: payloadBytes)
        var plane = [UInt8](repeating: 0, count: payloadBytes / width)
        var start = stored.startIndex
        for (offset, description) in planes.enumerated() {
            let end = start + description.storedBytes
            try restore(description, stored[start..<end], into: &plane)
            start = end
            payload.withUnsafeMutableBufferPointer { payload in
                plane.withUnsafeBufferPointer { plane in
                    for row in 0..<plane.count { payload[row &* width &+ offset] = plane[row] }
                }
            }
        }
        return payload
    }

    private func restore(
        _ plane: StoredPlane, _ stored: ArraySlice<UInt8>, into bytes: inout [UInt8]
    ) throws(ChunkDamage) {
        guard plane.isCompressed else {
            guard stored.count == bytes.count else { throw ChunkDamage("a plane is short") }
            bytes = Array(stored)
            return
        }
        let written = bytes.withUnsafeMutableBytes { bytes in
            stored.withUnsafeBytes { stored in
                ZSTD_decompressDCtx(
                    decompressor, bytes.baseAddress, bytes.count, stored.baseAddress, stored.count)
            }
        }
        guard ZSTD_isError(written) == 0, written == bytes.count else {
            throw ChunkDamage("a frame cannot be decompressed")
        }
    }
}

/// What is wrong with a chunk's bytes.
struct ChunkDamage: Error {
    var what: String
    init(_ what: String) { self.what = what }
}

extension Double {
    fileprivate var log2: Double { Foundation.log2(self) }
}
