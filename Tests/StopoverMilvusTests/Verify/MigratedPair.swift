import Foundation
import MilvusProto
import StopoverTesting

@testable import StopoverCore
@testable import StopoverMilvus

/// A collection that was migrated from one server to another, by the engine itself, and everything that
/// is needed to spoil it, verify it and repair it.
struct MigratedPair {
    static let name = CollectionName(collection: "rows")
    static let copy = CollectionName(collection: "copy")
    static let rowCount = 120
    /// So many rows fill a page, and make a chunk.
    static let pageBytes = 1_200

    let source: MilvusCluster
    let target: MilvusCluster
    let engine: Engine
    let plan: MigrationPlan
    let first: TransferResult

    /// What the fields of the collection are: 2.3.5 has no nullable ones.
    struct Shape {
        var isNullable = true
        var autoID = Mapping.AutoID.keep
    }

    static func with(
        _ shape: Shape, _ source: MilvusCluster, _ target: MilvusCluster,
        _ body: (MigratedPair) async throws -> Void
    ) async throws {
        // In memory where there is such a place: a ledger syncs at every step.
        let memory = "/dev/shm"
        let root =
            access(memory, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory.path
        let scratch = root + "/stopover-verify-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let directory = try JobDirectory(home: scratch, job: "job")
        try directory.prepare(spool: directory.spoolPath)
        for (cluster, name) in [(source, name), (target, copy)] {
            if try await cluster.describe(name) != nil { try await cluster.drop(name) }
        }
        try await seed(source, shape)
        var mapping = Mapping()
        mapping.autoID = shape.autoID
        let plan = try await Planner(source: source, target: target).plan(
            [TransferRequest(source: name, target: copy, mapping: mapping)], fingerprint: "f")
        let ledger = try Ledger.create(
            at: directory.ledgerPath,
            job: JobIdentity(
                id: UUID(), name: "job", seed: 99, toolVersion: "test", fingerprint: "f"))
        try await JobRunner.begin(plan, source: source, ledger: ledger, rowsPerSplit: 50)
        var limits = EngineLimits()
        limits.pageBytes = pageBytes
        limits.flushPollInterval = .milliseconds(5)
        limits.drain = .milliseconds(200)
        let engine = Engine(
            source: source, target: target, ledger: ledger,
            spool: try Spool(
                directory: directory.spoolPath, limitBytes: 1 << 30, seed: ledger.job.seed,
                resting: []),
            quarantine: try Quarantine(directory: directory.quarantinePath, records: []),
            board: ProgressBoard(job: "job"), errors: ErrorLog(directory), limits: limits,
            stop: StopSignal())
        let results = try await JobRunner(
            engine: engine, plan: plan, jobTag: ledger.job.tag, verification: .digest
        ).run()
        try await target.loadWhole(copy)
        try await body(
            MigratedPair(
                source: source, target: target, engine: engine, plan: plan, first: results[0]))
        try await ledger.close()
    }

    var verifier: JobVerifier {
        JobVerifier(engine: engine, plan: plan)
    }

    /// As `stopover run` does it.
    func run() async throws -> TransferResult {
        try await JobRunner(
            engine: engine, plan: plan, jobTag: engine.ledger.job.tag, verification: .digest
        ).run()[0]
    }

    /// All that the last verification found, of chunks and beside them.
    func problems() async throws -> [RowProblem] {
        guard let record = try await engine.ledger.verification(of: TransferID(1)) else {
            return []
        }
        var problems = record.summary?.strays ?? []
        var walk = try await ProofWalk(engine.ledger, of: record)
        while case let some = try await walk.next(), !some.isEmpty {
            problems += some.compactMap(\.proof).flatMap(\.problems)
        }
        return problems
    }

    // MARK: Rows

    private static func seed(_ cluster: MilvusCluster, _ shape: Shape) async throws {
        var id = FieldSchema(name: "id", type: .int64)
        id.isPrimaryKey = true
        var vector = FieldSchema(name: "vector", type: .floatVector)
        vector.typeParams = ["dim": "4"]
        var title = FieldSchema(name: "title", type: .varchar)
        title.typeParams = ["max_length": "64"]
        title.isNullable = shape.isNullable
        let count = FieldSchema(name: "count", type: .int32)
        let facts = FieldSchema(name: "facts", type: .json)
        let fields = [id, vector, title, count, facts]
        try await cluster.create(
            CollectionDescription(name: name, schema: CollectionSchema(fields: fields)))
        try await cluster.createIndex(TwinTable.index, on: name)
        try await cluster.loadWhole(name)
        let rows = 0..<rowCount
        let messages: [MilvusFieldData] = [
            .with {
                $0.type = DataType.int64.rawValue
                $0.fieldName = "id"
                $0.scalars.longData.data = rows.map { Int64($0) * 10 }
            },
            .with {
                $0.type = DataType.floatVector.rawValue
                $0.fieldName = "vector"
                $0.vectors.dim = 4
                $0.vectors.floatVector.data = rows.flatMap { row in
                    [Float(row), 1, 0, Float(row) / 3]
                }
            },
            .with {
                $0.type = DataType.varchar.rawValue
                $0.fieldName = "title"
                let present = rows.filter { !shape.isNullable || $0 % 4 != 1 }
                if shape.isNullable { $0.validData = rows.map { $0 % 4 != 1 } }
                $0.scalars.stringData.data = present.map { $0 % 5 == 0 ? "" : "title \($0)" }
            },
            .with {
                $0.type = DataType.int32.rawValue
                $0.fieldName = "count"
                $0.scalars.intData.data = rows.map { Int32($0) - 60 }
            },
            .with {
                $0.type = DataType.json.rawValue
                $0.fieldName = "facts"
                $0.scalars.jsonData.data = rows.map { Data(#"{"n":\#($0),"x":"\#($0)"}"#.utf8) }
            },
        ]
        let outcome = await cluster.write(
            try batch(messages, fields, rows: rowCount),
            to: InsertDestination(collection: name, partition: nil), mode: .insert)
        guard case .acknowledged = outcome else {
            throw TwinTable.NotAcknowledged(outcome: outcome)
        }
        let ticket = try await cluster.flush(name)
        while try await !cluster.isFlushed(ticket, of: name) {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func batch(
        _ messages: [MilvusFieldData], _ fields: [FieldSchema], rows: Int
    ) throws -> Batch {
        Batch(
            rowCount: rows,
            columns: try zip(messages, fields).map { message, field in
                let bytes: [UInt8] = try message.serializedBytes()
                return try ColumnWalk.walk(ColumnWalk.Parts(bytes[...]), as: field).column
            })
    }

    /// The keys on the target, ascending.
    func keys() async throws -> [PrimaryKey] {
        try await target.keys(of: rows, limit: 10_000)
    }

    private var key: FieldSchema {
        plan.transfers[0].target.schema.primaryKey ?? plan.transfers[0].primaryKey
    }
    private var rows: RowSelection { RowSelection(collection: Self.copy, primaryKey: key) }
    /// The fields that are written to the target.
    private var fields: [FieldSchema] { plan.transfers[0].sentFields }

    /// Rows of the target as messages, a field each, in the order of `keys`.
    func read(_ keys: [PrimaryKey]) async throws -> [[String: MilvusFieldData]] {
        var read: [[String: MilvusFieldData]] = []
        for key in keys {
            var asked = rows
            asked.keys = [key]
            // A question names the key, whether or not it is written.
            let wanted = fields.contains { $0.name == self.key.name } ? fields : fields + [self.key]
            let page = try await target.page(
                PageRequest(rows: asked, fields: wanted, rowLimit: 2, timestamp: nil))
            var row: [String: MilvusFieldData] = [:]
            for column in page.batch.columns {
                row[column.name] = try MilvusFieldData(
                    serializedBytes: column.head + column.payload + column.tail)
            }
            read.append(row)
        }
        return read
    }

    @discardableResult
    func write(
        _ row: [String: MilvusFieldData], mode: WriteMode = .insert
    ) async throws -> PrimaryKey? {
        let outcome = await target.write(
            try Self.batch(fields.compactMap { row[$0.name] }, fields, rows: 1),
            to: InsertDestination(collection: Self.copy, partition: nil), mode: mode)
        guard case .acknowledged(let ids) = outcome else {
            throw TwinTable.NotAcknowledged(outcome: outcome)
        }
        return IDRuns(ids).keys.first
    }

    func delete(_ keys: [PrimaryKey]) async throws {
        try await target.delete(keys, of: key, from: Self.copy)
    }

    func count() async throws -> Int64 { try await target.count(rows) }
}
