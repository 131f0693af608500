import StopoverCore

/// One column as it came from the server, walked: its normal form, its values, its rows.
struct WalkedColumn {
    var form: ColumnForm
    var payload: ArraySlice<UInt8>
    var rowCount: Int

    var column: Column { form.framed(payload) }
}

/// Walks one `FieldData` of a reply and brings it into the form that an Insert takes
/// (``ColumnForm``): the edits of milvus-protocol.md, section 1. Values are passed over, not
/// decoded; where nothing among them has to change, the payload is a slice of the reply.
enum ColumnWalk {
    /// What stands at the top of a FieldData.
    struct Parts {
        var type: UInt64 = 0
        var name: ArraySlice<UInt8> = []
        var scalars: ArraySlice<UInt8>?
        var vectors: ArraySlice<UInt8>?
        var structs: ArraySlice<UInt8>?
        var isDynamic = false
        var valid: [UInt8] = []

        /// Whether there is anything in it that may be a value.
        var holdValues: Bool {
            // Sub-fields are not looked into: a struct array that was not asked for comes only
            // from a server that this tool does not know.
            if let structs, !structs.isEmpty { return true }
            var reader = WireReader(scalars ?? vectors ?? [])
            do throws(WireError) {
                while let (field, wire) = try reader.tag() {
                    if wire != .bytes {
                        try reader.skip(wire)
                    } else if try !reader.delimited().isEmpty, field < 17 {
                        return true
                    }
                }
                return false
            } catch {
                return true
            }
        }

        init(_ message: ArraySlice<UInt8>) throws(WireError) {
            var reader = WireReader(message)
            while let (field, wire) = try reader.tag() {
                switch (field, wire) {
                case (1, .varint): type = try reader.varint()
                case (2, .bytes): name = try reader.delimited()
                case (3, .bytes): scalars = try data(&reader)
                case (4, .bytes): vectors = try data(&reader)
                case (FieldLayout.structArrays, .bytes): structs = try data(&reader)
                case (6, .varint): isDynamic = try reader.varint() != 0
                case (7, .bytes): try ColumnWalk.flags(reader.delimited(), into: &valid)
                case (7, .varint): valid.append(try reader.varint() != 0 ? 1 : 0)
                case (1...4, _), (6...8, _): throw WireError("field \(field) of another kind")
                default: try reader.skip(wire)
                }
            }
        }

        /// Protobuf would merge a second one; no server writes it, so it is refused.
        private func data(_ reader: inout WireReader) throws(WireError) -> ArraySlice<UInt8> {
            guard scalars == nil, vectors == nil, structs == nil else {
                throw WireError("data given twice")
            }
            return try reader.delimited()
        }
    }

    /// The column, for the field that was asked for under this name.
    static func walk(_ parts: Parts, as field: FieldSchema) throws(WireError) -> WalkedColumn {
        guard parts.type == UInt64(field.type.rawValue) else {
            throw WireError("type \(parts.type) instead of \(field.type.rawValue)")
        }
        if field.type == .arrayOfStruct { return try StructWalk.walk(parts, as: field) }
        guard parts.structs == nil else { throw WireError("structs in a field of another type") }
        var innerValid: [UInt8] = []
        var walked: WalkedColumn
        if field.type.isVector {
            guard parts.scalars == nil else { throw WireError("scalars in a vector field") }
            walked = try vector(parts.vectors ?? [], field, &innerValid)
        } else {
            guard parts.vectors == nil else { throw WireError("vectors in a scalar field") }
            walked = try scalar(parts.scalars ?? [], field, &innerValid)
        }
        walked.form.isDynamic = parts.isDynamic || field.isDynamic
        guard parts.valid.isEmpty || innerValid.isEmpty || parts.valid == innerValid else {
            throw WireError("two sets of flags that disagree")
        }
        try compact(&walked, parts.valid.isEmpty ? innerValid : parts.valid)
        return walked
    }

    // MARK: Scalars and vectors

