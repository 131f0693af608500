import Synchronization

@testable import StopoverCore

/// A cluster in memory that can be asked and not written to: what a plan needs, and no more. Every
/// call that would change it is noted in `changes`, and throws.
final class FakeCluster: Source, Target {
    let address: String
    private let version: ServerIdentity
    private let described: [CollectionName: CollectionDescription]
    private let moreDatabases: [String]
    /// Rows that match: by partition, nil for all.
    private let rows: @Sendable (RowSelection) throws(StopoverError) -> Int64
    private let log = Mutex<[String]>([])
    /// Calls, by their names, that the user of the credentials may not make.
    private let denied: Set<String>
    /// Calls that the server does not know.
    private let unknown: Set<String>

    init(
        _ version: ServerIdentity = .sample(2, 5), _ collections: [CollectionDescription] = [],
        address: String = "http://source:19530", databases: [String] = ["default"],
        denied: Set<String> = [], unknown: Set<String> = [],
        rows: @escaping @Sendable (RowSelection) throws(StopoverError) -> Int64 = { _ in 0 }
    ) {
        self.address = address
        self.version = version
        described = Dictionary(collections.map { ($0.name, $0) }) { first, _ in first }
        moreDatabases = databases
        self.rows = rows
        self.denied = denied
        self.unknown = unknown
    }

    var changes: [String] { log.withLock { $0 } }

    func identity() async throws(StopoverError) -> ServerIdentity { version }

    func databases() async throws(StopoverError) -> [String] {
        Set(moreDatabases).union(described.keys.map(\.database)).sorted()
    }

    func collections(in database: String) async throws(StopoverError) -> [String] {
        described.keys.filter { $0.database == database }.map(\.collection)
    }

    func describe(_ name: CollectionName) async throws(StopoverError) -> CollectionDescription? {
        described[name]
            ?? described.values.first {
                $0.name.database == name.database && $0.aliases.contains(name.collection)
            }
    }

    func count(_ rows: RowSelection) async throws(StopoverError) -> Int64 { try self.rows(rows) }

    func pinTimestamp() async throws(StopoverError) -> PinnedTimestamp? { nil }
    func page(_ request: PageRequest) async throws(StopoverError) -> Page {
        Page(batch: Batch(rowCount: 0, columns: []), firstKey: nil, lastKey: nil)
    }

    // MARK: Changes

    /// - Parameter name: what is to be changed; what is nobody's is not there.
    private func refused(_ name: String, _ call: String = #function) -> StopoverError {
        let call = String(call.prefix { $0 != "(" })
        if unknown.contains(call) {
            return StopoverError(.clusterUnimplemented, "\(call) is not known", remedy: "")
        }
        if denied.contains(call) {
            return StopoverError(
                .clusterPermission, "\(call) is not permitted", remedy: "",
                cause: call == "rename" ? "PrivilegeRenameCollection: permission deny to u" : nil)
        }
        if name.hasPrefix(RightsProbe.prefix) || name == "!" {
            return StopoverError(.fakeWrites, "there is no \(name)", remedy: "")
        }
        log.withLock { $0.append(call) }
        return StopoverError(.fakeWrites, "\(call) was called", remedy: "A plan writes nothing.")
    }

    let losses = LossSignal()
    var codec: any ColumnCodec { NoCodec() }
    func createDatabase(_ name: String) async throws(StopoverError) { throw refused(name) }
    func create(_ collection: CollectionDescription) async throws(StopoverError) {
        throw refused(collection.name.collection)
    }
    func write(
        _ batch: Batch, to destination: InsertDestination, mode: WriteMode
    ) async -> WriteOutcome { .rejected(refused(destination.collection.collection)) }
    func flush(_ name: CollectionName) async throws(StopoverError) -> FlushTicket {
        throw refused(name.collection)
    }
    func isFlushed(
        _ ticket: FlushTicket, of name: CollectionName
    ) async throws(StopoverError) -> Bool { throw refused(name.collection) }
    func createPartition(
        _ partition: String, of name: CollectionName
    ) async throws(StopoverError) { throw refused(name.collection) }
    func createIndex(
        _ index: IndexDescription, on name: CollectionName
    ) async throws(StopoverError) { throw refused(name.collection) }
    func createAlias(_ alias: String, of name: CollectionName) async throws(StopoverError) {
        throw refused(name.collection)
    }
    func keys(of rows: RowSelection, limit: Int) async throws(StopoverError) -> [PrimaryKey] { [] }
    func delete(
        _ keys: [PrimaryKey], of primaryKey: FieldSchema, from name: CollectionName
    ) async throws(StopoverError) { throw refused(name.collection) }
    func rename(
        _ name: CollectionName, to newName: CollectionName
    ) async throws(StopoverError) { throw refused(name.collection) }
    func removeProperty(_ key: String, of name: CollectionName) async throws(StopoverError) {
        throw refused(name.collection)
    }
    func drop(_ name: CollectionName) async throws(StopoverError) { throw refused(name.collection) }
    func load(_ name: CollectionName) async throws(StopoverError) { throw refused(name.collection) }
    func loadProgress(of name: CollectionName) async throws(StopoverError) -> Int {
        throw refused(name.collection)
    }
    func release(_ name: CollectionName) async throws(StopoverError) {
        throw refused(name.collection)
    }
}

/// A plan touches no rows.
private struct NoCodec: ColumnCodec {
    func int64s(_ values: [Int64], named name: String) -> Column {
        Column(name: name, type: .int64, head: [], payload: [], tail: [])
    }
    func keys(in column: Column) throws(StopoverError) -> [PrimaryKey] { [] }
    private var error: StopoverError {
        StopoverError(.fakeWrites, "the codec was called", remedy: "A plan touches no rows.")
    }

    func slice(_ batch: Batch, rows: Range<Int>) throws(StopoverError) -> Batch { throw error }
    func keeping(_ isKept: [Bool], of batch: Batch) throws(StopoverError) -> Batch { throw error }
    func allValid(_ column: Column, rowCount: Int) -> Column { column }
    func renamed(_ column: Column, to name: String) throws(StopoverError) -> Column { throw error }
    func filled(
        _ column: Column, with value: DefaultValue, rowCount: Int
    ) throws(StopoverError) -> Column { throw error }
    func violations(
        in column: Column, of field: FieldSchema, rowCount: Int
    ) throws(StopoverError) -> [RowViolation] { throw error }
    func promoted(
        _ dynamic: Column, to fields: [FieldSchema], rowCount: Int
    ) throws(StopoverError) -> PromotedColumns { throw error }
    func keyCounts(
        of dynamic: Column, rowCount: Int
    ) throws(StopoverError) -> [String: Int] { throw error }
    func digests(of column: Column, rowCount: Int, seed: UInt64) throws(StopoverError) -> [UInt64] {
        throw error
    }
    func json(_ rows: [Int], of batch: Batch) throws(StopoverError) -> [[UInt8]] { throw error }
}

extension StopoverError.Code {
    fileprivate static let fakeWrites = Self("STO-TEST-PLAN-WRITES", exit: .failed)
}
