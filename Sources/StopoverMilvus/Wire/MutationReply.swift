import StopoverCore

/// A `MutationResult`: what became of an Insert or Upsert.
public struct MutationReply: Sendable {
    public var status = ReplyStatus()
    /// The keys of the rows, in row order; nil when the reply has none.
    public var ids: WrittenIDs?
    public var insertCount: Int64 = 0
    public var upsertCount: Int64 = 0
    public var failedRows = 0
    public var timestamp: UInt64 = 0

    public static func walk(_ bytes: ArraySlice<UInt8>) throws(StopoverError) -> MutationReply {
        do { return try read(bytes) } catch { throw .malformedReply("of a write: \(error.what)") }
    }

    private static func read(_ bytes: ArraySlice<UInt8>) throws(WireError) -> MutationReply {
        var reply = MutationReply()
        var reader = WireReader(bytes)
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (1, .bytes): reply.status = try ReplyStatus(reader.delimited())
            case (2, .bytes): reply.ids = try ids(reader.delimited())
            case (4, .bytes):
                reply.failedRows += try ValueRun(layout: .varints, payload: reader.delimited())
                    .count()
            case (4, .varint):
                _ = try reader.varint()
                reply.failedRows += 1
            case (6, .varint): reply.insertCount = Int64(bitPattern: try reader.varint())
            case (8, .varint): reply.upsertCount = Int64(bitPattern: try reader.varint())
            case (9, .varint): reply.timestamp = try reader.varint()
            default: try reader.skip(wire)
            }
        }
        return reply
    }

    private static func ids(_ message: ArraySlice<UInt8>) throws(WireError) -> WrittenIDs? {
        var reader = WireReader(message)
        guard let (field, wire) = try reader.tag() else { return nil }
        guard wire == .bytes else { throw WireError("ids of another kind") }
        var inner = WireReader(try reader.delimited())
        switch field {
        case 1:
            var ids: [Int64] = []
            while let (field, wire) = try inner.tag() {
                switch (field, wire) {
                case (1, .bytes):
                    var packed = WireReader(try inner.delimited())
                    while !packed.isAtEnd { ids.append(Int64(bitPattern: try packed.varint())) }
                case (1, .varint): ids.append(Int64(bitPattern: try inner.varint()))
                default: try inner.skip(wire)
                }
            }
            return .int64(ids)
        case 2:
            var ids: [String] = []
            while let id = try ValueRun.record(&inner) {
                ids.append(String(decoding: id, as: UTF8.self))
            }
            return .varchar(ids)
        default: throw WireError("ids in field \(field)")
        }
    }
}
