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
            var reader = WireReader(payload)
            var count = 0
            while let value = try ValueRun.record(&reader, field: layout.recordField) {
                _ = value
                count += 1
            }
            return count
        case .structs: return try StructPayload.count(payload)
        }
    }

    /// Cuts out values `range` (of values, not rows).
    func slice(_ range: Range<Int>) throws(WireError) -> ArraySlice<UInt8> {
        if case .fixed(let width) = layout {
            let start = payload.startIndex + range.lowerBound * width
            let end = payload.startIndex + range.upperBound * width
            guard end <= payload.endIndex else { throw WireError("rows beyond the end") }
            return payload[start..<end]
        }
        if layout == .structs {
            return try StructPayload.cut(payload) { run throws(WireError) in
                try run.slice(range)
            }[...]
        }
        var reader = WireReader(payload)
        for _ in 0..<range.lowerBound { try skipValue(&reader) }
        let start = reader.position
        for _ in range { try skipValue(&reader) }
        return payload[start..<reader.position]
    }

    /// The values whose flag is set, of a run with a value for every flag.
    func filtered(_ flags: [UInt8]) throws(WireError) -> [UInt8] {
        if layout == .structs {
            return try StructPayload.cut(payload) { run throws(WireError) in
                try run.filtered(flags)[...]
            }
        }
        var kept: [UInt8] = []
        var reader = WireReader(payload)
        for flag in flags {
            let start = reader.position
            try skipValue(&reader)
            if flag != 0 { kept += payload[start..<reader.position] }
        }
        return kept
    }

    private func skipValue(_ reader: inout WireReader) throws(WireError) {
        switch layout {
        case .varints: _ = try reader.varint()
        case .fixed(let width): _ = try reader.fixed(width)
        case .records, .vectorRows:
            guard try ValueRun.record(&reader, field: layout.recordField) != nil else {
                throw WireError("rows beyond the end")
            }
        case .structs: throw WireError("a struct array has no single values")
        }
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
