import StopoverCore

/// Columns of dynamic fields: a JSON object a row.
extension FieldDataCodec {
    /// A row that is no JSON object is a violation of the dynamic column itself; it stays as it is,
    /// and its promoted values are null or zero. A row may have a violation for each field; they are
    /// in the order of rows, then of `fields`. Of a key that comes twice in an object the last value
    /// counts, as in Milvus, and both are taken out. What is taken out goes with the blanks around
    /// it; every other byte stays.
    ///
    /// - Throws: `STO-PROMOTE-TYPE` too, when no JSON value can be of a field's type.
    public func promoted(
        _ dynamic: Column, to fields: [FieldSchema], rowCount: Int
    ) throws(StopoverError) -> PromotedColumns {
        var columns: [PromotedColumn] = []
        for field in fields {
            guard let column = PromotedColumn(field, rowCount: rowCount) else {
                throw FieldDataCodec.cannotPromote(field)
            }
            columns.append(column)
        }
        return try FieldDataCodec.edit(dynamic) { form throws(WireError) in
            var promotion = Promotion(columns, from: form, payload: dynamic.payload)
            try promotion.run(rowCount: rowCount)
            return promotion.result
        }
    }

    /// A row that is no JSON object has no keys. Keys that are equal as Unicode text (`é` in one
    /// character or in two) are one String, and their counts are added up.
    public func keyCounts(
        of dynamic: Column, rowCount: Int
    ) throws(StopoverError) -> [String: Int] {
        try FieldDataCodec.edit(dynamic) { form throws(WireError) in
            var walk = JSONWalk()
            var tally = KeyTally()
            try DynamicRows(form: form, payload: dynamic.payload).each(rowCount) {
                (row, bytes) throws(WireError) in
                guard let place = row.object else { return }
                let object = UnsafeBufferPointer(rebasing: bytes[place])
                do throws(JSONFault) {
                    try walk.begin(object)
                    while let member = try walk.next() {
                        let key = UnsafeBufferPointer(rebasing: object[member.key])
                        tally.note(key, hasEscapes: member.keyHasEscapes)
                    }
                    tally.endRow(row.number)
                } catch {
                    tally.dropRow()
                }
            }
            return tally.counts
        }
    }

    private static func cannotPromote(_ field: FieldSchema) -> StopoverError {
        StopoverError(
            .promotionType,
            "the dynamic key \(field.name) cannot become a field of type \(field.type.milvusName)",
            remedy: "In migration.yaml, give it a type that a JSON value can be: BOOL, INT8 to "
                + "INT64, FLOAT, DOUBLE, VARCHAR or JSON.")
    }
}

extension StopoverError.Code {
    public static let promotionType = Self("STO-PROMOTE-TYPE", exit: .refused)
}
