import CXXHash
import Foundation

/// What the rows of a chunk say, field by field: taken of what is sent, before it goes to disk, and
/// compared with what the target gives back.
///
/// A row has a number for each field (``ColumnCodec/digests(of:rowCount:seed:)``); a field's digest is
/// XXH3-128, seeded with the job's seed, over the numbers of its rows in the chunk's order. So a value
/// that changed, is missing, or stands in another row is seen, and in which field.
public struct ContentRecord: Hashable, Sendable {
    public var chunk: ChunkID
    public var transfer: TransferID
    public var rowCount: Int
    /// In the order of ``TransferPlan/sentFields``.
    public var fields: [Digest128]
    /// Rows that can be compared without the others.
    public var samples: [SampledRow]

    public init(
        chunk: ChunkID, transfer: TransferID, rowCount: Int, fields: [Digest128],
        samples: [SampledRow]
    ) {
        self.chunk = chunk
        self.transfer = transfer
        self.rowCount = rowCount
        self.fields = fields
        self.samples = samples
    }
}

/// XXH3-64 with a seed: what a codec makes the number of a row's value with.
public enum ContentHash {
    public static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        stopover_xxh3_64(bytes.baseAddress, bytes.count, seed)
    }
}

/// One row of a chunk, by itself.
public struct SampledRow: Hashable, Sendable {
    /// 0-based, within its chunk.
    public var row: Int
    /// nil where the target makes the keys: an acknowledgement names it.
    public var key: PrimaryKey?
    /// A number per field.
    public var digests: [UInt64]

    public init(row: Int, key: PrimaryKey?, digests: [UInt64]) {
        self.row = row
        self.key = key
        self.digests = digests
    }
}

/// The numbers of some rows, field by field.
struct RowDigests: Hashable, Sendable {
    /// A list per field, each with as many numbers as there are rows.
    var fields: [[UInt64]]
    var rowCount: Int

    init(fieldCount: Int) {
        fields = Array(repeating: [], count: fieldCount)
        rowCount = 0
    }

    mutating func append(_ more: RowDigests) {
        for index in fields.indices { fields[index] += more.fields[index] }
        rowCount += more.rowCount
    }

    /// The rows in another order: `order[n]` becomes row n.
    func ordered(_ order: [Int]) -> RowDigests {
        var ordered = self
        for index in fields.indices { ordered.fields[index] = order.map { fields[index][$0] } }
        ordered.rowCount = order.count
        return ordered
    }

    func digests(seed: UInt64) -> [Digest128] {
        fields.map { numbers in
            numbers.withUnsafeBytes { Digest128(of: $0, seed: seed) }
        }
    }

    func row(_ row: Int) -> [UInt64] { fields.map { $0[row] } }
}

/// Takes the digests of rows, as they are sent or as they come back.
struct ContentDigester: Sendable {
    let codec: any ColumnCodec
    let seed: UInt64
    /// The fields that are sent, in the plan's order.
    let fields: [FieldSchema]
    /// The key among them; nil where the target makes the keys.
    let keyName: String?

    /// Rows of a chunk that are kept by themselves.
    static let samplesPerChunk = 4

    init(plan: TransferPlan, codec: any ColumnCodec, seed: UInt64) {
        self.codec = codec
        self.seed = seed
        fields = plan.sentFields
        keyName = plan.keys == .target ? nil : plan.target.schema.primaryKey?.name
    }

    /// Throws `STO-VERIFY-FIELD-MISSING` when a field has no column.
    func rows(of batch: Batch) throws(StopoverError) -> RowDigests {
        var rows = RowDigests(fieldCount: fields.count)
        rows.rowCount = batch.rowCount
        for (index, field) in fields.enumerated() {
            guard let column = batch.columns.first(where: { $0.name == field.name }) else {
                throw StopoverError(
                    .fieldMissing, "rows came without their field \(field.name)",
                    remedy: "Look whether the collection was changed; then verify again.")
            }
            rows.fields[index] = try codec.digests(
                of: column, rowCount: batch.rowCount, seed: seed)
        }
        return rows
    }

