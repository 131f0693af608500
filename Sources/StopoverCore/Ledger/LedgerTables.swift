import CXXHash
import Foundation
import GRDB

/// The tables, and what each entry does to them.
enum LedgerTables {
    static func create(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE fact(name TEXT PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
                CREATE TABLE transfer(
                    id INTEGER PRIMARY KEY, record BLOB NOT NULL, sum INTEGER NOT NULL);
                CREATE TABLE split(
                    id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, record BLOB NOT NULL,
                    sum INTEGER NOT NULL);
                CREATE TABLE chunk(
                    id INTEGER PRIMARY KEY, transfer INTEGER NOT NULL, state TEXT NOT NULL,
                    rows INTEGER NOT NULL, record BLOB NOT NULL, sum INTEGER NOT NULL);
                CREATE INDEX chunk_state ON chunk(transfer, state);
                CREATE TABLE ack(
                    chunk INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, ids BLOB,
                    PRIMARY KEY(chunk, low)) WITHOUT ROWID;
                CREATE TABLE note(
                    id INTEGER PRIMARY KEY, at REAL NOT NULL, code TEXT NOT NULL,
                    message TEXT NOT NULL);
                """)
    }

    // MARK: Records

    static func put(_ db: Database, _ name: String, _ value: some Encodable) throws {
        let record = try encode(value)
        try db.execute(
            sql: "INSERT OR REPLACE INTO fact(name, record, sum) VALUES (?, ?, ?)",
            arguments: [name, record, sum(record)])
    }

    static func get<Value: Decodable>(_ db: Database, _ name: String, as: Value.Type) throws
        -> Value
    {
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT record, sum FROM fact WHERE name = ?", arguments: [name])
        else { throw StopoverError.ledgerCorrupt("no \(name)") }
        return try decode(row, name)
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

    static func records<Value: Decodable>(
        _ db: Database, _ table: String, _ condition: String, _ arguments: StatementArguments = []
    ) throws -> [Value] {
        let cursor = try Row.fetchCursor(
            db, sql: "SELECT record, sum FROM \(table) WHERE \(condition)", arguments: arguments)
        var values: [Value] = []
        while let row = try cursor.next() { values.append(try decode(row, table)) }
        return values
    }

    private static func decode<Value: Decodable>(_ row: Row, _ what: String) throws -> Value {
        let record: Data = row[0]
        let stored: Int64 = row[1]
        guard sum(record) == stored else {
            throw StopoverError.ledgerCorrupt("a record of \(what) does not match its checksum")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: record)
        } catch {
            throw StopoverError.ledgerCorrupt("a record of \(what) cannot be read: \(error)")
        }
    }

    private static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    private static func sum(_ record: Data) -> Int64 {
        record.withUnsafeBytes {
            Int64(bitPattern: XXH3_64bits($0.baseAddress, $0.count))
        }
    }

    // MARK: Entries

    static func apply(_ entry: LedgerEntry, _ db: Database) throws {
        switch entry {
        case .transferPlanned(let transfer, let splits):
            let record = try encode(transfer)
            try db.execute(
                sql: "INSERT INTO transfer(id, record, sum) VALUES (?, ?, ?)",
                arguments: [transfer.id.number, record, sum(record)])
            for split in splits {
                let record = try encode(split)
                try db.execute(
                    sql: "INSERT INTO split(id, transfer, record, sum) VALUES (?, ?, ?, ?)",
                    arguments: [split.id.number, split.transfer.number, record, sum(record)])
            }
        case .transferPhase(let id, let phase): try update(transfer: id, db) { $0.phase = phase }
        case .transferEpoch(let id, let epoch):
            try update(transfer: id, db) { transfer in
                guard epoch > transfer.epoch else {
                    throw StopoverError.ledgerRefuses("epoch \(epoch) after \(transfer.epoch)")
                }
                transfer.epoch = epoch
            }
        case .sentThrough(let id, let chunk):
            try update(transfer: id, db) { $0.sentThrough = max($0.sentThrough, chunk) }
        case .chunkSpooled(let chunk): try spooled(chunk, db)
        case .splitFinished(let id): try update(split: id, db) { $0.isFinished = true }
        case .chunkAcked(let id, let rows, let ids): try acked(id, rows, ids, db)
        case .chunksTainted(let ids):
            for id in ids {
                try update(chunk: id, db) { chunk in
                    guard chunk.state != .flushed else {
                        throw StopoverError.ledgerRefuses("\(id) is flushed and cannot be in doubt")
                    }
                    chunk.state = .spooled
                    chunk.isTainted = true
                }
                try db.execute(sql: "DELETE FROM ack WHERE chunk = ?", arguments: [id.number])
            }
        case .chunksFlushed(let ids):
            for id in ids {
                try update(chunk: id, db) { chunk in
                    guard chunk.state == .acked else {
                        throw StopoverError.ledgerRefuses("\(id) is flushed and not acknowledged")
                    }
                    chunk.state = .flushed
                }
            }
        case .note(let code, let message):
            try db.execute(
                sql: "INSERT INTO note(at, code, message) VALUES (?, ?, ?)",
                arguments: [Date.now.timeIntervalSince1970, code, message])
        }
    }

    private static func spooled(_ chunk: ChunkRecord, _ db: Database) throws {
        try update(split: chunk.split, db) { split in
            if let position = split.position, chunk.lastKey <= position {
                throw StopoverError.ledgerRefuses(
                    "\(chunk.id) ends at \(chunk.lastKey), its split is at \(position) already")
            }
            split.position = chunk.lastKey
            split.rows += Int64(chunk.rowCount)
        }
        let record = try encode(chunk)
        try db.execute(
            sql: """
                INSERT INTO chunk(id, transfer, state, rows, record, sum) VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                chunk.id.number, chunk.transfer.number, chunk.state.rawValue, chunk.rowCount,
                record, sum(record),
            ])
    }

    private static func acked(
        _ id: ChunkID, _ rows: Range<Int>, _ ids: WrittenIDs?, _ db: Database
    ) throws {
        let encoded = try ids.map { try encode(IDRuns($0)) }
        let overlapping = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM ack WHERE chunk = ? AND low < ? AND high > ?",
            arguments: [id.number, rows.upperBound, rows.lowerBound])
        guard overlapping == 0 else {
            throw StopoverError.ledgerRefuses("rows \(rows) of \(id) are acknowledged twice")
        }
        try db.execute(
            sql: "INSERT INTO ack(chunk, low, high, ids) VALUES (?, ?, ?, ?)",
            arguments: [id.number, rows.lowerBound, rows.upperBound, encoded])
        let total =
            try Int.fetchOne(
                db, sql: "SELECT sum(high - low) FROM ack WHERE chunk = ?", arguments: [id.number])
            ?? 0
        try update(chunk: id, db) { chunk in
            guard rows.upperBound <= chunk.rowCount else {
                throw StopoverError.ledgerRefuses("\(id) has no rows \(rows)")
            }
            if total == chunk.rowCount { chunk.state = .acked }
        }
    }

    private static func update(
        transfer id: TransferID, _ db: Database, _ change: (inout TransferRecord) throws -> Void
    ) throws {
        var transfer: TransferRecord = try record(db, "transfer", id.number)
        try change(&transfer)
        try store(transfer, "transfer", id.number, db)
    }

    private static func update(
        split id: SplitID, _ db: Database, _ change: (inout SplitRecord) throws -> Void
    ) throws {
        var split: SplitRecord = try record(db, "split", id.number)
        try change(&split)
        try store(split, "split", id.number, db)
    }

    private static func update(
        chunk id: ChunkID, _ db: Database, _ change: (inout ChunkRecord) throws -> Void
    ) throws {
        var chunk: ChunkRecord = try record(db, "chunk", id.number)
        try change(&chunk)
        try store(chunk, "chunk", id.number, db)
        try db.execute(
            sql: "UPDATE chunk SET state = ? WHERE id = ?",
            arguments: [chunk.state.rawValue, id.number])
    }

    private static func store(
        _ value: some Encodable, _ table: String, _ id: Int64, _ db: Database
    ) throws {
        let record = try encode(value)
        try db.execute(
            sql: "UPDATE \(table) SET record = ?, sum = ? WHERE id = ?",
            arguments: [record, sum(record), id])
    }
}
