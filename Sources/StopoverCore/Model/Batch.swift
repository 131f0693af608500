/// One column of a batch, in the encoded form in which the target takes it.
///
/// The encoding is the cluster's (for Milvus: the body of one `FieldData` message, without its
/// outer tag and length). The engine knows only that it is `head + payload + tail`, where the
/// payload is the long middle part that holds the values: a slice of the buffer the page arrived
/// in, never copied by a stage that does not change it.
public struct Column: Sendable, Hashable {
    public var name: String
    public var type: DataType
    /// Bytes before the payload: type, name, lengths. Tens of bytes.
    public var head: [UInt8]
    /// The values. Where `type.payloadElementWidth` is above 1 it is a whole number of such
    /// elements, little endian, unless the source interleaves values with lengths.
    public var payload: ArraySlice<UInt8>
    /// Bytes after the payload: null flags, `is_dynamic`.
    public var tail: [UInt8]

    public init(
        name: String, type: DataType, head: [UInt8], payload: ArraySlice<UInt8>, tail: [UInt8]
    ) {
        self.name = name
        self.type = type
        self.head = head
        self.payload = payload
        self.tail = tail
    }

    public var byteCount: Int { head.count + payload.count + tail.count }
}

/// Rows in memory, columnar. All columns have `rowCount` rows.
public struct Batch: Sendable {
    public var rowCount: Int
    public var columns: [Column]

    public init(rowCount: Int, columns: [Column]) {
        self.rowCount = rowCount
        self.columns = columns
    }

    public var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}

/// A reply from the source: its rows, ascending by key, and where it began and ended.
public struct Page: Sendable {
    public var batch: Batch
    /// nil exactly when the page is empty.
    public var firstKey: PrimaryKey?
    public var lastKey: PrimaryKey?

    public init(batch: Batch, firstKey: PrimaryKey?, lastKey: PrimaryKey?) {
        self.batch = batch
        self.firstKey = firstKey
        self.lastKey = lastKey
    }
}
