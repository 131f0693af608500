import StopoverCore

/// The normal form of a column: what an Insert takes, in one fixed layout.
///
/// `type 1, field_name 2, scalars 3 | vectors 4 { dim, data { values } }, is_dynamic 6, valid_data 7`,
/// or for struct arrays `type 1, field_name 2, struct_arrays 8 { sub-columns }` (``StructPayload``);
/// never `field_id`: Go servers pick the key by "id or name, first hit wins", and a foreign id
/// hashed rows by the wrong column [measured on 2.3.5]. Values are compact: a null has a flag and
/// no value. Everything but the values is a few bytes, so a form is parsed and written freely.
struct ColumnForm: Hashable {
    var name: String
    var type: DataType
    var layout: ValueLayout
    /// Number of the `oneof` that holds the values, within ScalarField or VectorField.
    var dataField: Int
    /// `VectorField.dim`.
    var dimension: UInt64?
    /// What stands behind the values, in their message: `ArrayArray.element_type` and
    /// `SparseFloatArray.dim` (field 2), or `VectorArray.element_type` (field 3).
    var second: UInt64?
    var isDynamic = false
    /// A byte a row, 1 where there is a value; nil when the column has no flags. Those of a struct
    /// array stand in each of its sub-columns.
    var valid: [UInt8]?

    var isVector: Bool { type.isVector }

    /// Whether the values stand in a message of their own (`LongArray`, `FloatArray`, …); the
    /// byte-string vectors stand in the VectorField itself.
    var hasInnerMessage: Bool { !(isVector && [3, 4, 5, 7].contains(dataField)) }

    /// Field number of ``second``.
    var secondField: Int { layout == .vectorRows ? 3 : 2 }

    /// The column with these values. Sub-columns of a struct array get this form's flags; where
    /// they cannot be walked, they are left for the next reader to refuse.
    func column(_ payload: ArraySlice<UInt8>) -> Column {
        guard layout == .structs else { return framed(payload) }
        return framed((try? StructPayload.flagged(payload, valid)) ?? payload)
    }

    /// The column with these values, as they are.
    func framed(_ payload: ArraySlice<UInt8>) -> Column {
        var head: [UInt8] = []
        head.append(field: 1, varint: UInt64(type.rawValue))
        head.append(field: 2, bytes: name.utf8)
        guard layout != .structs else {
            head.append(field: FieldLayout.structArrays, lengthOf: payload.count)
            return Column(name: name, type: type, head: head, payload: payload, tail: [])
        }
        var innerHead: [UInt8] = []
        var innerTail: [UInt8] = []
        if hasInnerMessage {
            if layout.isPackedField { innerHead.append(field: 1, lengthOf: payload.count) }
            if layout == .vectorRows, let dimension {
                innerHead.append(field: 1, varint: dimension)
            }
            if let second { innerTail.append(field: secondField, varint: second) }
        }
        let innerCount = innerHead.count + payload.count + innerTail.count
        var middle: [UInt8] = []
        if let dimension { middle.append(field: 1, varint: dimension) }
        middle.append(field: dataField, lengthOf: innerCount)

        head.append(field: isVector ? 4 : 3, lengthOf: middle.count + innerCount)
        head += middle + innerHead

        var tail = innerTail
        if isDynamic { tail.append(field: 6, varint: 1) }
        if let valid { tail.append(field: 7, bytes: valid) }
        return Column(name: name, type: type, head: head, payload: payload, tail: tail)
    }

    /// Reads the form back from a column that ``column(_:)`` wrote.
    init(parsing column: Column) throws(WireError) {
        // The payload's place is known, so head and tail are read as one message with a hole.
        var reader = WireReader(column.head[...])
        let (form, count) = try ColumnForm.head(&reader)
        self = form
        guard type == column.type else { throw WireError("a column of another type") }
        guard name.utf8.elementsEqual(column.name.utf8) else {
            throw WireError("a column of another name")
        }
        guard reader.isAtEnd else { throw WireError("bytes before the values") }
        guard !(layout.isPackedField || layout == .structs) || count == column.payload.count else {
            throw WireError("a payload of another length")
        }

        var tail = WireReader(column.tail[...])
        while let (field, wire) = try tail.tag() {
            switch (field, wire) {
            case (secondField, .varint): second = try tail.varint()
            case (6, .varint): isDynamic = try tail.varint() != 0
            case (7, .bytes): valid = Array(try tail.delimited())
            default: throw WireError("field \(field) behind the values")
            }
        }
        if layout == .structs { valid = try StructPayload.valid(column.payload) }
    }

