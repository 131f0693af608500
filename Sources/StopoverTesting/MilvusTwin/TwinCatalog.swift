import MilvusProto
import StopoverCore

/// A collection and what is known of it besides its rows. A value: what a call works on does not
/// change under it, and a call that comes after a rename or drop does not find it.
struct TwinCollection: Sendable {
    let id: Int64
    let schema: TwinSchema
    let rows: any RowKeeper
    let created: UInt64
    let shards: Int32
    let consistencyLevel: Int32
    var properties: [MilvusKeyValuePair]
    /// How many hidden partitions a partition key spreads over.
    let hiddenPartitions: Int
    /// In the order in which they were made.
    var partitions: [(name: String, id: Int64)]
    var indexes: [MilvusIndexDescription] = []
    var isLoaded = false
    /// What GetCollectionStatistics says: rows that came before the last Flush, whatever became
    /// of them.
    var flushedRows: Int64 = 0
    var writtenRows: Int64 = 0
    var flushes: Int64 = 0

    /// Keys of the client's, though it makes them itself: milvus#44424, Milvus 2.6.3 and later.
    var takesKeys: Bool {
        schema.keyField.type == .int64
            && properties.last { $0.key == "allow_insert_auto_id" }?.value == "true"
    }

    var partitionNames: [String] { partitions.map(\.name) }
    var description: MilvusCollectionSchema { schema.message }

    /// The partitions whose rows a call is about.
    func partitions(named names: [String]) throws -> [String] {
        guard !names.isEmpty else { return partitionNames }
        for name in names where !partitionNames.contains(name) {
            throw TwinRefusal.unexpected("partition name: \(name) not found")
        }
        return names
    }
}

/// Which databases and collections there are.
struct TwinCatalog: Sendable {
    static let defaultDatabase = "default"

    var databases: [String: [String: TwinCollection]] = [defaultDatabase: [:]]
    /// For each database the collections' numbers by their aliases.
    var aliases: [String: [String: Int64]] = [:]
    private var nextID: Int64 = 445_000_000_000_000_000

    /// An empty name is the default one's.
    static func database(_ name: String) -> String { name.isEmpty ? defaultDatabase : name }

    mutating func newID() -> Int64 {
        nextID += 1
        return nextID
    }

    func collections(in database: String) throws -> [String: TwinCollection] {
        guard let collections = databases[TwinCatalog.database(database)] else {
            throw TwinRefusal.databaseMissing(database)
        }
        return collections
    }

    /// A missing database is a missing collection, as 2.3.5 has it.
    func collection(
        _ database: String, _ name: String, errorCode: Int32 = 4
    ) throws -> TwinCollection {
        let database = TwinCatalog.database(database)
        guard let collection = databases[database]?[unaliased(database, name)] else {
            throw TwinRefusal.collectionMissing(database, name, errorCode: errorCode)
        }
        return collection
    }

    mutating func change<Value>(
        _ database: String, _ name: String, _ body: (inout TwinCollection) throws -> Value
    ) throws -> Value {
        var collection = try collection(database, name)
        let value = try body(&collection)
        let database = TwinCatalog.database(database)
        let own = unaliased(database, name)
        databases[database]?[own] = collection
        return value
    }

    /// The name of the collection that an alias stands for; any other name as it is.
    private func unaliased(_ database: String, _ name: String) -> String {
        guard let id = aliases[database]?[name],
            let held = databases[database]?.first(where: { $0.value.id == id })
        else { return name }
        return held.key
    }

    func aliases(of id: Int64, in database: String) -> [String] {
        aliases[TwinCatalog.database(database), default: [:]].filter { $0.value == id }.keys
            .sorted()
    }

    static func check(name: String, of what: String) throws {
        guard name.utf8.count <= 255 else {
            throw TwinRefusal.badParameter(
                "Invalid \(what) name: the length of a name must be less than 255 characters")
        }
        let isRest = { (byte: UInt8) in
            byte == 95 || byte == 36 || (48...57).contains(byte) || (65...90).contains(byte)
                || (97...122).contains(byte)
        }
        guard let first = name.utf8.first, isRest(first), !(48...57).contains(first), first != 36,
            name.utf8.allSatisfy(isRest)
        else { throw TwinRefusal.badParameter("Invalid \(what) name: \(name)") }
    }
}
