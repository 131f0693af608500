import StopoverCore

/// An Insert or Upsert request, its columns found and not decoded: ranges of the request's bytes.
struct InsertMessage {
    struct IncomingColumn {
        var name = ""
        var type = 0
        var fieldID: UInt64 = 0
        var isDynamic = false
        var isVector = false
        var dataField = 0
        var dimension: UInt64?
        /// The bytes of the `oneof`.
        var data: Range<Int>?
        var valid: [UInt8]?
        /// The sub-columns of a struct array.
        var structs: Range<Int>?
    }

    var database = ""
    var collection = ""
    var partition = ""
    var rowCount = 0
    var columns: [IncomingColumn] = []

    init(_ bytes: UnsafeRawBufferPointer) throws {
        var reader = ByteReader(bytes, 0..<bytes.count)
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (2, 2): database = reader.text(try reader.delimited())
            case (3, 2): collection = reader.text(try reader.delimited())
            case (4, 2): partition = reader.text(try reader.delimited())
            case (5, 2): columns += try InsertMessage.flattened(bytes, reader.delimited())
            case (7, 0): rowCount = Int(truncatingIfNeeded: try reader.varint() & 0xFFFF_FFFF)
            default: try reader.skip(wire)
            }
        }
    }

    /// The column, or the sub-columns of a struct array, each as `struct[sub]`
    /// (checkAndFlattenStructFieldData in the proxy of Milvus).
    private static func flattened(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws -> [IncomingColumn] {
        let column = try column(bytes, range)
        guard let structs = column.structs else { return [column] }
        guard column.type == Int(DataType.arrayOfStruct.rawValue), column.valid == nil else {
            throw TwinRefusal.badParameter("field '\(column.name)' is illegal, array type mismatch")
        }
        var subs: [IncomingColumn] = []
        var reader = ByteReader(bytes, structs)
        while let (field, wire) = try reader.tag() {
            guard field == 1, wire == 2 else { throw ByteReader.malformed("a struct array") }
            var sub = try self.column(bytes, reader.delimited())
            sub.name = "\(column.name)[\(sub.name)]"
            subs.append(sub)
        }
        return subs
    }

    private static func column(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws -> IncomingColumn {
        var column = IncomingColumn()
        var reader = ByteReader(bytes, range)
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (1, 0): column.type = Int(truncatingIfNeeded: try reader.varint())
            case (2, 2): column.name = reader.text(try reader.delimited())
            case (3, 2), (4, 2):
                column.isVector = field == 4
                try data(bytes, reader.delimited(), &column)
            case (8, 2): column.structs = try reader.delimited()
            case (5, 0): column.fieldID = try reader.varint()
            case (6, 0): column.isDynamic = try reader.varint() != 0
            case (7, 2):
                column.valid = (column.valid ?? []) + bytes[try reader.delimited()]
            case (7, 0): column.valid = (column.valid ?? []) + [UInt8(try reader.varint() & 1)]
            default: try reader.skip(wire)
            }
        }
        return column
    }

    private static func data(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ column: inout IncomingColumn
    ) throws {
        var reader = ByteReader(bytes, range)
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (1, 0) where column.isVector: column.dimension = try reader.varint()
            case (1...12, 2):
                column.dataField = field
                column.data = try reader.delimited()
            default: try reader.skip(wire)
            }
        }
    }
}

/// A write that fits its collection: a column for every field that rows have.
struct IncomingRows {
    struct Cells {
        let field: TwinField
        /// The values, one after the other; nil where every row takes the default or null.
        var values: Range<Int>?
        var valid: [UInt8]?
        /// How many of the rows have a value of their own.
        var present: Int
    }

    let schema: TwinSchema
    let rowCount: Int
    /// One for each field but a key that the server makes and the outputs of functions.
    private(set) var columns: [Cells]
    /// Keys that the server makes.
    var autoKeys: Range<Int64>?
    /// Keys that were given to a server that makes keys.
    private(set) var givenKeys: Cells?
    /// By order of a test: what one of two shards would take.
    var onlyFirstShard = false

    static func isInFirstShard(_ key: PrimaryKey) -> Bool {
        switch key {
        case .int64(let value): Checksum.key(value) & 1 == 0
        case .varchar(let text): text.withUnsafeBytes { Checksum.key($0) & 1 == 0 }
        }
    }