    /// Cuts a column that ``framed(_:)`` wrote and that lies in one run of bytes: for sub-fields of
    /// struct arrays, whose values are records.
    static func split(_ message: ArraySlice<UInt8>) throws(WireError) -> Column {
        var reader = WireReader(message)
        let (form, count) = try head(&reader)
        let start = reader.position
        guard form.layout == .records || form.layout == .vectorRows,
            count <= message.endIndex - start
        else { throw WireError("a sub-column that is not of arrays") }
        var rows = WireReader(message[start..<(start + count)])
        var end = start
        while let (field, wire) = try rows.tag(), field == form.layout.recordField {
            try rows.skip(wire)
            end = rows.position
        }
        return Column(
            name: form.name, type: form.type, head: Array(message[..<start]),
            payload: message[start..<end], tail: Array(message[end...]))
    }

    /// Reads what stands before the values.
    /// - Returns: the form as far as it is known, and how many bytes follow in the innermost message
    ///   that was begun: the values, and for records what stands behind them there.
    private static func head(
        _ reader: inout WireReader
    ) throws(WireError) -> (ColumnForm, Int) {
        try expect(1, .varint, &reader)
        guard let number = Int32(exactly: try reader.varint()),
            let type = DataType(rawValue: number)
        else { throw WireError("a column of no known type") }
        try expect(2, .bytes, &reader)
        let name = String(decoding: try reader.delimited(), as: UTF8.self)
        if type == .arrayOfStruct {
            try expect(FieldLayout.structArrays, .bytes, &reader)
            let form = ColumnForm(
                name: name, type: type, layout: .structs, dataField: FieldLayout.structArrays)
            return (form, try length(&reader))
        }
        try expect(type.isVector ? 4 : 3, .bytes, &reader)
        _ = try reader.varint()
        var dimension: UInt64?
        guard var (field, wire) = try reader.tag() else { throw WireError("a column without data") }
        if type.isVector, field == 1, wire == .varint {
            dimension = try reader.varint()
            guard let next = try reader.tag() else { throw WireError("a column without data") }
            (field, wire) = next
        }
        guard wire == .bytes,
            let layout = FieldLayout.layout(type: type, dataField: field, dimension: dimension)
        else { throw WireError("a column with data of another kind") }
        let form = ColumnForm(
            name: name, type: type, layout: layout, dataField: field, dimension: dimension)
        var count = try length(&reader)
        if form.hasInnerMessage, layout.isPackedField {
            try expect(1, .bytes, &reader)
            count = try length(&reader)
        } else if layout == .vectorRows, dimension != nil {
            let start = reader.position
            try expect(1, .varint, &reader)
            try form.checkDimension(try reader.varint())
            count -= reader.position - start
            guard count >= 0 else { throw WireError("rows before their message") }
        }
        return (form, count)
    }

    /// Refuses a dimension that is said again and is another one; 0 says none.
    func checkDimension(_ said: UInt64) throws(WireError) {
        guard said == 0 || said == dimension else {
            throw WireError("dimension \(said) instead of \(dimension ?? 0)")
        }
    }

    init(
        name: String, type: DataType, layout: ValueLayout, dataField: Int,
        dimension: UInt64? = nil, second: UInt64? = nil, isDynamic: Bool = false,
        valid: [UInt8]? = nil
    ) {
        self.name = name
        self.type = type
        self.layout = layout
        self.dataField = dataField
        self.dimension = dimension
        self.second = second
        self.isDynamic = isDynamic
        self.valid = valid
    }

    private static func length(_ reader: inout WireReader) throws(WireError) -> Int {
        guard let length = Int(exactly: try reader.varint()) else {
            throw WireError("a length over 63 bits")
        }
        return length
    }

    private static func expect(
        _ field: Int, _ type: WireType, _ reader: inout WireReader
    ) throws(WireError) {
        guard let tag = try reader.tag(), tag.field == field, tag.type == type else {
            throw WireError("field \(field) is not where it belongs")
        }
    }
}
