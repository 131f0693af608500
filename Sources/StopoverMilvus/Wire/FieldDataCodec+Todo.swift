import StopoverCore

/// Stands in for what the branch `codec` writes, in its own words; removed at the merge.
extension FieldDataCodec {
    public func keeping(
        _ isKept: [Bool], of batch: Batch
    ) throws(StopoverError) -> Batch { throw FieldDataCodec.todo }

    public func nullRows(
        of column: Column, rowCount: Int
    ) throws(StopoverError) -> [Int] { throw FieldDataCodec.todo }

    public func filled(
        _ column: Column, with value: DefaultValue, rowCount: Int
    ) throws(StopoverError) -> Column { throw FieldDataCodec.todo }

    public func violations(
        in column: Column, of field: FieldSchema, rowCount: Int
    ) throws(StopoverError) -> [RowViolation] { throw FieldDataCodec.todo }

    private static var todo: StopoverError {
        StopoverError(.wireMalformed, "not on this branch", remedy: "Merge the branch codec.")
    }

    /// What becomes of a column, by its form. What is wrong with its bytes is told with its name.
    static func edit<Result>(
        _ column: Column, _ body: (ColumnForm) throws(WireError) -> Result
    ) throws(StopoverError) -> Result {
        do throws(WireError) {
            return try body(try ColumnForm(parsing: column))
        } catch {
            throw StopoverError(
                .wireMalformed, "a batch cannot be read: column \(column.name): \(error.what)",
                remedy: "Nothing was sent. Run the same command again; if it comes back, report "
                    + "it.")
        }
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

extension FieldSchema {
    /// `max_length`, in bytes of UTF-8; nil where nothing is said, or where the server makes the
    /// keys itself: a Go server that is given such keys does not check them (milvus#25580).
    var maximumBytes: Int? { isAutoID ? nil : typeParams["max_length"].flatMap { Int($0) } }
}

extension BinaryInteger {
    /// As people read it: 65,535.
    var grouped: String {
        let digits = String(magnitude)
        var grouped = self < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped.append(",") }
            grouped.append(digit)
        }
        return grouped
    }
}
