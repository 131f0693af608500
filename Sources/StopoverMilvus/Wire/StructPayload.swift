import StopoverCore

/// The payload of a struct-array column: its sub-fields' columns, each in the normal form and
/// framed as `0A length FieldData` (`StructArrayField.fields`), each with all the rows.
///
/// The engine sees one column. Its flags are the flags of every sub-column: a row is null in all
/// of them or in none (checkAndFlattenStructFieldData in the proxy of Milvus refuses the rest),
/// and nothing but the sub-columns carries them, for that is where servers read them.
enum StructPayload {
    /// The sub-columns, their payloads slices of this one.
    static func columns(_ payload: ArraySlice<UInt8>) throws(WireError) -> [Column] {
        var columns: [Column] = []
        var reader = WireReader(payload)
        while let message = try ValueRun.record(&reader) {
            columns.append(try ColumnForm.split(message))
        }
        return columns
    }

    static func payload(_ columns: [Column]) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(columns.reduce(0) { $0 + $1.byteCount + 6 })
        for column in columns {
            payload.append(field: 1, lengthOf: column.byteCount)
            payload += column.head
            payload += column.payload
            payload += column.tail
        }
        return payload
    }

    /// The flags that all sub-columns have, nil when they have none.
    static func valid(_ payload: ArraySlice<UInt8>) throws(WireError) -> [UInt8]? {
        let columns = try columns(payload)
        var valid: [UInt8]?
        for (index, column) in columns.enumerated() {
            let own = try ColumnForm(parsing: column).valid
            guard index == 0 || own == valid else {
                throw WireError("sub-fields that disagree on which rows are null")
            }
            valid = own
        }
        return valid
    }

    /// How many rows have values: as many in every sub-column.
    static func count(_ payload: ArraySlice<UInt8>) throws(WireError) -> Int {
        var count: Int?
        for column in try columns(payload) {
            let form = try ColumnForm(parsing: column)
            let own = try ValueRun(layout: form.layout, payload: column.payload).count()
            guard own == count ?? own else {
                throw WireError("\(column.name) has \(own) values where others have \(count ?? 0)")
            }
            count = own
        }
        return count ?? 0
    }

    /// Cuts the values of every sub-column in the same way; the flags, which were of the rows
    /// before the cut, go.
    static func cut(
        _ payload: ArraySlice<UInt8>,
        _ cut: (ValueRun) throws(WireError) -> ArraySlice<UInt8>
    ) throws(WireError) -> [UInt8] {
        var parts: [Column] = []
        for column in try columns(payload) {
            var form = try ColumnForm(parsing: column)
            form.valid = nil
            let run = ValueRun(layout: form.layout, payload: column.payload)
            parts.append(form.framed(try cut(run)))
        }
        return self.payload(parts)
    }

    /// The same values, with these flags in every sub-column.
    static func flagged(
        _ payload: ArraySlice<UInt8>, _ valid: [UInt8]?
    ) throws(WireError) -> ArraySlice<UInt8> {
        var flagged: [Column] = []
        var isChanged = false
        for column in try columns(payload) {
            var form = try ColumnForm(parsing: column)
            isChanged = isChanged || form.valid != valid
            form.valid = valid
            flagged.append(form.framed(column.payload))
        }
        return isChanged ? self.payload(flagged)[...] : payload
    }
}

/// Names of a struct array's sub-fields.
enum StructFieldName {
    /// Servers store `struct[sub]` and make it of `sub` when a collection is created or rows are
    /// inserted; some 2.6 answer rows under the stored name, others under the plain one
    /// (transformStructFieldNames, reconstructStructFieldData in the proxy of Milvus). The plain
    /// one is what they all take.
    static func plain(_ name: ArraySlice<UInt8>, of structName: String) -> ArraySlice<UInt8> {
        let prefix = Array(structName.utf8) + [UInt8(ascii: "[")]
        guard name.count > prefix.count + 1, name.starts(with: prefix),
            name.last == UInt8(ascii: "]")
        else { return name }
        return name.dropFirst(prefix.count).dropLast()
    }

    static func plain(_ name: String, of structName: String) -> String {
        String(decoding: plain(Array(name.utf8)[...], of: structName), as: UTF8.self)
    }
}