    func content(
        of batch: Batch, _ chunk: ChunkID, _ transfer: TransferID
    ) throws(StopoverError) -> ContentRecord {
        let rows = try rows(of: batch)
        var samples: [SampledRow] = []
        for row in sampled(chunk, rowCount: batch.rowCount) {
            samples.append(
                SampledRow(row: row, key: try key(of: row, in: batch), digests: rows.row(row)))
        }
        return ContentRecord(
            chunk: chunk, transfer: transfer, rowCount: batch.rowCount,
            fields: rows.digests(seed: seed), samples: samples)
    }

    private func key(of row: Int, in batch: Batch) throws(StopoverError) -> PrimaryKey? {
        guard let keyName, let column = batch.columns.first(where: { $0.name == keyName })
        else { return nil }
        let one = try codec.slice(
            Batch(rowCount: batch.rowCount, columns: [column]), rows: row..<row + 1)
        return try codec.keys(in: one.columns[0]).first
    }

    /// The first, the last, and others that nobody can tell who does not know the seed.
    private func sampled(_ chunk: ChunkID, rowCount: Int) -> [Int] {
        var rows: Set<Int> = [0, rowCount - 1]
        for draw in 0..<(ContentDigester.samplesPerChunk - 2) {
            let number = withUnsafeBytes(of: (chunk.number.littleEndian, draw.littleEndian)) {
                ContentHash.of($0, seed: seed)
            }
            rows.insert(Int(number % UInt64(rowCount)))
        }
        return rows.sorted()
    }
}

extension TransferPlan {
    /// The fields that are sent, and read back to be compared: those of a batch, in its order.
    public var sentFields: [FieldSchema] {
        var fields = columns.map(\.sent) + promoted
        if keys == .minted, let key = target.schema.primaryKey { fields.append(key) }
        return fields
    }
}

extension StopoverError.Code {
    public static let fieldMissing = Self("STO-VERIFY-FIELD-MISSING", exit: .mismatch)
}

// MARK: As text: digests as bytes, since a chunk has one for every field

extension ContentRecord: Codable {
    private enum Key: String, CodingKey {
        case chunk, transfer, rowCount = "rows", fields, samples
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        chunk = try values.decode(ChunkID.self, forKey: .chunk)
        transfer = try values.decode(TransferID.self, forKey: .transfer)
        rowCount = try values.decode(Int.self, forKey: .rowCount)
        let numbers = [UInt64](packed: try values.decode(Data.self, forKey: .fields))
        fields = stride(from: 0, to: numbers.count - 1, by: 2).map {
            Digest128(high: numbers[$0], low: numbers[$0 + 1])
        }
        samples = try values.decode([SampledRow].self, forKey: .samples)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(chunk, forKey: .chunk)
        try values.encode(transfer, forKey: .transfer)
        try values.encode(rowCount, forKey: .rowCount)
        try values.encode(fields.flatMap { [$0.high, $0.low] }.packed, forKey: .fields)
        try values.encode(samples, forKey: .samples)
    }
}

extension SampledRow: Codable {
    private enum Key: String, CodingKey {
        case row, key, digests
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        row = try values.decode(Int.self, forKey: .row)
        key = try values.decodeIfPresent(PrimaryKey.self, forKey: .key)
        digests = [UInt64](packed: try values.decode(Data.self, forKey: .digests))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(row, forKey: .row)
        try values.encodeIfPresent(key, forKey: .key)
        try values.encode(digests.packed, forKey: .digests)
    }
}

extension [UInt64] {
    /// Little endian.
    fileprivate var packed: Data {
        var data = Data(capacity: count * 8)
        for number in self {
            Swift.withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    fileprivate init(packed data: Data) {
        let bytes = [UInt8](data)
        self = stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { start in
            (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
        }
    }
}
