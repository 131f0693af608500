import Foundation
import StopoverCore
import StopoverMilvus

/// The target as one life of our process sees it: every call is a point at which it, or the process,
/// can fail.
struct TargetLife: Target {
    let address = "memory://target"
    let server: TargetServer
    let points: FaultPoints
    /// How many calls of later lives a request that comes late takes.
    var lateness = 1
    let losses = LossSignal()
    var codec: any ColumnCodec { FieldDataCodec() }

    // MARK: Points

    /// A question: it changes nothing, so that half of it, or one that comes late, is none.
    private func ask(_ what: String) throws(StopoverError) {
        arrivals()
        switch points.pass(.target, what) {
        case .pass: return
        case .fault(let fault):
            if fault == .twice { return }
            if fault == .serverLost { lose() }
            throw fault.kills ? .processDead : .noAnswer
        case .dead: throw .processDead
        }
    }

    @discardableResult
    private func call(_ request: TargetServer.Request) throws(StopoverError) -> UInt64 {
        arrivals()
        switch points.pass(.target, request.description) {
        case .pass: return try server.apply(request)
        case .dead: throw .processDead
        case .fault(let fault):
            switch fault {
            case .twice:
                let answer = try server.apply(request)
                _ = try? server.apply(request.again(server.newKeys))
                return answer
            case .unanswered, .crashAfter: _ = try? server.apply(request)
            case .half: if let half = request.half { _ = try? server.apply(half) }
            case .late: server.hold(request, for: lateness)
            case .serverLost: lose()
            case .crashBefore, .torn, .error, .full: break
            }
            throw fault.kills ? .processDead : .noAnswer
        }
    }

    private func lose() {
        server.restart()
        losses.occurred()
    }

    private func arrivals() {
        guard !points.isDead else { return }
        for request in server.turn() { points.note("late: \(request)") }
    }

    private func found(_ name: CollectionName) throws(StopoverError) -> TargetServer.Collection {
        guard let collection = server.collection(name) else { throw .noCollection(name) }
        return collection
    }

    // MARK: Rows

    func write(
        _ batch: Batch, to destination: InsertDestination, mode: WriteMode
    ) async -> WriteOutcome {
        let name = destination.collection
        guard let key = server.collection(name)?.description.schema.primaryKey else {
            return .fenced(.noCollection(name))
        }
        let rows: [[UInt8]]
        var keys: [PrimaryKey]
        do throws(StopoverError) {
            rows = try codec.json(Array(0..<batch.rowCount), of: batch)
            let column = batch.columns.first { $0.name == key.name }
            keys = try column.map(codec.keys(in:)) ?? []
        } catch {
            return .rejected(error)
        }
        if keys.isEmpty { keys = server.newKeys(batch.rowCount).map { .int64($0) } }
        let copies = zip(keys, rows).map { TargetServer.Copy(key: $0, row: $1) }
        do throws(StopoverError) {
            try call(.write(copies, name, mode))
        } catch {
            if error.code == .collectionMissing { return .fenced(error) }
            return error.isTransient ? .inDoubt(error) : .rejected(error)
        }
        return .acknowledged(
            ids: .int64(
                keys.map { key in
                    if case .int64(let number) = key { number } else { 0 }
                }))
    }

    func flush(_ name: CollectionName) async throws(StopoverError) -> FlushTicket {
        FlushTicket(segmentIDs: [], timestamp: try call(.flush(name)))
    }

    func isFlushed(
        _ ticket: FlushTicket, of name: CollectionName
    ) async throws(StopoverError) -> Bool {
        try call(.endFlush(ticket.timestamp, name))
        return true
    }

    func count(_ rows: RowSelection) async throws(StopoverError) -> Int64 {
        try ask("count \(rows.collection.collection)")
        return Int64(try found(rows.collection).rows.count { rows.contains($0.key) })
    }

    func keys(of rows: RowSelection, limit: Int) async throws(StopoverError) -> [PrimaryKey] {
        try ask("keys of \(rows.collection.collection)")
        let keys = Set(try found(rows.collection).rows.map(\.key).filter(rows.contains))
        return Array(keys.sorted().prefix(limit))
    }

