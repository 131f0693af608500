import CXXHash
import Foundation
import GRDB
import Synchronization

/// The tables, and what each entry does to them.
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
    private static func insert(
        _ db: Database, _ table: String, _ columns: [(any DatabaseValueConvertible)?],
        verb: String = "INSERT"
    ) throws {
        let values = columns.map { $0?.databaseValue ?? .null }
        let marks = repeatElement("?", count: values.count + 1).joined(separator: ", ")
        try db.cachedStatement(sql: "\(verb) INTO \(table) VALUES (\(marks))")
            .execute(arguments: StatementArguments(values + [sum(values[...]).databaseValue]))
    }

    private static func nextID(_ db: Database, _ table: String) throws -> Int64 {
        (try Int64.fetchOne(db, sql: "SELECT max(id) FROM \(table)") ?? 0) + 1
    }

    private static func encode(_ value: some Encodable) throws -> Data {
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

    // MARK: Entries

    /// Records as this process wrote them last, so that the next change of one need not read it back.
    struct RecentRecords {
        /// Of a kind; beyond it the records are read.
        static let limit = 4096

        var splits: [SplitID: SplitRecord] = [:]
        var chunks: [ChunkID: ChunkRecord] = [:]

        /// Forgets everything when it is too much.
        mutating func tidy() {
            if splits.count > RecentRecords.limit { splits = [:] }
            if chunks.count > RecentRecords.limit { chunks = [:] }
        }
    }

    /// ``RecentRecords`` of the transactions that were committed, and of the one under way.
    final class Recent: Sendable {
        private let records = Mutex(RecentRecords())

        func apply(_ entries: [LedgerEntry], _ db: Database) throws {
            try records.withLock { records in
                for entry in entries { try LedgerTables.apply(entry, db, &records) }
                records.tidy()
            }
        }

        /// The transaction under way is rolled back.
        func forget() { records.withLock { $0 = RecentRecords() } }
    }

    /// Makes `entry` part of a transaction. Where it fails, the transaction is to be given up, and `recent` with it.
    private static func apply(
        _ entry: LedgerEntry, _ db: Database, _ recent: inout RecentRecords
    ) throws {
        switch entry {
        case .transferPlanned(let transfer, let splits):
            try insert(db, "transfer", columns(of: transfer))
            for split in splits { try insert(db, "split", columns(of: split)) }
        case .transferPhase(let id, let phase): try update(transfer: id, db) { $0.phase = phase }
        case .appendBegun(let id, let rows):
            try update(transfer: id, db) { transfer in
                transfer.phase = .moving
                transfer.rowsBefore = rows
            }
        case .transferPublished(let id, let result):
            try update(transfer: id, db) { $0.phase = .published }
            try insert(db, "result", [id.number, try encode(result)], verb: "REPLACE")
        case .transferEpoch(let id, let epoch):
            try update(transfer: id, db) { transfer in
                guard epoch > transfer.epoch else {
                    throw StopoverError.ledgerRefuses("epoch \(epoch) after \(transfer.epoch)")
                }
                transfer.epoch = epoch
            }
        case .sentThrough(let id, let chunk):
            try update(transfer: id, db) { $0.sentThrough = max($0.sentThrough, chunk) }
        case .chunkSpooled(let chunk): try spooled(chunk, db, &recent)
        case .rowsQuarantined(let rows): try quarantined(rows, db, &recent)
        case .keysDropped(let id, let counts):
            let known: [DroppedKeys] = try records(db, "dropped", "id = ?", [id.number])
            var keys = known.first ?? DroppedKeys()
            keys.add(counts)
            try insert(db, "dropped", [id.number, try encode(keys)], verb: "REPLACE")
        case .splitFinished(let id):
            try update(split: id, db, &recent) { $0.isFinished = true }
        case .chunkAcked(let id, let rows, let ids): try acked(id, rows, ids, db, &recent)
        case .chunksTainted(let ids):
            try doubted(ids, db, &recent, mark: { $0.isTainted = true })
        case .chunksDisowned(let ids):
            for transfer in try doubted(ids, db, &recent, mark: { _ in }) {
                try update(transfer: transfer, db) { $0.needsSweep = true }
            }
        case .lossesCounted(let id, let rows): try update(transfer: id, db) { $0.lostRows = rows }
        case .straysCounted(let id):
            try update(transfer: id, db) { transfer in
                transfer.phase = .moving
                transfer.needsSweep = true
            }
        case .swept(let id, let removed):
            try update(transfer: id, db) { transfer in
                transfer.needsSweep = false
                transfer.sweptRows += removed
            }
        case .chunksFlushed(let ids):
            for id in ids {
                try update(chunk: id, db, &recent) { chunk in
                    guard chunk.state == .acked else {
                        throw StopoverError.ledgerRefuses("\(id) is flushed and not acknowledged")
                    }
                    chunk.state = .flushed
                }
                recent.chunks[id] = nil
            }
        case .chunkImported(let chunk): try insert(db, "chunk", columns(of: chunk))
        case .contentDigested(let content):
            try insert(db, "content", [content.chunk.number, try encode(content)])
        case .verification(let verification):
            try insert(
                db, "verification",
                [verification.id, verification.transfer.number, try encode(verification)],
                verb: "REPLACE")
        case .chunkProved(let proof):
            try insert(db, "proof", [proof.chunk.number, try encode(proof)], verb: "REPLACE")
        case .keysReplaced(let id, let keys): try replaced(id, keys, db)
        case .resultChanged(let id, let result):
            try insert(db, "result", [id.number, try encode(result)], verb: "REPLACE")
        case .note(let code, let message):
            try insert(
                db, "note",
                [try nextID(db, "note"), Date.now.timeIntervalSince1970, code, message])
        }
    }

    /// Their acknowledgements count no longer; the keys that they named are kept apart.
    /// - Returns: the transfers of the chunks.
    @discardableResult
    private static func doubted(
        _ ids: [ChunkID], _ db: Database, _ recent: inout RecentRecords,
        mark: (inout ChunkRecord) -> Void
    ) throws -> Set<TransferID> {
        var rows: [TransferID: Int64] = [:]
        for id in ids {
            var acked: Int64 = 0
            var keys: [Data] = []
            try forEachRow(db, "ack", "chunk = ?", [id.number]) { row in
                let (low, high): (Int64, Int64) = (row[1], row[2])
                acked += high - low
                if let named: Data = row[3] { keys.append(named) }
            }
            try update(chunk: id, db, &recent) { chunk in
                guard chunk.state != .flushed else {
                    throw StopoverError.ledgerRefuses("\(id) is flushed and cannot be in doubt")
                }
                chunk.state = .spooled
                mark(&chunk)
                rows[chunk.transfer, default: 0] += acked
                for named in keys {
                    try insert(
                        db, "disowned", [try nextID(db, "disowned"), chunk.transfer.number, named])
                }
            }
            try db.cachedStatement(sql: "DELETE FROM ack WHERE chunk = ?")
                .execute(arguments: [id.number])
        }
        for (transfer, acked) in rows where acked > 0 {
            try update(transfer: transfer, db) { $0.rewrittenRows += acked }
        }
        return Set(rows.keys)
    }

    private static func spooled(
        _ chunk: ChunkRecord, _ db: Database, _ recent: inout RecentRecords
    ) throws {
        var chunk = chunk
        try update(split: chunk.split, db, &recent) { split in
            if let position = split.position, chunk.lastKey <= position {
                throw StopoverError.ledgerRefuses(
                    "\(chunk.id) ends at \(chunk.lastKey), its split is at \(position) already")
            }
            chunk.after = split.chunkEnd ?? split.range.after
            split.position = chunk.lastKey
            split.chunkEnd = chunk.lastKey
            split.rows += Int64(chunk.rowCount)
        }
        try insert(db, "chunk", columns(of: chunk))
        recent.chunks[chunk.id] = chunk
    }

    private static func quarantined(
        _ rows: QuarantineRecord, _ db: Database, _ recent: inout RecentRecords
    ) throws {
        try update(split: rows.split, db, &recent) { split in
            // The chunk of the same page, where it has one, is recorded before.
            if let position = split.position, position > rows.lastKey {
                throw StopoverError.ledgerRefuses(
                    "the quarantined rows \(rows.id) end at \(rows.lastKey), their split is at "
                        + "\(position) already")
            }
            split.position = rows.lastKey
        }
        try insert(
            db, "quarantine",
            [rows.id.number, rows.transfer.number, rows.rowCount, try encode(rows)])
    }

    private static func acked(
        _ id: ChunkID, _ rows: Range<Int>, _ ids: WrittenIDs?, _ db: Database,
        _ recent: inout RecentRecords
    ) throws {
        var total = rows.count
        try forEachRow(db, "ack", "chunk = ?", [id.number]) { row in
            let earlier: Range<Int> = row[1]..<row[2]
            guard !earlier.overlaps(rows) else {
                throw StopoverError.ledgerRefuses("rows \(rows) of \(id) are acknowledged twice")
            }
            total += earlier.count
        }
        try insert(
            db, "ack",
            [id.number, rows.lowerBound, rows.upperBound, try ids.map { try encode(IDRuns($0)) }])
        try update(chunk: id, db, &recent) { chunk in
            guard !rows.isEmpty, rows.lowerBound >= 0, rows.upperBound <= chunk.rowCount else {
                throw StopoverError.ledgerRefuses("\(id) has no rows \(rows)")
            }
            if total == chunk.rowCount { chunk.state = .acked }
        }
    }

    /// Rows of a flushed chunk were written again, and have other keys now.
    private static func replaced(
        _ id: ChunkID, _ keys: [Int: PrimaryKey], _ db: Database
    ) throws {
        let ranges = try acks(of: id, db)
        try db.cachedStatement(sql: "DELETE FROM ack WHERE chunk = ?").execute(
            arguments: [id.number])
        for ack in ranges {
            guard var ids = ack.ids?.keys, ids.count == ack.rows.count else {
                throw StopoverError.ledgerRefuses("\(id) has no keys of the target's")
            }
            for (row, key) in keys where ack.rows.contains(row) {
                ids[row - ack.rows.lowerBound] = key
            }
            try insert(
                db, "ack",
                [
                    id.number, ack.rows.lowerBound, ack.rows.upperBound,
                    try encode(IDRuns(keys: ids)),
                ])
        }
    }

    /// The acknowledgements of a chunk, in the order of its rows.
    static func acks(of id: ChunkID, _ db: Database) throws -> [AckRecord] {
        var acks: [AckRecord] = []
        try forEachRow(db, "ack", "chunk = ? ORDER BY low", [id.number]) { row in
            let (low, high): (Int, Int) = (row[1], row[2])
            let data: Data? = row[3]
            let ids = try data.map { try JSONDecoder().decode(IDRuns.self, from: $0) }
            acks.append(AckRecord(rows: low..<high, ids: ids))
        }
        return acks
    }

    private static func update(
        transfer id: TransferID, _ db: Database, _ change: (inout TransferRecord) throws -> Void
    ) throws {
        var transfer: TransferRecord = try record(db, "transfer", id.number)
        try change(&transfer)
        try insert(db, "transfer", columns(of: transfer), verb: "REPLACE")
    }

    private static func update(
        split id: SplitID, _ db: Database, _ recent: inout RecentRecords,
        _ change: (inout SplitRecord) throws -> Void
    ) throws {
        var split = try recent.splits[id] ?? record(db, "split", id.number)
        try change(&split)
        try insert(db, "split", columns(of: split), verb: "REPLACE")
        recent.splits[id] = split
    }

    private static func update(
        chunk id: ChunkID, _ db: Database, _ recent: inout RecentRecords,
        _ change: (inout ChunkRecord) throws -> Void
    ) throws {
        var chunk = try recent.chunks[id] ?? record(db, "chunk", id.number)
        try change(&chunk)
        try insert(db, "chunk", columns(of: chunk), verb: "REPLACE")
        recent.chunks[id] = chunk
    }

    private static func columns(
        of transfer: TransferRecord
    ) throws -> [(any DatabaseValueConvertible)?] {
        [transfer.id.number, try encode(transfer)]
    }

    private static func columns(of split: SplitRecord) throws -> [(any DatabaseValueConvertible)?] {
        [split.id.number, split.transfer.number, try encode(split)]
    }

    private static func columns(of chunk: ChunkRecord) throws -> [(any DatabaseValueConvertible)?] {
        [
            chunk.id.number, chunk.transfer.number, chunk.state.rawValue, chunk.rowCount,
            try encode(chunk),
        ]
    }
}
