/// Turns rows as read into rows as sent: the columns that are sent, in one order, each with the
/// edits that its field asks for. Columnar: it touches only what it concerns.
struct BatchTransform: Sendable {
    private let sent: [FieldSchema]
    private let codec: any ColumnCodec

    init(plan: TransferPlan, codec: any ColumnCodec) {
        sent = plan.sentFields
        self.codec = codec
    }

    func apply(_ batch: Batch) throws(StopoverError) -> Batch {
        var columns: [Column] = []
        columns.reserveCapacity(sent.count)
        for field in sent {
            guard var column = batch.columns.first(where: { $0.name == field.name }) else {
                throw StopoverError(
                    .missingColumn, "a page came without its column \(field.name)",
                    remedy: "Nothing was lost: run the same command again. If it stays so, the "
                        + "source's schema was changed; plan a new migration.")
            }
            // 2.5 and early 2.6 want the flags of a field with a default even when all are set.
            if field.defaultValue != nil, !field.isNullable {
                column = codec.allValid(column, rowCount: batch.rowCount)
            }
            columns.append(column)
        }
        return Batch(rowCount: batch.rowCount, columns: columns)
    }
}

extension StopoverError.Code {
    public static let missingColumn = Self("STO-TRANSFORM-MISSING-COLUMN", exit: .failed)
}