    func page(_ request: PageRequest) async throws(StopoverError) -> Page {
        try ask("page of \(request.rows.collection.collection)")
        let rows = try found(request.rows.collection).rows
            .filter { request.rows.contains($0.key) }.sorted { $0.key < $1.key }
            .prefix(request.rowLimit)
        // A row is a JSON object of numbers; its key is in it, or beside it.
        let objects = rows.map { copy in
            (try? JSONDecoder().decode([String: Int64].self, from: Data(copy.row))) ?? [:]
        }
        let columns = request.fields.map { field in
            let numbers = zip(rows, objects).map { copy, object in
                if case .int64(let key) = copy.key, field.isPrimaryKey { return key }
                return object[field.name] ?? 0
            }
            return FieldDataCodec().int64s(numbers, named: field.name)
        }
        return Page(
            batch: Batch(rowCount: rows.count, columns: columns), firstKey: rows.first?.key,
            lastKey: rows.last?.key)
    }

    func delete(
        _ keys: [PrimaryKey], of primaryKey: FieldSchema, from name: CollectionName
    ) async throws(StopoverError) { try call(.delete(Set(keys), name)) }

    // MARK: Collections

    func identity() async throws(StopoverError) -> ServerIdentity { .simulated }
    func databases() async throws(StopoverError) -> [String] {
        try ask("databases")
        return [CollectionName.defaultDatabase]
    }
    func collections(in database: String) async throws(StopoverError) -> [String] {
        try ask("collections")
        return server.names.map(\.collection)
    }
    func describe(_ name: CollectionName) async throws(StopoverError) -> CollectionDescription? {
        try ask("describe \(name.collection)")
        return server.collection(name)?.description
    }
    func create(_ collection: CollectionDescription) async throws(StopoverError) {
        try call(.create(collection))
    }
    func createIndex(
        _ index: IndexDescription, on name: CollectionName
    ) async throws(StopoverError) { try call(.index(index, name)) }
    func rename(
        _ name: CollectionName, to newName: CollectionName
    ) async throws(StopoverError) { try call(.rename(name, newName)) }
    func drop(_ name: CollectionName) async throws(StopoverError) { try call(.drop(name)) }
    func load(_ name: CollectionName) async throws(StopoverError) { try call(.load(name)) }
    func loadProgress(of name: CollectionName) async throws(StopoverError) -> Int {
        try ask("load progress of \(name.collection)")
        return 100
    }
    func release(_ name: CollectionName) async throws(StopoverError) {
        try ask("release \(name.collection)")
    }

    // MARK: What these jobs do not ask for

    func createDatabase(_ name: String) async throws(StopoverError) { throw .notSimulated }
    func createPartition(
        _ partition: String, of name: CollectionName
    ) async throws(StopoverError) { throw .notSimulated }
    func createAlias(_ alias: String, of name: CollectionName) async throws(StopoverError) {
        throw .notSimulated
    }
    func removeProperty(_ key: String, of name: CollectionName) async throws(StopoverError) {
        throw .notSimulated
    }
}

extension RowSelection {
    fileprivate func contains(_ key: PrimaryKey) -> Bool {
        range.contains(key) && (anyOf.isEmpty || anyOf.contains { $0.contains(key) })
            && (keys.isEmpty || keys.contains(key))
    }
}

extension StopoverError {
    fileprivate static let processDead = StopoverError(
        .processDead, "our process is dead", remedy: "")
    fileprivate static let notSimulated = StopoverError(
        .requestRefused, "no job here asks for this", remedy: "")
    fileprivate static var noAnswer: StopoverError {
        var error = StopoverError(.clusterNoAnswer, "the target gave no answer", remedy: "")
        error.isTransient = true
        return error
    }
}

extension StopoverError.Code {
    static let processDead = Self("STO-TEST-PROCESS-DEAD", exit: .failed)
}
