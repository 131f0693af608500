import StopoverCore

/// The status inside a reply: both of the code spaces that servers use.
public struct ReplyStatus: Hashable, Sendable {
    /// The older code space, field 1.
    public var errorCode: Int32 = 0
    /// The newer one, field 3.
    public var code: Int32 = 0
    public var reason = ""

    public var isOK: Bool { errorCode == 0 && code == 0 }

    init() {}

    /// A status given twice is one status, as protobuf has it: an error is not undone by what follows.
    mutating func merge(_ message: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(message)
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (1, .varint): errorCode = Int32(truncatingIfNeeded: try reader.varint())
            case (2, .bytes): reason = String(decoding: try reader.delimited(), as: UTF8.self)
            case (3, .varint): code = Int32(truncatingIfNeeded: try reader.varint())
            default: try reader.skip(wire)
            }
        }
    }
}

/// A `QueryResults`, walked without decoding its columns.
public struct QueryReply: Sendable {
    public var status: ReplyStatus
    /// `session_ts`; 0 where the server gives none.
    public var sessionTimestamp: UInt64
    /// nil when the status is not OK.
    public var page: Page?

    /// - Parameter fields: what was asked for, the primary key among it. Columns come in any
    ///   order; one that was not asked for is left out (Lite 3 adds a `$meta` of `{}`).
    /// - Throws: `STO-WIRE-MALFORMED` when the bytes are no such reply, a column is missing or of
    ///   another type, or row counts disagree; `STO-WIRE-UNSORTED` when keys do not ascend.
    public static func walk(
        _ bytes: ArraySlice<UInt8>, asked fields: [FieldSchema]
    ) throws(StopoverError) -> QueryReply {
        var status = ReplyStatus()
        var timestamp: UInt64 = 0
        var columns: [ArraySlice<UInt8>] = []
        do throws(WireError) {
            var reader = WireReader(bytes)
            while let (field, wire) = try reader.tag() {
                switch (field, wire) {
                case (1, .bytes): try status.merge(reader.delimited())
                case (2, .bytes): columns.append(try reader.delimited())
                case (5, .varint): timestamp = try reader.varint()
                case (1...2, _), (5, _): throw WireError("field \(field) of another kind")
                default: try reader.skip(wire)
                }
            }
        } catch {
            throw .malformedReply(error.what)
        }
        guard status.isOK else {
            return QueryReply(status: status, sessionTimestamp: timestamp, page: nil)
        }
        return QueryReply(
            status: status, sessionTimestamp: timestamp, page: try page(columns, fields))
    }

    private static func page(
        _ messages: [ArraySlice<UInt8>], _ fields: [FieldSchema]
    ) throws(StopoverError) -> Page {
        var walked: [String: WalkedColumn] = [:]
        var othersHoldValues = false
        for message in messages {
            let parts: ColumnWalk.Parts
            do { parts = try ColumnWalk.Parts(message) } catch {
                throw .malformedReply("a column: \(error.what)")
            }
            guard
                let field = fields.first(where: { $0.name.utf8.elementsEqual(parts.name) })
                    ?? (parts.isDynamic && parts.name.isEmpty
                        ? fields.first(where: \.isDynamic) : nil)
            else {
                othersHoldValues = othersHoldValues || parts.holdValues
                continue
            }
            guard walked[field.name] == nil else {
                throw .malformedReply("column \(field.name) comes twice")
            }
            do { walked[field.name] = try ColumnWalk.walk(parts, as: field) } catch {
                throw .malformedReply("column \(field.name): \(error.what)")
            }
        }
        let rowCount = walked.values.map(\.rowCount).max() ?? 0
        guard rowCount > 0 else {
            // An empty page ends a range: it must not be one whose columns have other names.
            guard !othersHoldValues else { throw .malformedReply("no asked column has rows") }
            return Page(batch: Batch(rowCount: 0, columns: []), firstKey: nil, lastKey: nil)
        }
        var columns: [Column] = []
        columns.reserveCapacity(fields.count)
        var keys: (first: PrimaryKey, last: PrimaryKey)?
        for field in fields {
            guard let column = walked[field.name] else {
                throw .malformedReply("column \(field.name) is missing")
            }
            guard column.rowCount == rowCount else {
                throw .malformedReply(
                    "column \(field.name) has \(column.rowCount) rows where others have \(rowCount)"
                )
            }
            if field.isPrimaryKey { keys = try KeyScan.ends(of: column) }
            columns.append(column.column)
        }
        guard let keys else { throw .malformedReply("no key column was asked for") }
        return Page(
            batch: Batch(rowCount: rowCount, columns: columns), firstKey: keys.first,
            lastKey: keys.last)
    }
}

/// Reads the key column: strictly ascending, or the cursor would lose rows.
enum KeyScan {
    static func ends(
        of column: WalkedColumn
    ) throws(StopoverError) -> (first: PrimaryKey, last: PrimaryKey) {
        guard column.form.valid?.contains(0) != true else {
            throw .malformedReply("a primary key is null")
        }
        do {
            switch column.form.type {
            case .int64: return try int64s(column.payload)
            default: return try varchars(column.payload)
            }
        } catch {
            throw error as? StopoverError ?? .malformedReply("the key column: \(error)")
        }
    }

    private static func int64s(_ payload: ArraySlice<UInt8>) throws -> (PrimaryKey, PrimaryKey) {
        var reader = WireReader(payload)
        let first = Int64(bitPattern: try reader.varint())
        var last = first
        while !reader.isAtEnd {
            let key = Int64(bitPattern: try reader.varint())
            guard key > last else { throw StopoverError.unsorted(.int64(last), .int64(key)) }
            last = key
        }
        return (.int64(first), .int64(last))
    }

    private static func varchars(_ payload: ArraySlice<UInt8>) throws -> (PrimaryKey, PrimaryKey) {
        var reader = WireReader(payload)
        guard let first = try ValueRun.record(&reader) else { throw WireError("no key") }
        var last = first
        while let key = try ValueRun.record(&reader) {
            guard last.lexicographicallyPrecedes(key) else {
                throw StopoverError.unsorted(.varchar(Array(last)), .varchar(Array(key)))
            }
            last = key
        }
        return (.varchar(Array(first)), .varchar(Array(last)))
    }
}

extension StopoverError {
    static func malformedReply(_ what: String) -> StopoverError {
        StopoverError(
            .wireMalformed, "a reply of the server cannot be read: \(what)",
            remedy: "Nothing of it was taken. Run the same command again; if it comes back, the "
                + "server is of a version that this tool does not know: report it with its version."
        )
    }

    fileprivate static func unsorted(_ left: PrimaryKey, _ right: PrimaryKey) -> StopoverError {
        StopoverError(
            .wireUnsorted,
            "the server answered rows that are not sorted by key (\(right) after \(left)), so none "
                + "of them can be trusted to be the next ones",
            remedy: "The server is of a version that this tool does not know: report it.")
    }
}

extension StopoverError.Code {
    public static let wireMalformed = Self("STO-WIRE-MALFORMED", exit: .failed)
    public static let wireUnsorted = Self("STO-WIRE-UNSORTED", exit: .failed)
}
