import StopoverCore

/// Primary keys as values: where keys are made here, or rows are deleted by them.
extension FieldDataCodec {
    public func int64s(_ values: [Int64], named name: String) -> Column {
        var payload: [UInt8] = []
        payload.reserveCapacity(values.count * 6)
        for value in values { payload.append(varint: UInt64(bitPattern: value)) }
        return ColumnForm(
            name: name, type: .int64, layout: .varints, dataField: FieldLayout.longs
        ).column(payload[...])
    }

    public func keys(in column: Column) throws(StopoverError) -> [PrimaryKey] {
        try FieldDataCodec.edit(column) { form throws(WireError) in
            var reader = WireReader(column.payload)
            var keys: [PrimaryKey] = []
            switch form.layout {
            case .varints:
                while !reader.isAtEnd {
                    keys.append(.int64(Int64(bitPattern: try reader.varint())))
                }
            case .records:
                while let key = try ValueRun.record(&reader) { keys.append(.varchar(Array(key))) }
            case .fixed, .vectorRows, .structs: throw WireError("it holds no keys")
            }
            return keys
        }
    }
}
