import StopoverCore

/// Rows dropped, and nulls filled.
extension FieldDataCodec {
    public func keeping(_ isKept: [Bool], of batch: Batch) throws(StopoverError) -> Batch {
        guard isKept.count == batch.rowCount else {
            throw FieldDataCodec.refuse("\(isKept.count) marks for \(batch.rowCount) rows")
        }
        let rows = isKept.map { $0 ? UInt8(1) : 0 }
        var columns: [Column] = []
        for column in batch.columns {
            let part = try FieldDataCodec.edit(column) { form throws(WireError) in
                var form = form
                var values = rows
                if let valid = try form.flags(rowCount: batch.rowCount) {
                    values = FieldDataCodec.marked(rows, by: valid)
                    form.valid = FieldDataCodec.marked(valid, by: rows)
                }
                let run = ValueRun(layout: form.layout, payload: column.payload)
                return form.column(try run.filtered(values))
            }
            columns.append(part)
        }
        return Batch(rowCount: isKept.count { $0 }, columns: columns)
    }

    /// - Throws: `STO-DEFAULT-TYPE` too, when a column of this type cannot hold `value`; a column
    ///   without flags has no nulls, and is returned as it is whatever the value.
    public func filled(
        _ column: Column, with value: DefaultValue, rowCount: Int
    ) throws(StopoverError) -> Column {
        // nil stands for a value of another type.
        let filled: Column? = try FieldDataCodec.edit(column) { form throws(WireError) in
            guard let valid = try form.flags(rowCount: rowCount) else { return column }
            guard let bytes = form.encoded(value) else { return nil }
            var form = form
            form.valid = nil
            guard valid.contains(0) else { return form.column(column.payload) }
            let run = ValueRun(layout: form.layout, payload: column.payload)
            return form.column(try run.filled(valid, with: bytes)[...])
        }
        guard let filled else { throw FieldDataCodec.noDefault(value, column) }
        return filled
    }

    /// The entries of `bytes` whose mark is set.
    private static func marked(_ bytes: [UInt8], by marks: [UInt8]) -> [UInt8] {
        var marked: [UInt8] = []
        marked.reserveCapacity(bytes.count)
        for (byte, mark) in zip(bytes, marks) where mark != 0 { marked.append(byte) }
        return marked
    }

    private static func noDefault(_ value: DefaultValue, _ column: Column) -> StopoverError {
        StopoverError(
            .defaultType,
            "nulls of \(column.name) cannot be filled: a \(column.type.milvusName) has no default "
                + "\(value)",
            remedy: "Give the field a default of its own type in migration.yaml, or leave it "
                + "nullable.")
    }
}

extension ColumnForm {
    /// A byte a row, not 0 where there is a value; nil when no row can be null.
    /// - Throws: when the flags are not as many as the rows.
    func flags(rowCount: Int) throws(WireError) -> [UInt8]? {
        guard let valid else { return nil }
        guard valid.count == rowCount else {
            throw WireError("\(valid.count) flags for \(rowCount) rows")
        }
        return valid
    }
}

extension StopoverError.Code {
    public static let defaultType = Self("STO-DEFAULT-TYPE", exit: .refused)
}
