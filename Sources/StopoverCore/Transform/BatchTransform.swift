/// Turns rows as read into rows as sent: the columns that are sent, in one order, each with the
/// edits that its field asks for, and without the rows that the target cannot hold. Columnar: it
/// touches only what it concerns.
struct BatchTransform: Sendable {
    /// A batch to send, and what is not sent of the page it was made of.
    struct Output: Sendable {
        var batch: Batch
        /// Rows of the page that do not fit, ascending; none of them is in `batch`.
        var misfits: [RowViolation] = []
        /// Rows by dynamic key, of keys that are not sent.
        var droppedKeys: [String: Int] = [:]
    }

    private let plan: TransferPlan
    private let codec: any ColumnCodec

    init(plan: TransferPlan, codec: any ColumnCodec) {
        self.plan = plan
        self.codec = codec
    }

    func apply(_ page: Batch) throws(StopoverError) -> Output {
        var sent: [Column] = []
        sent.reserveCapacity(plan.columns.count + plan.promoted.count)
        var misfits: [Int: RowViolation] = [:]
        func check(_ column: Column, _ field: FieldSchema) throws(StopoverError) {
            let found = try codec.violations(in: column, of: field, rowCount: page.rowCount)
            for violation in found where misfits[violation.row] == nil {
                misfits[violation.row] = violation
            }
            sent.append(column)
        }
        let dynamic = try dynamicColumns(page)
        for mapping in plan.columns {
            let column =
                mapping.read.isDynamic
                ? dynamic.remainder
                : try edited(self.column(mapping.read.name, of: page), mapping, page)
            guard let column else { continue }
            try check(column, mapping.sent)
        }
        for (column, field) in zip(dynamic.promoted, plan.promoted) { try check(column, field) }
        for violation in dynamic.violations where misfits[violation.row] == nil {
            misfits[violation.row] = violation
        }
        var output = Output(
            batch: Batch(rowCount: page.rowCount, columns: sent), droppedKeys: dynamic.dropped)
        if !misfits.isEmpty {
            output.misfits = misfits.values.sorted { $0.row < $1.row }
            var isKept = [Bool](repeating: true, count: page.rowCount)
            for misfit in output.misfits { isKept[misfit.row] = false }
            output.batch = try codec.keeping(isKept, of: output.batch)
        }
        return output
    }

    private func column(_ name: String, of page: Batch) throws(StopoverError) -> Column {
        guard let column = page.columns.first(where: { $0.name == name }) else {
            throw StopoverError(
                .missingColumn, "a page came without its column \(name)",
                remedy: "Nothing was lost: run the same command again. If it stays so, the "
                    + "source's schema was changed; plan a new migration.")
        }
        return column
    }

    private func edited(
        _ column: Column, _ mapping: ColumnMapping, _ page: Batch
    ) throws(StopoverError) -> Column {
        var column = column
        let (read, sent) = (mapping.read, mapping.sent)
        if read.isNullable, !sent.isNullable, let value = sent.defaultValue {
            column = try codec.filled(column, with: value, rowCount: page.rowCount)
        }
        // A nullable field wants flags; and 2.5 and early 2.6 want those of a field with a default
        // even when all are set.
        if sent.isNullable || sent.defaultValue != nil {
            column = codec.allValid(column, rowCount: page.rowCount)
        }
        return read.name == sent.name ? column : try codec.renamed(column, to: sent.name)
    }

    private struct Dynamic {
        /// What is left of the dynamic fields, where they are sent.
        var remainder: Column?
        var promoted: [Column] = []
        var violations: [RowViolation] = []
        var dropped: [String: Int] = [:]
    }

    private func dynamicColumns(_ page: Batch) throws(StopoverError) -> Dynamic {
        guard let field = plan.readFields.first(where: \.isDynamic) else { return Dynamic() }
        var dynamic = Dynamic(remainder: try column(field.name, of: page))
        if !plan.promoted.isEmpty, let whole = dynamic.remainder {
            let taken = try codec.promoted(whole, to: plan.promoted, rowCount: page.rowCount)
            dynamic.promoted = taken.columns
            dynamic.remainder = taken.remainder
            dynamic.violations = taken.violations
        }
        if let rest = dynamic.remainder, !plan.columns.contains(where: \.read.isDynamic) {
            dynamic.dropped = try codec.keyCounts(of: rest, rowCount: page.rowCount)
            dynamic.remainder = nil
        }
        return dynamic
    }
}

extension StopoverError.Code {
    public static let missingColumn = Self("STO-TRANSFORM-MISSING-COLUMN", exit: .failed)
}
