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
            case (1, .bytes): try reply.status.merge(reader.delimited())
            case (2, .bytes):
                guard reply.ids == nil else { throw WireError("ids given twice") }
                reply.ids = try ids(reader.delimited())
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
        var ids: WrittenIDs?
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (1...2, .bytes):
                guard ids == nil else { throw WireError("ids given twice") }
                let message = try reader.delimited()
                ids = field == 1 ? .int64(try int64s(message)) : .varchar(try varchars(message))
            case (1...2, _): throw WireError("ids of another kind")
            default: try reader.skip(wire)
            }
        }
        return ids
    }

    private static func int64s(_ message: ArraySlice<UInt8>) throws(WireError) -> [Int64] {
        var reader = WireReader(message)
        var ids: [Int64] = []
        while let (field, wire) = try reader.tag() {
            switch (field, wire) {
            case (1, .bytes):
                var packed = WireReader(try reader.delimited())
                while !packed.isAtEnd { ids.append(Int64(bitPattern: try packed.varint())) }
            case (1, .varint): ids.append(Int64(bitPattern: try reader.varint()))
            default: try reader.skip(wire)
            }
        }
        return ids
    }

    private static func varchars(_ message: ArraySlice<UInt8>) throws(WireError) -> [String] {
        var reader = WireReader(message)
        var ids: [String] = []
        while let id = try ValueRun.record(&reader) {
            ids.append(String(decoding: id, as: UTF8.self))
        }
        return ids
    }
}
