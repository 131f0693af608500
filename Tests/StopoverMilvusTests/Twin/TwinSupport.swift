import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@testable import StopoverMilvus

/// A collection of a test: what is inserted, and the columns that carry it, as our client sends them.
struct TwinTable {
    static let name = CollectionName(collection: "rows")

    var keyType = DataType.int64
    var isAutoID = false

    var schema: StopoverCore.CollectionSchema {
        var id = FieldSchema(name: "id", type: keyType)
        id.isPrimaryKey = true
        id.isAutoID = isAutoID
        if keyType == .varchar { id.typeParams = ["max_length": "64"] }
        var vector = FieldSchema(name: "vector", type: .floatVector)
        vector.typeParams = ["dim": "2"]
        var title = FieldSchema(name: "title", type: .varchar)
        title.typeParams = ["max_length": "32"]
        title.isNullable = true
        var tags = FieldSchema(name: "tags", type: .array)
        tags.elementType = .int64
        tags.typeParams = ["max_capacity": "8"]
        return .init(fields: [id, vector, title, tags])
    }

    var collection: CollectionDescription {
        CollectionDescription(name: Self.name, schema: schema)
    }

    static let index = IndexDescription(
        name: "vector", field: "vector", params: ["index_type": "AUTOINDEX", "metric_type": "L2"])

    /// Creates it, gives it its index and loads it.
    func create(on cluster: MilvusCluster, partitions: [String] = []) async throws {
        var collection = collection
        collection.partitions = partitions.map { .init(name: $0, loadState: .notLoaded) }
        try await cluster.create(collection)
        try await cluster.createIndex(Self.index, on: Self.name)
        try await cluster.loadWhole(Self.name)
    }

    /// Rows whose values follow from key and `mark`: a null title and an empty array now and then.
    func batch(_ keys: [PrimaryKey], mark: Int = 0) throws -> Batch {
        var columns: [MilvusFieldData] = []
        if !isAutoID {
            columns.append(
                .with {
                    $0.type = keyType.rawValue
                    $0.fieldName = "id"
                    for key in keys {
                        switch key {
                        case .int64(let value): $0.scalars.longData.data.append(value)
                        case .varchar(let text):
                            $0.scalars.stringData.data.append(String(decoding: text, as: UTF8.self))
                        }
                    }
                })
        }
        columns.append(
            .with {
                $0.type = DataType.floatVector.rawValue
                $0.fieldName = "vector"
                $0.vectors.dim = 2
                $0.vectors.floatVector.data = keys.indices.flatMap { [Float($0), Float(mark)] }
            })
        columns.append(
            .with {
                $0.type = DataType.varchar.rawValue
                $0.fieldName = "title"
                $0.validData = keys.indices.map { $0 % 3 != 1 }
                $0.scalars.stringData.data = keys.indices.filter { $0 % 3 != 1 }.map {
                    "title \($0) \(mark)"
                }
            })
        columns.append(
            .with {
                $0.type = DataType.array.rawValue
                $0.fieldName = "tags"
                $0.scalars.arrayData.elementType = DataType.int64.rawValue
                $0.scalars.arrayData.data = keys.indices.map { row in
                    .with { $0.longData.data = (0..<Int64(row % 3)).map { $0 + Int64(mark) } }
                }
            })
        var fields = schema.fields
        if isAutoID { fields.removeFirst() }
        return Batch(
            rowCount: keys.count,
            columns: try zip(columns, fields).map { message, field in
                let bytes: [UInt8] = try message.serializedBytes()
                return try ColumnWalk.walk(ColumnWalk.Parts(bytes[...]), as: field).column
            })
    }

    @discardableResult
    func write(
        _ keys: [PrimaryKey], mark: Int = 0, partition: String? = nil, mode: WriteMode = .insert,
        to cluster: MilvusCluster, _ name: CollectionName = Self.name
    ) async throws -> WrittenIDs {
        let outcome = await cluster.write(
            try batch(keys, mark: mark),
            to: InsertDestination(collection: name, partition: partition), mode: mode)
        guard case .acknowledged(let ids) = outcome else { throw NotAcknowledged(outcome: outcome) }
        return ids
    }

    struct NotAcknowledged: Error {
        var outcome: WriteOutcome
    }

    func rows(partition: String? = nil, _ range: KeyRange = .all) -> RowSelection {
        RowSelection(
            collection: Self.name, primaryKey: schema.fields[0], partition: partition, range: range)
    }

    func page(
        after key: PrimaryKey? = nil, limit: Int = 1000, partition: String? = nil,
        from cluster: MilvusCluster
    ) async throws -> Page {
        try await cluster.page(
            PageRequest(
                rows: rows(partition: partition, KeyRange(after: key)), fields: schema.fields,
                rowLimit: limit, timestamp: nil))
    }

    /// Pages from the least key to an empty page.
    func pages(
        limit: Int, partition: String? = nil, from cluster: MilvusCluster
    ) async throws -> [Page] {
        var pages: [Page] = []
        var last: PrimaryKey?
        while true {
            let page = try await page(
                after: last, limit: limit, partition: partition, from: cluster)
            guard page.batch.rowCount > 0 else { return pages }
            pages.append(page)
            last = page.lastKey
        }
    }
}

/// Runs a twin and a client of it.
func withTwin(
    _ options: MilvusTwin.Options = .init(),
    _ body: (MilvusTwin, MilvusCluster) async throws -> Void
) async throws {
    try await MilvusTwin.with(options) { twin in
        try await MilvusCluster.withCluster(twin.endpoint) { cluster in
            try await body(twin, cluster)
        }
    }
}

/// Copies a collection page by page, both ends being twins.
func copy(
    _ fields: [FieldSchema], _ source: CollectionName, to target: CollectionName,
    over cluster: MilvusCluster, pageRows: Int
) async throws {
    var last: PrimaryKey?
    while true {
        let page = try await cluster.page(
            PageRequest(
                rows: RowSelection(
                    collection: source, primaryKey: fields[0], range: KeyRange(after: last)),
                fields: fields, rowLimit: pageRows, timestamp: nil))
        guard page.batch.rowCount > 0 else { return }
        last = page.lastKey
        let outcome = await cluster.write(
            page.batch, to: InsertDestination(collection: target, partition: nil), mode: .insert)
        guard case .acknowledged = outcome else {
            throw TwinTable.NotAcknowledged(outcome: outcome)
        }
    }
}
