import StopoverCore

/// The rows of a column of dynamic fields.
struct DynamicRows {
    /// A row, by places in the payload.
    struct Row {
        var number: Int
        /// The record with its tag and length; empty for a null.
        var record: Range<Int>
        /// The JSON within it; nil for a null.
        var object: Range<Int>?
    }

    let form: ColumnForm
    let payload: ArraySlice<UInt8>

    /// Calls `body` with each row and the payload, which is lent for the call.
    /// - Throws: when the values are not those of as many rows.
    func each(
        _ rowCount: Int, _ body: (Row, UnsafeBufferPointer<UInt8>) throws(WireError) -> Void
    ) throws(WireError) {
        guard form.type == .json else { throw WireError("no column of JSON") }
        let valid = try form.flags(rowCount: rowCount)
        let start = payload.startIndex
        try payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
            var reader = WireReader(payload)
            for number in 0..<rowCount {
                let before = reader.position - start
                if let valid, valid[number] == 0 {
                    try body(Row(number: number, record: before..<before), bytes)
                    continue
                }
                guard let object = try ValueRun.record(&reader) else {
                    throw WireError("rows beyond the end")
                }
                let after = reader.position - start
                let row = Row(
                    number: number, record: before..<after, object: after - object.count..<after)
                try body(row, bytes)
            }
            guard reader.isAtEnd else { throw WireError("values beyond the last row") }
        }
    }
}
