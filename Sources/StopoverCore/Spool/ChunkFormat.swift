import CXXHash

/// A chunk file: one sealed batch. Written once, never changed, whole or absent after any crash.
///
/// Constraints first: no length in the file is believed before it is checked against the file's
/// own size and the limits below; no byte is used before a digest over it was checked; a column's
/// bytes are what they were before compression, or the chunk is refused.
///
///     offset  what                                                     all numbers little endian
///     0       magic, "STOPCHNK"
///     8       format version, u32
///     12      header length H, u32
///     16      header: H bytes of JSON (``ChunkHeader``): where the rows come from, the columns
///     16+H    column data, one run of frames per column, in the header's order
///     end-24  XXH3-128 of the first 16+H bytes, seeded with the job's seed: low u64, high u64
///     end-8   magic again, "STOPSEAL"
///
/// A column's bytes are `head + payload + tail` (``Column``). Head and tail stand in the header.
/// The payload is stored as one plane, or as as many byte planes as its elements have bytes (byte
/// k of every element together), each plane either as it is or as one zstd frame. The header says
/// which, and has the XXH3-128 of `head + payload + tail`, taken before compression; of a payload that is
/// not as it is, also of the bytes that stand in the file. So the digest at the end is over all of them,
/// and a chunk that is not compressed is read once for it, when it is written and when it is checked.
///
/// The file's name is its number in ten digits, a dash, and the first 16 hex digits of its digest.
enum ChunkFormat {
    static let magic = Array("STOPCHNK".utf8)
    static let seal = Array("STOPSEAL".utf8)
    static let version: UInt32 = 2
    static let prefixBytes = 16
    static let trailerBytes = 24

    /// Greater than any message a server sends or takes (512 MiB), so nothing real is refused.
    static let bodyLimit = 1 << 30
    static let headerLimit = 64 << 20
    static let columnLimit = 4096

    static func fileName(_ id: ChunkID, digest: Digest128) -> String {
        let number = String(id.number)
        let hex = String(digest.high, radix: 16)
        return String(repeating: "0", count: max(0, 10 - number.count)) + number + "-"
            + String(repeating: "0", count: 16 - hex.count) + hex + suffix
    }

    /// The most bytes that the file of a batch can have: its payloads as they are, the rest in JSON,
    /// where a byte of an array takes up to four and one of a name up to six.
    static func room(for batch: Batch, _ header: ChunkHeader) -> Int {
        batch.columns.reduce(prefixBytes + headerRoom(for: batch, header) + trailerBytes) {
            $0 + $1.payload.count
        }
    }

    /// The most bytes that the JSON of a batch's header can have.
    static func headerRoom(for batch: Batch, _ header: ChunkHeader) -> Int {
        var room = 512 + (header.partition?.utf8.count ?? 0) * 6
        for case .varchar(let key) in [header.firstKey, header.lastKey] { room += key.count * 4 }
        for column in batch.columns {
            room += (column.head.count + column.tail.count) * 4 + column.name.utf8.count * 6 + 1024
        }
        return room
    }

    static let suffix = ".chunk"

    /// Whether a file of the spool's directory is a chunk, sealed or on its way.
    static func isSpoolFile(_ name: String) -> Bool {
        name.hasSuffix(suffix) || name.hasSuffix(suffix + ChunkStore.temporarySuffix)
    }
}

/// How a plane of a payload is stored.
struct StoredPlane: Codable, Hashable, Sendable {
    var isCompressed: Bool
    var storedBytes: Int
    var bytes: Int

    static func plain(_ bytes: Int) -> StoredPlane {
        StoredPlane(isCompressed: false, storedBytes: bytes, bytes: bytes)
    }
}

struct StoredColumn: Codable, Hashable, Sendable {
    var name: String
    var type: DataType
    var head: [UInt8]
    var tail: [UInt8]
    var payloadBytes: Int
    var planes: [StoredPlane]
    /// Of head, payload and tail.
    var digest: Digest128
    /// Of the planes as they stand in the file; nil of one plane that is the payload itself.
    var storedDigest: Digest128?

