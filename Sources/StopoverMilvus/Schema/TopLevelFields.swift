import MilvusProto
import SwiftProtobuf

/// The fields of a serialized message by number, for those that our own messages do not name.
struct TopLevelFields {
    struct Field {
        var number: Int
        /// Tag, length and value.
        var whole: Range<Int>
        /// For a length-delimited field what is inside it; else the value's own bytes.
        var value: Range<Int>
    }

    private let bytes: [UInt8]
    /// Those that could be read; a damaged rest is left as it is, for protobuf's own parser to refuse.
    let fields: [Field]
    private let end: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var fields: [Field] = []
        var position = 0
        while let field = TopLevelFields.field(in: bytes, at: position) {
            fields.append(field)
            position = field.whole.upperBound
        }
        self.fields = fields
        end = position
    }

    /// The same message without some of its fields.
    func without(_ numbers: Set<Int>) -> [UInt8] {
        fields.filter { !numbers.contains($0.number) }.flatMap { bytes[$0.whole] } + bytes[end...]
    }

    private static func field(in bytes: [UInt8], at start: Int) -> Field? {
        var position = start
        guard let tag = varint(in: bytes, &position) else { return nil }
        var valueStart = position
        let length: UInt64
        switch tag & 7 {
        case 0:
            guard varint(in: bytes, &position) != nil else { return nil }
            length = UInt64(position - valueStart)
        case 1: length = 8
        case 2:
            guard let count = varint(in: bytes, &position) else { return nil }
            valueStart = position
            length = count
        case 5: length = 4
        default: return nil
        }
        guard length <= UInt64(bytes.count - valueStart) else { return nil }
        let valueEnd = valueStart + Int(length)
        return Field(
            number: Int(truncatingIfNeeded: tag >> 3), whole: start..<valueEnd,
            value: valueStart..<valueEnd)
    }

    private static func varint(in bytes: [UInt8], _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}

extension MilvusCollectionSchema {
    /// Whether the rows lie outside of Milvus: field 11, `external_source`, is not empty
    /// (schema.proto as in pymilvus 3.0.2).
    var isExternal: Bool {
        TopLevelFields([UInt8](unknownFields.data)).fields.contains {
            $0.number == 11 && !$0.value.isEmpty
        }
    }
}
