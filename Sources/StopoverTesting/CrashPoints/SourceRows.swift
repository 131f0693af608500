import StopoverCore
import StopoverMilvus

/// A collection to read: rows of three numbers in memory, in pages that end where a seed says, of three to eight rows.
struct SourceRows: Source {
    static let name = CollectionName(collection: "rows")
    let address = "memory://source"

    /// The last key of each page.
    private let ends: [Int64]
    private var rowCount: Int64 { ends.last ?? 0 }

    /// - Parameter chunks: pages, and so chunks: a few more where a split cuts one.
    init(chunks: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var end: Int64 = 0
        ends = (0..<chunks).map { _ in
            end += Int64.random(in: 3...8, using: &random)
            return end
        }
    }

    /// The rows as JSON objects, sorted: what the target is to have.
    /// - Parameter fields: those that are kept.
    func expected(_ fields: [String]) throws -> [[UInt8]] {
        let all = batch(keys: 1...rowCount)
        let kept = Batch(
            rowCount: all.rowCount, columns: all.columns.filter { fields.contains($0.name) })
        return try FieldDataCodec().json(Array(0..<kept.rowCount), of: kept)
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    private func batch(keys: ClosedRange<Int64>) -> Batch {
        let keys = Array(keys)
        return Batch(
            rowCount: keys.count,
            columns: [
                FieldDataCodec().int64s(keys, named: "id"),
                FieldDataCodec().int64s(keys.map { $0 &* 1_000_003 }, named: "value"),
                FieldDataCodec().int64s(keys.map { -$0 }, named: "other"),
            ])
    }

    static var description: CollectionDescription {
        var id = FieldSchema(name: "id", type: .int64)
        id.isPrimaryKey = true
        var made = CollectionDescription(
            name: name,
            schema: CollectionSchema(fields: [
                id, FieldSchema(name: "value", type: .int64),
                FieldSchema(name: "other", type: .int64),
            ]))
        made.loadState = .loaded
        made.partitions = [
            PartitionDescription(name: PartitionDescription.defaultName, loadState: .loaded)
        ]
        return made
    }

    // MARK: Source

    func identity() async throws(StopoverError) -> ServerIdentity { .simulated }
    func databases() async throws(StopoverError) -> [String] { [CollectionName.defaultDatabase] }
    func collections(in database: String) async throws(StopoverError) -> [String] {
        [SourceRows.name.collection]
    }
    func describe(_ name: CollectionName) async throws(StopoverError) -> CollectionDescription? {
        name == SourceRows.name ? SourceRows.description : nil
    }
    func count(_ rows: RowSelection) async throws(StopoverError) -> Int64 {
        Int64((0..<rowCount).count { rows.range.contains(.int64($0 + 1)) })
    }
    func pinTimestamp() async throws(StopoverError) -> PinnedTimestamp? { nil }

    func page(_ request: PageRequest) async throws(StopoverError) -> Page {
        guard
            let first = (0..<rowCount).first(where: { request.rows.range.contains(.int64($0 + 1)) })
                .map({ $0 + 1 }), let end = ends.first(where: { $0 >= first })
        else { return Page(batch: Batch(rowCount: 0, columns: []), firstKey: nil, lastKey: nil) }
        var last = min(end, first + Int64(request.rowLimit) - 1)
        if case .int64(let through)? = request.rows.range.through { last = min(last, through) }
        return Page(
            batch: batch(keys: first...last), firstKey: .int64(first), lastKey: .int64(last))
    }
}

extension ServerIdentity {
    static let simulated = ServerIdentity(version: "v2.4.0", kind: .milvus, numbers: [2, 4, 0])
}
