import CXXHash
import Foundation
import GRDB

/// The tables: how a row is written, read and found whole. What an entry does to them: ``LedgerTransaction``.
///
/// The last column of every table is a checksum over the others, so that neither a record nor the
/// columns by which it is found can change unseen.
enum LedgerTables {
    static let names = [
        "fact", "transfer", "split", "chunk", "content", "ack", "disowned", "quarantine", "dropped",
        "result", "note", "proof", "verification",
    ]

    /// SQLite gives its -wal and -shm the rights of the file, but would make it for all to read.
    static func makeFile(_ path: String) throws(StopoverError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .ledgerNotOpened(errno) }
        close(file)
    }

    private static let definitions = """
        CREATE TABLE IF NOT EXISTS fact(
            name TEXT PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS transfer(
            id INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS split(
            id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, record BLOB NOT NULL,
            sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS chunk(
            id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, state TEXT NOT NULL,
            rows INTEGER NOT NULL, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS chunk_state ON chunk(transfer, state);
        CREATE TABLE IF NOT EXISTS content(
            id INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS ack(
            chunk INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, ids BLOB,
            sum INTEGER NOT NULL, PRIMARY KEY(chunk, low)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS disowned(
            id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, record BLOB NOT NULL,
            sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS quarantine(
            id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, rows INTEGER NOT NULL,
            record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS dropped(
            id INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS result(
            id INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS note(
            id INTEGER PRIMARY KEY, at REAL NOT NULL, code TEXT NOT NULL,
            message TEXT NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS proof(
            id INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS verification(
            id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, record BLOB NOT NULL,
            sum INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS verification_transfer ON verification(transfer);
        """

    static func create(_ db: Database, format: Int, job: JobIdentity) throws {
        try define(db, format: format)
        try insert(db, "fact", ["job", try encode(job)])
    }

    /// Makes the tables that are missing: all of a new ledger, those that came later of an old one.
    static func define(_ db: Database, format: Int) throws {
        try db.execute(sql: definitions)
        try describe(db, format: format)
    }

    static func describe(_ db: Database, format: Int) throws {
        try insert(db, "fact", ["format", try encode(format)], verb: "REPLACE")
        try insert(db, "fact", ["schema", try encode(try schema(db))], verb: "REPLACE")
    }

    /// The job and the format of a ledger of which every byte that is ever believed was checked:
    /// SQLite's pages and indexes, the tables' definitions, and the checksum of every row. A damaged
    /// row could hide from later queries, so it is looked for here, where all rows are read.
    static func check(_ db: Database, format known: Int) throws -> (job: JobIdentity, format: Int) {
        let check = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)")
        guard check == "ok" else {
            throw StopoverError.ledgerCorrupt("integrity_check: \(check ?? "no answer")")
        }
        let format = try fact(db, "format", as: Int.self)
        guard format <= known else { throw StopoverError.ledgerNewer(format) }
        guard try fact(db, "schema", as: [String].self) == schema(db) else {
            throw StopoverError.ledgerCorrupt("the tables are not as they were made")
        }
        for table in try names.filter({ try db.tableExists($0) }) {
            try forEachRow(db, table, "1") { _ in }
        }
        return (try fact(db, "job", as: JobIdentity.self), format)
    }

    private static func schema(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    }

    private static func fact<Value: Decodable>(
        _ db: Database, _ name: String, as: Value.Type
    ) throws -> Value {
        let found: [Value] = try records(db, "fact", "name = ?", [name])
        guard let value = found.first else { throw StopoverError.ledgerCorrupt("no \(name)") }
        return value
    }

    // MARK: Rows

    /// Calls `body` with the rows of a table, each checked: all columns in the table's order.
    static func forEachRow(
        _ db: Database, _ table: String, _ condition: String, _ arguments: StatementArguments = [],
        _ body: (Row) throws -> Void
    ) throws {
        let query = try db.cachedStatement(sql: "SELECT * FROM \(table) WHERE \(condition)")
        let cursor = try Row.fetchCursor(query, arguments: arguments)
        while let row = try cursor.next() {
            let values = Array(row.databaseValues)
            // The column may hold anything: it is compared as it is, without a conversion.
            guard values.last == sum(values.dropLast()).databaseValue else {
                throw StopoverError.ledgerCorrupt("a row of \(table) does not match its checksum")
            }
            try body(row)
        }
    }

    static func records<Value: Decodable>(
        _ db: Database, _ table: String, _ condition: String, _ arguments: StatementArguments = []
    ) throws -> [Value] {
        var values: [Value] = []
        try forEachRow(db, table, condition, arguments) { row in
            // By position: until the definitions are checked, a column may have any name.
            do {
                values.append(try JSONDecoder().decode(Value.self, from: row[row.count - 2]))
            } catch {
                throw StopoverError.ledgerCorrupt("a record of \(table) cannot be read: \(error)")
            }
        }
        return values
    }

    static func record<Value: Decodable>(_ db: Database, _ table: String, _ id: Int64) throws
        -> Value
    {
        let found: [Value] = try records(db, table, "id = ?", [id])
        guard let value = found.first else {
            throw StopoverError.ledgerCorrupt("no \(table) \(id)")
        }
        return value
    }

    /// Writes a row: its columns in the table's order, without the checksum.
    static func insert(
        _ db: Database, _ table: String, _ columns: [(any DatabaseValueConvertible)?],
        verb: String = "INSERT"
    ) throws {
        let values = columns.map { $0?.databaseValue ?? .null }
        let marks = repeatElement("?", count: values.count + 1).joined(separator: ", ")
        try db.cachedStatement(sql: "\(verb) INTO \(table) VALUES (\(marks))")
            .execute(arguments: StatementArguments(values + [sum(values[...]).databaseValue]))
    }

    static func nextID(_ db: Database, _ table: String) throws -> Int64 {
        (try Int64.fetchOne(db, sql: "SELECT max(id) FROM \(table)") ?? 0) + 1
    }

    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// XXH3-64 over columns: of each its type, its length and its bytes.
    private static func sum(_ columns: ArraySlice<DatabaseValue>) -> Int64 {
        var bytes: [UInt8] = []
        func add(_ type: Int, _ content: some Collection<UInt8>) {
            withUnsafeBytes(of: (type.littleEndian, content.count.littleEndian)) {
                bytes.append(contentsOf: $0)
            }
            bytes.append(contentsOf: content)
        }
        for column in columns {
            switch column.storage {
            case .null: add(0, EmptyCollection())
            case .int64(let number): withUnsafeBytes(of: number.littleEndian) { add(1, $0) }
            case .double(let number):
                withUnsafeBytes(of: number.bitPattern.littleEndian) { add(2, $0) }
            case .string(let text): add(3, text.utf8)
            case .blob(let data): add(4, data)
            }
        }
        return bytes.withUnsafeBytes {
            Int64(bitPattern: stopover_xxh3_64($0.baseAddress, $0.count, 0))
        }
    }

    /// The acknowledgements of a chunk, in the order of its rows.
    static func acks(of id: ChunkID, _ db: Database) throws -> [AckRecord] {
        try acks(of: id...id, db)[id] ?? []
    }

    static func acks(
        of chunks: ClosedRange<ChunkID>, _ db: Database
    ) throws -> [ChunkID: [AckRecord]] {
        var acks: [ChunkID: [AckRecord]] = [:]
        try forEachRow(
            db, "ack", "chunk BETWEEN ? AND ? ORDER BY chunk, low",
            [chunks.lowerBound.number, chunks.upperBound.number]
        ) { row in
            let (chunk, low, high): (Int64, Int, Int) = (row[0], row[1], row[2])
            let data: Data? = row[3]
            let ids = try data.map { try JSONDecoder().decode(IDRuns.self, from: $0) }
            acks[ChunkID(chunk), default: []].append(AckRecord(rows: low..<high, ids: ids))
        }
        return acks
    }

    static func columns(
        of transfer: TransferRecord
    ) throws -> [(any DatabaseValueConvertible)?] {
        [transfer.id.number, try encode(transfer)]
    }

    static func columns(of split: SplitRecord) throws -> [(any DatabaseValueConvertible)?] {
        [split.id.number, split.transfer.number, try encode(split)]
    }

    static func columns(of chunk: ChunkRecord) throws -> [(any DatabaseValueConvertible)?] {
        [
            chunk.id.number, chunk.transfer.number, chunk.state.rawValue, chunk.rowCount,
            try encode(chunk),
        ]
    }
}
