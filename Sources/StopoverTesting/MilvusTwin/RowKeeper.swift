import StopoverCore

/// What holds a collection's rows, or what is left of them. Thread-safe.
protocol RowKeeper: Sendable {
    /// Adds rows to a partition. With `replacing`, every earlier copy of their keys in that
    /// partition goes; the rows of one request do not replace one another, as on 2.3.5.
    /// - Returns: how many copies went.
    func write(
        _ rows: IncomingRows, _ bytes: UnsafeRawBufferPointer, partition: String, replacing: Bool
    ) throws -> Int64
    /// - Returns: how many copies went.
    func delete(_ filter: KeyFilter, partitions: [String]) throws -> Int64
    /// Every copy counts.
    func count(_ filter: KeyFilter, partitions: [String]) throws -> Int64
    /// The first rows by key, each key once, its latest copy: the FieldData of each of `fields`.
    func page(
        _ filter: KeyFilter, partitions: [String], fields: [Int], limit: Int
    ) throws -> [PageColumn]
    func tally(partitions: [String]) throws -> MilvusTwin.Tally
    /// From here on what is there outlives a restart.
    func flush()
    /// Everything is as it was at the last flush.
    /// - Returns: how many rows are gone; below zero where deletes were forgotten.
    func loseUnflushed() -> Int64
}

/// A column of a reply.
struct PageColumn {
    let field: TwinField
    /// The values as they lie on the wire.
    var payload: [UInt8] = []
    /// A byte a row; nil for a field that cannot be null.
    var valid: [UInt8]?

    init(_ field: TwinField) {
        self.field = field
        if field.isNullable { valid = [] }
    }

    /// Adds a row. A null of a scalar has a placeholder in its place, as Query answers; vectors are
    /// compact both ways.
    mutating func add(_ cell: ArraySlice<UInt8>?) {
        valid?.append(cell == nil ? 0 : 1)
        if cell == nil, field.type.isVector { return }
        switch field.layout {
        case .records: payload.add(field: field.recordField, bytes: cell ?? [])
        case .varints: payload += cell ?? [0]
        case .fixed(let width), .dense(let width):
            payload += cell ?? ArraySlice(repeating: 0, count: width)
        }
    }

    /// Of a column without nulls.
    var rowCount: Int {
        switch field.layout {
        case .varints: return payload.reduce(0) { $1 < 0x80 ? $0 + 1 : $0 }
        case .fixed(let width), .dense(let width): return payload.count / width
        case .records:
            return payload.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes, 0..<bytes.count)
                var count = 0
                while (try? reader.tag()) != nil, (try? reader.delimited()) != nil { count += 1 }
                return count
            }
        }
    }

    /// Appends it as field 2 of a QueryResults, or as a sub-field of a StructArrayField.
    func append(to reply: inout [UInt8], as number: Int = 2) {
        var inner: [UInt8] = []
        var innerTail: [UInt8] = []
        switch (field.layout, field.type) {
        case (.varints, _), (.fixed, _): inner.add(field: 1, lengthOf: payload.count)
        case (_, .array): innerTail.add(field: 2, varint: UInt64(field.schema.elementType))
        case (_, .arrayOfVector):
            inner.add(field: 1, varint: UInt64(field.dimension ?? 0))
            innerTail.add(field: 3, varint: UInt64(field.schema.elementType))
        default: break
        }
        var outer: [UInt8] = []
        if field.type.isVector, let dimension = field.dimension {
            outer.add(field: 1, varint: UInt64(dimension))
        }
        outer.add(
            field: field.dataField, lengthOf: inner.count + payload.count + innerTail.count)
        var head: [UInt8] = []
        head.add(field: 1, varint: UInt64(field.type.rawValue))
        head.add(field: 2, bytes: field.plainName.utf8)
        let middle = outer.count + inner.count + payload.count + innerTail.count
        head.add(field: field.type.isVector ? 4 : 3, lengthOf: middle)
        var tail: [UInt8] = []
        tail.add(field: 5, varint: UInt64(bitPattern: field.schema.fieldID))
        if field.schema.isDynamic { tail.add(field: 6, varint: 1) }
        if let valid { tail.add(field: 7, bytes: valid) }
        reply.add(field: number, lengthOf: head.count + middle + tail.count)
        reply += head
        reply += outer
        reply += inner
        reply += payload
        reply += innerTail
        reply += tail
    }
}

extension [PageColumn] {
    /// Appends them to a QueryResults: the sub-fields of a struct array together where the first
    /// of them stands, as one column (reconstructStructFieldData in the proxy of Milvus).
    func append(to reply: inout [UInt8], _ schema: TwinSchema) {
        var done: Set<String> = []
        for column in self {
            guard let name = column.field.structName else {
                column.append(to: &reply)
                continue
            }
            guard done.insert(name).inserted else { continue }
            var subs: [UInt8] = []
            for sub in self where sub.field.structName == name { sub.append(to: &subs, as: 1) }
            var nested: [UInt8] = []
            nested.add(field: 1, varint: UInt64(DataType.arrayOfStruct.rawValue))
            nested.add(field: 2, bytes: name.utf8)
            nested.add(field: 8, bytes: subs)
            let parent = schema.message.structArrayFields.first { $0.name == name }
            nested.add(field: 5, varint: UInt64(bitPattern: parent?.fieldID ?? 0))
            reply.add(field: 2, bytes: nested)
        }
    }
}

/// A row in one run of bytes: for each field `0` for null, or the value's length + 1 and its bytes.
/// One allocation a row is what lets a test hold some millions.
enum RowBytes {
    static func int64(_ cell: UnsafeRawBufferPointer?) throws -> Int64 {
        guard let cell else { throw TwinRefusal.badParameter("a primary key is null") }
        var reader = ByteReader(cell, 0..<cell.count)
        return Int64(bitPattern: try reader.varint())
    }

    static func cells(_ row: [UInt8]) -> [ArraySlice<UInt8>?] {
        var cells: [ArraySlice<UInt8>?] = []
        var position = 0
        while position < row.count {
            var length = 0
            var shift = 0
            while true {
                let byte = row[position]
                position += 1
                length |= Int(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            if length == 0 {
                cells.append(nil)
            } else {
                cells.append(row[position..<position + length - 1])
                position += length - 1
            }
        }
        return cells
    }

    static func add(_ cell: UnsafeRawBufferPointer?, to row: inout [UInt8]) {
        guard let cell else { return row.append(0) }
        row.add(varint: UInt64(cell.count) + 1)
        row.append(contentsOf: cell)
    }
}
