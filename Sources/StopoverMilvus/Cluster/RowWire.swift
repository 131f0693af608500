import StopoverCore

/// How rows look in the bulk messages: what the cluster needs of the wire walker.
///
/// A seam, because a cluster decides *what* is asked and what an answer means, and the walker alone
/// knows the bytes; tests put a slow one beside it that decodes everything.
public protocol RowWire: Sendable {
    var codec: any ColumnCodec { get }

    /// - Parameter reply: a serialized `QueryResults`. Its slices may become the page's payloads.
    /// - Throws: when it does not hold the fields that were asked for, all with equally many rows.
    func page(
        in reply: [UInt8], to request: PageRequest
    ) throws(StopoverError) -> WireReply<Page>

    /// A serialized `InsertRequest` or, which is the same bytes, `UpsertRequest`.
    func insertRequest(_ batch: Batch, to destination: InsertDestination) -> any RequestBody

    /// - Parameter reply: a serialized `MutationResult`.
    func mutation(in reply: [UInt8]) throws(StopoverError) -> WireReply<MutationAnswer>
}

/// A reply is a status that says no, or its content.
public enum WireReply<Content: Sendable>: Sendable {
    case refused(code: Int32, errorCode: Int32, reason: String)
    case content(Content)
}

/// What a server says it has written.
public struct MutationAnswer: Sendable, Hashable {
    /// nil when it names none.
    public var ids: WrittenIDs?
    public var insertedRows: Int64
    public var upsertedRows: Int64
    /// Rows that it says it has not written.
    public var failedRows: Int

    public init(ids: WrittenIDs?, insertedRows: Int64, upsertedRows: Int64, failedRows: Int) {
        self.ids = ids
        self.insertedRows = insertedRows
        self.upsertedRows = upsertedRows
        self.failedRows = failedRows
    }
}
