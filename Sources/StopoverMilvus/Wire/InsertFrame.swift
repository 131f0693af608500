import StopoverCore

/// The body of an Insert or Upsert request, whose columns are sent as the bytes they are.
public struct InsertFrame: RequestBody {
    public let byteCount: Int
    /// db 2, collection 3, partition 4.
    private let prefix: [UInt8]
    private let columns: [Column]
    /// num_rows 7.
    private let suffix: [UInt8]

    public init(_ batch: Batch, to destination: InsertDestination) {
        var prefix: [UInt8] = []
        prefix.append(field: 2, bytes: destination.collection.database.utf8)
        prefix.append(field: 3, bytes: destination.collection.collection.utf8)
        if let partition = destination.partition { prefix.append(field: 4, bytes: partition.utf8) }
        var suffix: [UInt8] = []
        suffix.append(field: 7, varint: UInt64(batch.rowCount))
        self.prefix = prefix
        self.suffix = suffix
        columns = batch.columns
        byteCount = columns.reduce(prefix.count + suffix.count) { sum, column in
            sum + 1 + UInt64(column.byteCount).varintBytes + column.byteCount
        }
    }

    public var parts: [ArraySlice<UInt8>] {
        var parts = [prefix[...]]
        for column in columns {
            var frame: [UInt8] = []
            frame.append(field: 5, lengthOf: column.byteCount)
            parts += [(frame + column.head)[...], column.payload, column.tail[...]]
        }
        return parts + [suffix[...]]
    }
}
