import StopoverCore
import Synchronization

/// What a server keeps while our process dies and comes back: collections of physical copies of rows,
/// and requests that the network still holds.
final class TargetServer: Sendable {
    /// One copy of a row; several may have the same key.
    struct Copy: Sendable {
        var key: PrimaryKey
        /// As a JSON object, every value of it.
        var row: [UInt8]
    }

    struct Collection: Sendable {
        var description: CollectionDescription
        var rows: [Copy] = []
        /// What a restart of the server would leave.
        var durable: [Copy] = []
    }

    /// A call that changes something, as it arrives.
    enum Request: Sendable {
        case create(CollectionDescription)
        case write([Copy], CollectionName, WriteMode)
        case flush(CollectionName)
        case endFlush(UInt64, CollectionName)
        case index(IndexDescription, CollectionName)
        case delete(Set<PrimaryKey>, CollectionName)
        case rename(CollectionName, CollectionName)
        case drop(CollectionName)
        case load(CollectionName)

        /// The same, delivered once more: its rows get keys of their own.
        func again(_ newKeys: (Int) -> Range<Int64>) -> Request {
            guard case .write(let rows, let name, let mode) = self else { return self }
            let copies = zip(newKeys(rows.count), rows)
                .map { Copy(key: .int64($0), row: $1.row) }
            return .write(copies, name, mode)
        }

        /// The part of it that is carried out when only half of it is.
        var half: Request? {
            switch self {
            case .write(let rows, let name, let mode):
                .write(Array(rows.prefix(rows.count / 2)), name, mode)
            case .delete(let keys, let name):
                .delete(Set(keys.sorted().prefix(keys.count / 2)), name)
            default: nil
            }
        }
    }

    private struct State {
        var collections: [CollectionName: Collection] = [:]
        var flushes: [UInt64: [Copy]] = [:]
        var nextNumber: Int64 = 1
        /// Requests of a dead process, and how many calls it takes until they arrive.
        var late: [(calls: Int, request: Request)] = []
    }

    private let state = Mutex(State())

    /// Something is asked: the time in which requests that the network holds may arrive.
    /// - Parameter calls: how many calls' time; with the most, everything arrives.
    /// - Returns: those that did.
    @discardableResult
    func turn(_ calls: Int = 1) -> [Request] {
        state.withLock { state in
            for index in state.late.indices { state.late[index].calls -= calls }
            let arrived = state.late.filter { $0.calls <= 0 }.map(\.request)
            state.late.removeAll { $0.calls <= 0 }
            for request in arrived { _ = try? TargetServer.apply(request, &state) }
            return arrived
        }
    }

    /// - Returns: the number of a flush, otherwise nothing of meaning.
    @discardableResult
    func apply(_ request: Request) throws(StopoverError) -> UInt64 {
        try state.withLock { state throws(StopoverError) in
            try TargetServer.apply(request, &state)
        }
    }

    func hold(_ request: Request, for calls: Int) {
        state.withLock { $0.late.append((calls, request)) }
    }

    /// The server dies, and starts again.
    func restart() {
        state.withLock { state in
            state.collections = state.collections.mapValues { collection in
                var collection = collection
                collection.rows = collection.durable
                return collection
            }
            state.flushes = [:]
        }
    }

    /// A contiguous block of keys.
    func newKeys(_ count: Int) -> Range<Int64> {
        state.withLock { state in
            defer { state.nextNumber += Int64(count) }
            return state.nextNumber..<state.nextNumber + Int64(count)
        }
    }

    var names: [CollectionName] {
        state.withLock { $0.collections.keys.sorted { $0.collection < $1.collection } }
    }

    func collection(_ name: CollectionName) -> Collection? {
        state.withLock { $0.collections[name] }
    }

    // MARK: What a call does

    private static func apply(
        _ request: Request, _ state: inout State
    ) throws(StopoverError) -> UInt64 {
        switch request {
        case .create(let description):
            guard !description.schema.fields.isEmpty else {
                throw StopoverError(.requestRefused, "no fields", remedy: "")
            }
            guard state.collections[description.name] == nil else {
                throw StopoverError(.collectionExists, "\(description.name) is there", remedy: "")
            }
            var made = description
            made.collectionID = state.nextNumber
            made.indexes = []
            state.nextNumber += 1
            state.collections[description.name] = Collection(description: made)
        case .write(let rows, let name, let mode):
            try change(name, &state) { collection in
                if mode == .upsert {
                    let keys = Set(rows.map(\.key))
                    collection.rows.removeAll { keys.contains($0.key) }
                }
                collection.rows += rows
            }
        case .flush(let name):
            let rows = try found(name, state).rows
            let number = UInt64(state.nextNumber)
            state.nextNumber += 1
            state.flushes[number] = rows
            return number
        case .endFlush(let number, let name):
            guard let rows = state.flushes[number] else { break }
            try change(name, &state) { $0.durable = rows }
            state.flushes = [:]
        case .index(let index, let name):
            try change(name, &state) { $0.description.indexes.append(index) }
        case .delete(let keys, let name):
            try change(name, &state) { $0.rows.removeAll { keys.contains($0.key) } }
        case .rename(let name, let newName):
            var moved = try found(name, state)
            guard state.collections[newName] == nil else {
                throw StopoverError(.collectionExists, "\(newName) is there", remedy: "")
            }
            moved.description.name = newName
            state.collections[name] = nil
            state.collections[newName] = moved
        case .drop(let name): state.collections[name] = nil
        case .load(let name):
            try change(name, &state) { $0.description.loadState = .loaded }
        }
        return 0
    }

    private static func found(
        _ name: CollectionName, _ state: State
    ) throws(StopoverError) -> Collection {
        guard let collection = state.collections[name] else { throw .noCollection(name) }
        return collection
    }

    private static func change(
        _ name: CollectionName, _ state: inout State, _ body: (inout Collection) -> Void
    ) throws(StopoverError) {
        var collection = try found(name, state)
        state.collections[name] = nil
        body(&collection)
        state.collections[name] = collection
    }
}

extension StopoverError {
    static func noCollection(_ name: CollectionName) -> StopoverError {
        StopoverError(.collectionMissing, "there is no \(name)", remedy: "")
    }
}

extension TargetServer.Request: CustomStringConvertible {
    var description: String {
        switch self {
        case .create(let description): "create \(description.name.collection)"
        case .write(let rows, let name, let mode):
            "\(mode) \(rows.count) rows into \(name.collection)"
        case .flush(let name): "flush \(name.collection)"
        case .endFlush(_, let name): "ask for the flush of \(name.collection)"
        case .index(let index, let name): "index \(index.field) of \(name.collection)"
        case .delete(let keys, let name): "delete \(keys.count) rows of \(name.collection)"
        case .rename(let name, let newName):
            "rename \(name.collection) to \(newName.collection)"
        case .drop(let name): "drop \(name.collection)"
        case .load(let name): "load \(name.collection)"
        }
    }
}
