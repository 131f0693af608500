import StopoverCore

/// Cuts and edits columns of Milvus's `FieldData` encoding, in their normal form.
public struct FieldDataCodec: ColumnCodec {
    public init() {}

    public func slice(_ batch: Batch, rows: Range<Int>) throws(StopoverError) -> Batch {
        guard rows.lowerBound >= 0, rows.upperBound <= batch.rowCount else {
            throw FieldDataCodec.refuse("rows \(rows) of \(batch.rowCount)")
        }
        var columns: [Column] = []
        for column in batch.columns {
            let part = try FieldDataCodec.edit(column) { form throws(WireError) in
                var form = form
                var values = rows
                if let valid = try form.flags(rowCount: batch.rowCount) {
                    let before = valid[..<rows.lowerBound].reduce(0) { $0 + Int($1) }
                    let within = valid[rows].reduce(0) { $0 + Int($1) }
                    values = before..<(before + within)
                    form.valid = Array(valid[rows])
                }
                let run = ValueRun(layout: form.layout, payload: column.payload)
                return form.column(try run.slice(values))
            }
            columns.append(part)
        }
        return Batch(rowCount: rows.count, columns: columns)
    }

    /// 2.5 and early 2.6 want flags of a column with a default value even when none is null
    /// (edit 4); other servers take them [measured].
    public func allValid(_ column: Column, rowCount: Int) -> Column {
        guard var form = try? ColumnForm(parsing: column), form.valid == nil else { return column }
        form.valid = [UInt8](repeating: 1, count: rowCount)
        return form.column(column.payload)
    }

    /// The same column under another name.
    public func renamed(_ column: Column, to name: String) throws(StopoverError) -> Column {
        try FieldDataCodec.edit(column) { form throws(WireError) in
            var form = form
            form.name = name
            return form.column(column.payload)
        }
    }

    /// What becomes of a column, by its form. What is wrong with its bytes is told with its name.
    static func edit<Result>(
        _ column: Column, _ body: (ColumnForm) throws(WireError) -> Result
    ) throws(StopoverError) -> Result {
        do throws(WireError) {
            return try body(try ColumnForm(parsing: column))
        } catch {
            throw refuse("column \(column.name): \(error.what)")
        }
    }

    static func refuse(_ what: String) -> StopoverError {
        StopoverError(
            .wireMalformed, "a batch cannot be read: \(what)",
            remedy: "Nothing was sent. Run the same command again; if it comes back, report it.")
    }
}
