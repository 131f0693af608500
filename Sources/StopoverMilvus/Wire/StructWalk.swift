import StopoverCore

/// Walks a struct-array column of a reply: every sub-field as a column of its own, brought
/// together into one column with one set of flags (``StructPayload``).
enum StructWalk {
    /// - Throws: also when a sub-field is missing or is not in the schema, and when sub-fields
    ///   differ in rows, in nulls, or in how many structs a row has.
    static func walk(
        _ parts: ColumnWalk.Parts, as field: FieldSchema
    ) throws(WireError) -> WalkedColumn {
        guard parts.scalars == nil, parts.vectors == nil else {
            throw WireError("values of another kind in a struct array")
        }
        var form = ColumnForm(
            name: field.name, type: .arrayOfStruct, layout: .structs,
            dataField: FieldLayout.structArrays)
        var columns = try subColumns(parts, field)
        guard let first = columns.first else {
            // A page without rows; rows of other columns make it a page that is refused.
            return WalkedColumn(form: form, payload: [], rowCount: 0)
        }
        // A sub-column without flags beside one that has them has no nulls.
        let valid = columns.lazy.compactMap(\.form.valid).first
        var counts: [Int]?
        for index in columns.indices {
            let name = columns[index].form.name
            guard columns[index].rowCount == first.rowCount else {
                throw WireError("sub-field \(name) has another number of rows")
            }
            if let valid {
                let ones = { [UInt8](repeating: 1, count: valid.count) }
                guard columns[index].form.valid ?? ones() == valid else {
                    throw WireError("sub-fields that disagree on which rows are null")
                }
                columns[index].form.valid = valid
            }
            let own = try elementCounts(columns[index], field.structFields[index])
            guard own == counts ?? own else {
                throw WireError("sub-field \(name) has rows with another number of structs")
            }
            counts = own
        }
        form.valid = valid
        let payload = StructPayload.payload(columns.map(\.column))
        return WalkedColumn(form: form, payload: payload[...], rowCount: first.rowCount)
    }

    /// The sub-columns in the schema's order; none when the message holds none at all.
    private static func subColumns(
        _ parts: ColumnWalk.Parts, _ field: FieldSchema
    ) throws(WireError) -> [WalkedColumn] {
        var walked: [WalkedColumn?] = field.structFields.map { _ in nil }
        var reader = WireReader(parts.structs ?? [])
        while let (number, wire) = try reader.tag() {
            guard number == 1, wire == .bytes else {
                guard number != 1 else { throw WireError("sub-fields of another kind") }
                try reader.skip(wire)
                continue
            }
            var sub = try ColumnWalk.Parts(reader.delimited())
            let name = StructFieldName.plain(sub.name, of: field.name)
            guard
                let index = field.structFields.firstIndex(where: {
                    $0.name.utf8.elementsEqual(name)
                }), [.array, .arrayOfVector].contains(field.structFields[index].type)
            else { throw WireError("a sub-field that is not in the schema") }
            guard walked[index] == nil else { throw WireError("a sub-field comes twice") }
            // No server is known to give flags for the struct itself; if one does, they count.
            if sub.valid.isEmpty { sub.valid = parts.valid }
            guard parts.valid.isEmpty || sub.valid == parts.valid else {
                throw WireError("two sets of flags that disagree")
            }
            walked[index] = try ColumnWalk.walk(sub, as: field.structFields[index])
            walked[index]?.form.isDynamic = false
        }
        let columns = walked.compactMap(\.self)
        guard columns.isEmpty || columns.count == walked.count else {
            throw WireError("\(walked.count - columns.count) sub-fields are missing")
        }
        return columns
    }

    /// How many elements each row that is not null has.
    private static func elementCounts(
        _ column: WalkedColumn, _ field: FieldSchema
    ) throws(WireError) -> [Int] {
        var rows = try ArrayRows(
            of: field.type, element: field.elementType, dimension: column.form.dimension)
        var counts: [Int] = []
        var reader = WireReader(column.payload)
        let number = column.form.layout.recordField
        while let row = try ValueRun.record(&reader, field: number) {
            counts.append(try rows.elementCount(row) ?? 0)
        }
        return counts
    }
}
