import StopoverCore

/// The normal form of a column: what an Insert takes, in one fixed layout.
///
/// `type 1, field_name 2, scalars 3 | vectors 4 { dim, data { values } }, is_dynamic 6, valid_data 7`;
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
    /// `ArrayArray.element_type`, or `SparseFloatArray.dim`: field 2 beside the values.
    var second: UInt64?
    var isDynamic = false
    /// A byte a row, 1 where there is a value; nil when the column has no flags.
    var valid: [UInt8]?

    var isVector: Bool { type.isVector }

    /// Whether the values stand in a message of their own (`LongArray`, `FloatArray`, …); the
    /// byte-string vectors stand in the VectorField itself.
    var hasInnerMessage: Bool { !(isVector && [3, 4, 5, 7].contains(dataField)) }

    /// The column with these values.
    func column(_ payload: ArraySlice<UInt8>) -> Column {
        var innerHead: [UInt8] = []
        var innerTail: [UInt8] = []
        if hasInnerMessage {
            if layout.isPackedField { innerHead.append(field: 1, lengthOf: payload.count) }
            if let second { innerTail.append(field: 2, varint: second) }
        }
        let innerCount = innerHead.count + payload.count + innerTail.count
        var middle: [UInt8] = []
        if let dimension { middle.append(field: 1, varint: dimension) }
        middle.append(field: dataField, lengthOf: innerCount)

        var head: [UInt8] = []
        head.append(field: 1, varint: UInt64(type.rawValue))
        head.append(field: 2, bytes: name.utf8)
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
        name = column.name
        type = column.type
        try ColumnForm.expect(1, .varint, &reader)
        guard try reader.varint() == UInt64(column.type.rawValue) else {
            throw WireError("a column of another type")
        }
        try ColumnForm.expect(2, .bytes, &reader)
        guard try reader.delimited().elementsEqual(column.name.utf8) else {
            throw WireError("a column of another name")
        }
        try ColumnForm.expect(column.type.isVector ? 4 : 3, .bytes, &reader)
        _ = try reader.varint()
        guard var (field, wire) = try reader.tag() else { throw WireError("a column without data") }
        if column.type.isVector, field == 1, wire == .varint {
            dimension = try reader.varint()
            guard let next = try reader.tag() else { throw WireError("a column without data") }
            (field, wire) = next
        }
        guard wire == .bytes,
            let layout = FieldLayout.layout(
                type: column.type, dataField: field, dimension: dimension)
        else { throw WireError("a column with data of another kind") }
        dataField = field
        self.layout = layout
        _ = try reader.varint()
        let dense = !(column.type.isVector && [3, 4, 5, 7].contains(field))
        if dense, layout.isPackedField {
            try ColumnForm.expect(1, .bytes, &reader)
            guard try reader.varint() == UInt64(column.payload.count) else {
                throw WireError("a payload of another length")
            }
        }
        guard reader.isAtEnd else { throw WireError("bytes before the values") }

        var tail = WireReader(column.tail[...])
        while let (field, wire) = try tail.tag() {
            switch (field, wire) {
            case (2, .varint): second = try tail.varint()
            case (6, .varint): isDynamic = try tail.varint() != 0
            case (7, .bytes): valid = Array(try tail.delimited())
            default: throw WireError("field \(field) behind the values")
            }
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

    private static func expect(
        _ field: Int, _ type: WireType, _ reader: inout WireReader
    ) throws(WireError) {
        guard let tag = try reader.tag(), tag.field == field, tag.type == type else {
            throw WireError("field \(field) is not where it belongs")
        }
    }
}

/// Which `oneof` may hold a type's values, and how they lie there.
enum FieldLayout {
    /// nil when values of this type do not stand in that field.
    static func layout(type: DataType, dataField: Int, dimension: UInt64?) -> ValueLayout? {
        switch (type, dataField) {
        case (.bool, 1), (.int8, 2), (.int16, 2), (.int32, 2), (.int64, 3), (.timestamptz, 11):
            return .varints
        case (.float, 4): return .fixed(width: 4)
        case (.double, 5): return .fixed(width: 8)
        // Newer servers write timestamps as ISO strings and geometry as WKT.
        case (.varchar, 6), (.text, 6), (.timestamptz, 6), (.array, 8), (.json, 9),
            (.geometry, 10), (.geometry, 12), (.sparseFloatVector, 6):
            return .records
        case (.floatVector, 2): return fixed(dimension, bits: 32)
        case (.binaryVector, 3): return fixed(dimension, bits: 1)
        case (.float16Vector, 4), (.bfloat16Vector, 5): return fixed(dimension, bits: 16)
        case (.int8Vector, 7): return fixed(dimension, bits: 8)
        default: return nil
        }
    }

    /// The field that an empty column of a type is written with.
    static func emptyDataField(_ type: DataType) -> Int? {
        switch type {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .float: 4
        case .double: 5
        case .varchar, .text: 6
        case .array: 8
        case .json: 9
        case .geometry: 12
        case .timestamptz: 6
        case .floatVector: 2
        case .binaryVector: 3
        case .float16Vector: 4
        case .bfloat16Vector: 5
        case .sparseFloatVector: 6
        case .int8Vector: 7
        case .arrayOfVector, .arrayOfStruct, .structure: nil
        }
    }

    /// Number of the ScalarField's `oneof` that holds an array's elements.
    static func elementField(_ type: DataType) -> Int? {
        switch type {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .float: 4
        case .double: 5
        case .varchar: 6
        default: nil
        }
    }

    private static func fixed(_ dimension: UInt64?, bits: Int) -> ValueLayout? {
        guard let dimension, dimension <= 1 << 20 else { return nil }
        return .fixed(width: (Int(dimension) * bits + 7) / 8)
    }
}
