/// How the values of a column lie in its payload.
enum ValueLayout: Hashable {
    /// Numbers as varints, one after the other.
    case varints
    /// `width` bytes each. 0 is a run without values, of a vector whose dimension is not known.
    case fixed(width: Int)
    /// `0A length bytes`, a repeated field 1.
    case records
    /// `12 length VectorField`, a repeated field 2: the rows of an ARRAY_OF_VECTOR.
    case vectorRows
    /// The sub-columns of a struct array, each with all the values (``StructPayload``).
    case structs

    /// A packed number field is one length-delimited run inside its message; records and the
    /// byte-string vectors are the message's own bytes.
    var isPackedField: Bool {
        switch self {
        case .varints, .fixed: true
        case .records, .vectorRows, .structs: false
        }
    }

    /// The field number of a value that is a record.
    var recordField: Int { self == .vectorRows ? 2 : 1 }
}

/// The values of a payload, one by one: counted, cut, filtered, without being decoded.
struct ValueRun {
    let layout: ValueLayout
    let payload: ArraySlice<UInt8>

    /// How many values there are. Throws when the payload does not end with a value.
    func count() throws(WireError) -> Int {
        switch layout {
        case .fixed(let width):
            guard width > 0 else {
                guard payload.isEmpty else { throw WireError("values without a width") }
                return 0
            }
            guard payload.count % width == 0 else {
                throw WireError("\(payload.count) bytes are no multiple of \(width)")
            }
            return payload.count / width
        case .varints: return try ValueRun.countVarints(payload)
        case .records, .vectorRows:
            return try payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
                var cursor = ValueCursor(bytes)
                var count = 0
                while !cursor.isAtEnd {
                    _ = try cursor.record(field: layout.recordField)
                    count += 1
                }
                return count
            }
        case .structs: return try StructPayload.count(payload)
        }
    }

    /// Cuts out values `range` (of values, not rows).
    func slice(_ range: Range<Int>) throws(WireError) -> ArraySlice<UInt8> {
        if layout == .structs {
            return try StructPayload.cut(payload) { run throws(WireError) in
                try run.slice(range)
            }[...]
        }
        let (start, end) = try payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
            var cursor = ValueCursor(bytes)
            try cursor.skip(range.lowerBound, layout)
            let start = cursor.position
            try cursor.skip(range.count, layout)
            return (start, cursor.position)
        }
        return payload.dropFirst(start).prefix(end - start)
    }

    /// The next record of a repeated field; nil at the end.
    static func record(
        _ reader: inout WireReader, field wanted: Int = 1
    ) throws(WireError) -> ArraySlice<UInt8>? {
        guard let (field, type) = try reader.tag() else { return nil }
        guard field == wanted, type == .bytes else {
            throw WireError("field \(field) among the values")
        }
        return try reader.delimited()
    }

    private static func countVarints(_ payload: ArraySlice<UInt8>) throws(WireError) -> Int {
        var count = 0
        var length = 0
        var isTooLong = false
        payload.withUnsafeBufferPointer { bytes in
            for byte in bytes {
                length += 1
                if byte < 0x80 {
                    isTooLong = isTooLong || length > 10 || (length == 10 && byte > 1)
                    count += 1
                    length = 0
                }
            }
        }
        guard length == 0 else { throw WireError("a number that does not end") }
        guard !isTooLong else { throw WireError("a number over 64 bits") }
        return count
    }
}