    var isPlain: Bool { planes.count == 1 && !planes[0].isCompressed }

    var storedBytes: Int { planes.reduce(0) { $0 + $1.storedBytes } }

    /// The bytes of its planes; nil when they are more than `limit`, or nonsense.
    func bytesInFile(atMost limit: Int) -> Int? {
        var bytes = 0
        for plane in planes {
            guard (0...(limit - bytes)).contains(plane.storedBytes) else { return nil }
            bytes += plane.storedBytes
        }
        return bytes
    }
}

/// Where the rows of a chunk come from, and how its columns are stored.
struct StoredHeader: Codable, Hashable, Sendable {
    var chunk: ChunkHeader
    var rowCount: Int
    var columns: [StoredColumn]
}

/// Where the rows of a chunk come from.
public struct ChunkHeader: Codable, Hashable, Sendable {
    public var id: ChunkID
    public var transfer: TransferID
    public var split: SplitID
    public var partition: String?
    public var firstKey: PrimaryKey
    public var lastKey: PrimaryKey

    public init(
        id: ChunkID, transfer: TransferID, split: SplitID, partition: String?,
        firstKey: PrimaryKey, lastKey: PrimaryKey
    ) {
        self.id = id
        self.transfer = transfer
        self.split = split
        self.partition = partition
        self.firstKey = firstKey
        self.lastKey = lastKey
    }
}

extension Digest128 {
    /// XXH3-128 of a run of bytes.
    init(of bytes: UnsafeRawBufferPointer, seed: UInt64) {
        let hash = stopover_xxh3_128(bytes.baseAddress, bytes.count, seed)
        self.init(high: hash.high64, low: hash.low64)
    }

    /// Bytes between one copy and the next: a processor's nearest caches have them still.
    private static let copiedAtOnce = 64 << 10

    /// The same of bytes that are copied meanwhile, to as much room: they come from memory once.
    init(
        of bytes: UnsafeRawBufferPointer, copiedTo room: UnsafeMutableRawBufferPointer, seed: UInt64
    ) {
        guard bytes.count > Digest128.copiedAtOnce, let hash = XXH3_createState() else {
            room.copyMemory(from: bytes)
            self.init(of: bytes, seed: seed)
            return
        }
        defer { XXH3_freeState(hash) }
        XXH3_128bits_reset_withSeed(hash, seed)
        for start in stride(from: 0, to: bytes.count, by: Digest128.copiedAtOnce) {
            let end = min(start + Digest128.copiedAtOnce, bytes.count)
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            stopover_xxh3_128_update(hash, part.baseAddress, part.count)
            UnsafeMutableRawBufferPointer(rebasing: room[start..<end]).copyMemory(from: part)
        }
        let digest = XXH3_128bits_digest(hash)
        self.init(high: digest.high64, low: digest.low64)
    }

    /// Of a column's bytes in their order, wherever its parts lie.
    package init(of column: Column, seed: UInt64) {
        let payload = column.payload.withUnsafeBytes { Digest128(of: $0, seed: seed) }
        self.init(of: column, payload: payload, seed: seed)
    }

    /// The same where the digest of the payload is known.
    init(of column: Column, payload: Digest128, seed: UInt64) {
        // The three parts are hashed one by one and their hashes together: no copy to join them.
        let head = column.head.withUnsafeBytes { Digest128(of: $0, seed: seed) }
        let tail = column.tail.withUnsafeBytes { Digest128(of: $0, seed: seed) }
        let parts: [UInt64] = [
            UInt64(column.head.count), head.high, head.low,
            UInt64(column.payload.count), payload.high, payload.low,
            UInt64(column.tail.count), tail.high, tail.low,
        ]
        self = parts.withUnsafeBytes { Digest128(of: $0, seed: seed) }
    }
}