    private static func scalar(
        _ message: ArraySlice<UInt8>, _ field: FieldSchema, _ valid: inout [UInt8]
    ) throws(WireError) -> WalkedColumn {
        var reader = WireReader(message)
        var data: (field: Int, bytes: ArraySlice<UInt8>)?
        while let (number, wire) = try reader.tag() {
            switch (number, wire) {
            case (1...12, .bytes):
                guard data == nil else { throw WireError("data given twice") }
                data = (number, try reader.delimited())
            // The newest servers keep the flags here (edit 5).
            case (17, .bytes): try flags(reader.delimited(), into: &valid)
            case (17, .varint): valid.append(try reader.varint() != 0 ? 1 : 0)
            case (1...12, _), (17, _): throw WireError("field \(number) of another kind")
            default: try reader.skip(wire)
            }
        }
        guard let data else { return try empty(field, dimension: nil) }
        guard
            let layout = FieldLayout.layout(
                type: field.type, dataField: data.field, dimension: nil)
        else { throw WireError("values of another type, in field \(data.field)") }
        var form = ColumnForm(
            name: field.name, type: field.type, layout: layout, dataField: data.field)
        let payload = try values(data.bytes, &form, field.elementType)
        return WalkedColumn(form: form, payload: payload, rowCount: 0)
    }

    private static func vector(
        _ message: ArraySlice<UInt8>, _ field: FieldSchema, _ valid: inout [UInt8]
    ) throws(WireError) -> WalkedColumn {
        var reader = WireReader(message)
        var dimension: UInt64?
        var data: (field: Int, bytes: ArraySlice<UInt8>)?
        while let (number, wire) = try reader.tag() {
            switch (number, wire) {
            case (1, .varint): dimension = try reader.varint()
            case (2...8, .bytes):
                guard data == nil else { throw WireError("data given twice") }
                data = (number, try reader.delimited())
            case (9, .bytes): try flags(reader.delimited(), into: &valid)
            case (9, .varint): valid.append(try reader.varint() != 0 ? 1 : 0)
            case (1...9, _): throw WireError("field \(number) of another kind")
            default: try reader.skip(wire)
            }
        }
        if let asked = field.dimension, let dimension, dimension != 0, dimension != asked {
            throw WireError("dimension \(dimension) instead of \(asked)")
        }
        if field.type != .sparseFloatVector, dimension ?? 0 == 0 {
            dimension = field.dimension.flatMap { UInt64(exactly: $0) }
        }
        guard let data else { return try empty(field, dimension: dimension) }
        guard
            let layout = FieldLayout.layout(
                type: field.type, dataField: data.field, dimension: dimension)
        else { throw WireError("values of another type, in field \(data.field)") }
        var form = ColumnForm(
            name: field.name, type: field.type, layout: layout, dataField: data.field,
            dimension: dimension)
        let payload =
            form.hasInnerMessage ? try values(data.bytes, &form, field.elementType) : data.bytes
        return WalkedColumn(form: form, payload: payload, rowCount: 0)
    }

    /// A column without values: all null, or of a page without rows.
    private static func empty(
        _ field: FieldSchema, dimension: UInt64?
    ) throws(WireError) -> WalkedColumn {
        guard let data = FieldLayout.emptyDataField(field.type) else {
            throw WireError("\(field.type.milvusName) fields are not read by this version")
        }
        let layout =
            FieldLayout.layout(type: field.type, dataField: data, dimension: dimension)
            ?? .fixed(width: 0)
        var form = ColumnForm(
            name: field.name, type: field.type, layout: layout, dataField: data,
            dimension: dimension)
        if [.array, .arrayOfVector].contains(field.type) {
            form.second = field.elementType.map { UInt64($0.rawValue) }
        }
        return WalkedColumn(form: form, payload: [], rowCount: 0)
    }

    // MARK: Nulls

    /// Brings values and flags together: a value at a null's place is dropped (edit 3).
    private static func compact(
        _ walked: inout WalkedColumn, _ valid: [UInt8]
    ) throws(WireError) {
        let run = ValueRun(layout: walked.form.layout, payload: walked.payload)
        let count = try run.count()
        guard !valid.isEmpty else {
            walked.rowCount = count
            return
        }
        let present = valid.reduce(0) { $0 + Int($1) }
        if count != present {
            guard count == valid.count else {
                throw WireError("\(count) values for \(present) of \(valid.count) rows")
            }
            walked.payload = try run.filtered(valid)[...]
        }
        walked.form.valid = valid
        walked.rowCount = valid.count
    }

    /// Packed booleans, each made 0 or 1.
    fileprivate static func flags(
        _ bytes: ArraySlice<UInt8>, into valid: inout [UInt8]
    ) throws(WireError) {
        var reader = WireReader(bytes)
        valid.reserveCapacity(valid.count + bytes.count)
        while !reader.isAtEnd { valid.append(try reader.varint() != 0 ? 1 : 0) }
    }
}
