import CZstd
import Foundation

/// Compresses and restores payloads, plane by plane. One per worker: it owns zstd's contexts.
///
/// Embeddings have no repeats to match, only a skewed exponent byte, so they are split into byte
/// planes and zstd is asked for its entropy coder alone (level −1000 with literal compression),
/// on the planes whose sampled histogram says that it pays: 0.24–0.3 s per GB and a ratio of 1.20
/// for float32, against 0.87–1.8 s and 1.08 for level 1 on the plain bytes (performance.md).
/// Text, JSON and integers repeat: level 1.
///
/// Measured whole on a busy machine, 8 MiB of normal float32, s of CPU per GB: store 0.58–0.85,
/// restore 0.30–0.38; a chunk sealed in memory 0.78–0.98, decoded 0.47–0.50; ratio 1.20.
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
    /// Planes. Kept, so that not every chunk asks the kernel for fresh pages.
    private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

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
        scratch.deallocate()
    }

    private func scratch(atLeast bytes: Int) -> UnsafeMutableRawBufferPointer {
        if scratch.count < bytes {
            scratch.deallocate()
            scratch = .allocate(byteCount: bytes, alignment: 64)
        }
        return scratch
    }

    /// Appends the payload to `file`, packed where that makes it smaller, and says how it is stored.
    func store(
        _ payload: ArraySlice<UInt8>, elementWidth: Int, into file: DiskBuffer
    ) -> [StoredPlane] {
        payload.withUnsafeBytes { bytes in
            let width = payload.count % elementWidth == 0 ? elementWidth : 1
            guard width > 1 else { return [store(bytes, level: PlaneCoder.textLevel, file)] }
            let rows = bytes.count / width
            let buffer = scratch(atLeast: bytes.count)
            BytePlanes.split(bytes, width: width, into: buffer)
            return (0..<width).map { plane in
                let content = UnsafeRawBufferPointer(
                    rebasing: buffer[(plane * rows)..<((plane + 1) * rows)])
                return store(content, level: PlaneCoder.entropyOnlyLevel, file)
            }
        }
    }

    private func plain(_ bytes: UnsafeRawBufferPointer, _ file: DiskBuffer) -> StoredPlane {
        file.append(bytes)
        return .plain(bytes.count)
    }

    private func store(
        _ bytes: UnsafeRawBufferPointer, level: Int32, _ file: DiskBuffer
    ) -> StoredPlane {
        guard bytes.count >= PlaneCoder.shortestPlane,
            level != PlaneCoder.entropyOnlyLevel || isWorthwhile(bytes)
        else { return plain(bytes, file) }
        ZSTD_CCtx_reset(compressor, ZSTD_reset_session_and_parameters)
        ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level)
        if level == PlaneCoder.entropyOnlyLevel {
            ZSTD_CCtx_setParameter(
                compressor, ZSTD_c_experimentalParam5, Int32(ZSTD_ps_enable.rawValue))
        }
        let written = file.append(upTo: ZSTD_compressBound(bytes.count)) { room in
            let written = ZSTD_compress2(
                compressor, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
            return ZSTD_isError(written) == 0 && written < bytes.count ? written : 0
        }
        guard written > 0 else { return plain(bytes, file) }
        return StoredPlane(isCompressed: true, storedBytes: written, bytes: bytes.count)
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
        let payload = [UInt8](unsafeUninitializedCapacity: payloadBytes) { buffer, count in
            let payload = UnsafeMutableRawBufferPointer(buffer)
            if width == 1 {
                count = restore(planes, stored, into: payload) ? payloadBytes : 0
            } else {
                let content = scratch(atLeast: payloadBytes)
                guard restore(planes, stored, into: content) else { return }
                BytePlanes.join(
                    UnsafeRawBufferPointer(rebasing: content[0..<payloadBytes]), width: width,
                    into: payload)
                count = payloadBytes
            }
        }
        guard payload.count == payloadBytes else { throw ChunkDamage("a plane cannot be restored") }
        return payload
    }

    /// The planes one after another.
    private func restore(
        _ planes: [StoredPlane], _ stored: ArraySlice<UInt8>,
        into contents: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var start = stored.startIndex
        var position = 0
        for plane in planes {
            let content = contents[position..<(position + plane.bytes)]
            let frame = stored[start..<(start + plane.storedBytes)]
            guard restore(plane, frame, into: UnsafeMutableRawBufferPointer(rebasing: content))
            else { return false }
            start += plane.storedBytes
            position += plane.bytes
        }
        return true
    }

    private func restore(
        _ plane: StoredPlane, _ stored: ArraySlice<UInt8>,
        into content: UnsafeMutableRawBufferPointer
    ) -> Bool {
        stored.withUnsafeBytes { stored in
            guard plane.isCompressed else {
                guard stored.count == content.count else { return false }
                content.copyMemory(from: stored)
                return true
            }
            // An error is a number too, greater than any length.
            return content.count
                == ZSTD_decompressDCtx(
                    decompressor, content.baseAddress, content.count, stored.baseAddress,
                    stored.count)
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