    /// - Parameter takesKeys: whether keys may be given to a collection that makes them itself.
    init(
        _ message: InsertMessage, _ schema: TwinSchema, _ bytes: UnsafeRawBufferPointer,
        takesKeys: Bool = false
    ) throws {
        guard message.rowCount > 0 else {
            throw TwinRefusal.badParameter("num_rows should be greater than 0")
        }
        self.schema = schema
        rowCount = message.rowCount
        var incoming: [String: InsertMessage.IncomingColumn] = [:]
        for column in message.columns {
            let name =
                column.isDynamic && column.name.isEmpty
                ? CollectionSchema.dynamicFieldName : column.name
            // Go servers pick the key by "id or name, first hit wins": a foreign id hashes rows by
            // the wrong column, with nothing visibly wrong. Here it is visible.
            guard column.fieldID == 0 else {
                throw TwinRefusal.badParameter("field_id of column \(name) is set")
            }
            guard incoming.updateValue(column, forKey: name) == nil else {
                throw TwinRefusal.badParameter("duplicated field \(name) found")
            }
        }
        var columns: [Cells] = []
        for field in schema.fields where !field.schema.isFunctionOutput {
            if field.isAutoKey {
                guard takesKeys, let column = incoming.removeValue(forKey: field.name) else {
                    continue
                }
                givenKeys = try IncomingRows.cells(column, field, rowCount, bytes)
                continue
            }
            columns.append(
                try IncomingRows.cells(
                    incoming.removeValue(forKey: field.name), field, rowCount, bytes))
        }
        if let extra = incoming.keys.min() {
            throw TwinRefusal.badParameter(
                "the number of fields is less than needed: \(extra) is not expected"
                    + "[expected=\(columns.count)][actual=\(message.columns.count)]")
        }
        self.columns = columns
        try checkStructs(bytes)
    }

    /// Keeps the keys that were given, in a collection that would have made them.
    mutating func keepGivenKeys() {
        guard let givenKeys else { return }
        let before = schema.fields[..<schema.key].count { !$0.schema.isFunctionOutput }
        columns.insert(givenKeys, at: before)
        self.givenKeys = nil
    }

    private static func cells(
        _ column: InsertMessage.IncomingColumn?, _ field: TwinField, _ rowCount: Int,
        _ bytes: UnsafeRawBufferPointer
    ) throws -> Cells {
        guard let column else {
            guard field.isNullable || field.defaultCell != nil || field.schema.isDynamic else {
                throw TwinRefusal.badParameter(
                    "\(field.type.milvusName) field '\(field.name)' is illegal, array type mismatch"
                )
            }
            return Cells(field: field, values: nil, valid: nil, present: 0)
        }
        guard column.type == Int(field.type.rawValue), column.isVector == field.type.isVector,
            column.data == nil || column.dataField == field.dataField
        else {
            throw TwinRefusal.badParameter(
                "field '\(field.name)' is illegal, array type mismatch: type \(column.type)")
        }
        guard !field.schema.isDynamic || column.isDynamic else {
            throw TwinRefusal.badParameter("duplicated field $meta found")
        }
        if field.type != .sparseFloatVector, let given = column.dimension, given != 0,
            let dimension = field.dimension, given != dimension
        {
            throw TwinRefusal.unexpected(
                "the dim (\(given)) of field data(\(field.name)) is not equal to schema dim "
                    + "(\(dimension))")
        }
        var present = rowCount
        if let valid = column.valid, !valid.isEmpty {
            guard valid.count == rowCount else {
                throw TwinRefusal.badParameter(
                    "valid_data of field '\(field.name)' has \(valid.count) rows, not \(rowCount)")
            }
            present = valid.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
            guard present == rowCount || field.isNullable || field.defaultCell != nil else {
                throw TwinRefusal.badParameter("field '\(field.name)' is not nullable")
            }
        }
        let values = try packed(column.data ?? 0..<0, field.layout, bytes)
        if case .fixed(let width) = field.layout {
            try check(values, width, present, field)
        } else if case .dense(let width) = field.layout {
            try check(values, width, present, field)
        }
        return Cells(
            field: field, values: values, valid: column.valid.flatMap { $0.isEmpty ? nil : $0 },
            present: present)
    }

    private static func check(
        _ values: Range<Int>, _ width: Int, _ present: Int, _ field: TwinField
    ) throws {
        guard values.count == present * width else {
            throw TwinRefusal.unexpected(
                "the length(\(values.count)) of data of field \(field.name) should be \(present) "
                    + "values of \(width) bytes")
        }
    }

    /// Numbers stand in a packed field of a message of their own; the rest as it is.
    private static func packed(
        _ data: Range<Int>, _ layout: TwinLayout, _ bytes: UnsafeRawBufferPointer
    ) throws -> Range<Int> {
        switch layout {
        case .records, .dense: return data
        case .varints, .fixed:
            var reader = ByteReader(bytes, data)
            var run: Range<Int>?
            while let (field, wire) = try reader.tag() {
                guard field == 1, wire == 2, run == nil else {
                    throw ByteReader.malformed("numbers that are not packed")
                }
                run = try reader.delimited()
            }
            return run ?? 0..<0
        }
    }
}
