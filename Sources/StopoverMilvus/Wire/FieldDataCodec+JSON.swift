import StopoverCore

/// Rows for people to read: of a quarantine, of a message.
extension FieldDataCodec {
    /// `{"key":7,"title":"…","vector":[0.5,1.0],"$meta":{…}}`, the columns in their order. How each
    /// type is written is said in ``RowJSON``.
    /// - Parameter rows: 0-based, ascending, none twice.
    /// - Throws: `STO-WIRE-MALFORMED` when `rows` are not such rows of the batch, too.
    public func json(_ rows: [Int], of batch: Batch) throws(StopoverError) -> [[UInt8]] {
        var lines = [[UInt8]](repeating: [UInt8(ascii: "{")], count: rows.count)
        for (index, column) in batch.columns.enumerated() {
            var name: [UInt8] = index > 0 ? [UInt8(ascii: ",")] : []
            name.append(jsonText: column.name.utf8)
            name.append(UInt8(ascii: ":"))
            if column.type == .arrayOfStruct {
                let structs = try json(rows, of: try structs(column, rowCount: batch.rowCount))
                for (line, text) in structs.enumerated() { lines[line] += name + text }
                continue
            }
            try FieldDataCodec.edit(column) { form throws(WireError) in
                let valid = try form.flags(rowCount: batch.rowCount)
                let present = valid?.count { $0 != 0 } ?? batch.rowCount
                guard
                    try ValueRun(layout: form.layout, payload: column.payload).count() == present
                else { throw WireError("values that are not those of \(batch.rowCount) rows") }
                var values = RowJSON(form: form, payload: column.payload)
                var next = 0
                for (line, row) in rows.enumerated() {
                    guard row >= next, row < batch.rowCount else {
                        throw WireError("row \(row) of \(batch.rowCount), asked for behind \(next)")
                    }
                    let passed = valid?[next..<row].count { $0 != 0 } ?? row - next
                    try values.skip(passed)
                    lines[line] += name
                    if let valid, valid[row] == 0 {
                        lines[line] += "null".utf8
                    } else {
                        try values.append(to: &lines[line])
                    }
                    next = row + 1
                }
            }
        }
        for line in lines.indices { lines[line].append(UInt8(ascii: "}")) }
        return lines
    }

    /// The sub-columns of a struct array as rows of their own: an object a row.
    private func structs(_ column: Column, rowCount: Int) throws(StopoverError) -> Batch {
        do throws(WireError) {
            return Batch(
                rowCount: rowCount, columns: try StructPayload.columns(column.payload))
        } catch {
            throw FieldDataCodec.refuse("column \(column.name): \(error.what)")
        }
    }
}
