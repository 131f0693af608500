/// Cuts, edits and checks encoded columns. The cluster's encoding is its own, so it provides this to
/// the engine. Every call throws when a column's bytes do not hold `rowCount` rows.
public protocol ColumnCodec: Sendable {
    /// The same columns with only the rows in `rows` (0-based, within `0..<batch.rowCount`).
    func slice(_ batch: Batch, rows: Range<Int>) throws(StopoverError) -> Batch

    /// The same columns with only the rows whose entry in `isKept` is true; `isKept` has an entry
    /// for every row.
    func keeping(_ isKept: [Bool], of batch: Batch) throws(StopoverError) -> Batch

    /// The same column with a flag for each row that says "not null", where it has no flags yet.
    func allValid(_ column: Column, rowCount: Int) -> Column

    /// The same column under another name.
    func renamed(_ column: Column, to name: String) throws(StopoverError) -> Column

    /// The same column with `value` in the place of every null, and without flags.
    func filled(
        _ column: Column, with value: DefaultValue, rowCount: Int
    ) throws(StopoverError) -> Column

    /// Rows that `field` of a target cannot hold: what a server might refuse, might not check, or
    /// might die of. At most one per row, ascending.
    func violations(
        in column: Column, of field: FieldSchema, rowCount: Int
    ) throws(StopoverError) -> [RowViolation]

    /// Takes keys out of a column of dynamic fields and makes columns of them.
    /// - Parameter fields: by key name: scalars that a JSON value can be.
    func promoted(
        _ dynamic: Column, to fields: [FieldSchema], rowCount: Int
    ) throws(StopoverError) -> PromotedColumns

    /// How many rows of a column of dynamic fields have which top-level key.
    func keyCounts(of dynamic: Column, rowCount: Int) throws(StopoverError) -> [String: Int]

    /// A column of INT64 values without flags.
    func int64s(_ values: [Int64], named name: String) -> Column

    /// The keys of a column of INT64 or VARCHAR keys, in row order.
    func keys(in column: Column) throws(StopoverError) -> [PrimaryKey]

    /// A number for what each row says in a column, in row order: the same for the same value however
    /// its bytes say it, one for null that no value has.
    func digests(of column: Column, rowCount: Int, seed: UInt64) throws(StopoverError) -> [UInt64]

    /// Rows as JSON objects for people to read, one per entry of `rows` (ascending), without a line
    /// break. Bytes and half floats are written so that the value can be restored.
    func json(_ rows: [Int], of batch: Batch) throws(StopoverError) -> [[UInt8]]
}

/// Why a row does not fit the target.
public struct RowViolation: Sendable, Hashable {
    /// 0-based, within its batch.
    public var row: Int
    public var field: String
    /// A clause, as `is 70,000 bytes long, of at most 65,535`.
    public var reason: String

    public init(row: Int, field: String, reason: String) {
        self.row = row
        self.field = field
        self.reason = reason
    }
}

/// Dynamic keys that became columns.
public struct PromotedColumns: Sendable {
    /// In the order of the fields that were asked for, with flags where the field is nullable.
    public var columns: [Column]
    /// The dynamic column without those keys.
    public var remainder: Column
    /// Values of another type, or too long; their rows hold null or zero in the columns.
    public var violations: [RowViolation]

    public init(columns: [Column], remainder: Column, violations: [RowViolation]) {
        self.columns = columns
        self.remainder = remainder
        self.violations = violations
    }
}
