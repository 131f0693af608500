import StopoverCore

/// Writes values of a column as JSON, one after the other:
///
/// * numbers as numbers, an INT64 with all its digits; a float with as many as tell it from its
///   neighbours; half floats and bfloat16 exactly, as doubles; NaN and infinity as the texts `NaN`,
///   `Infinity` and `-Infinity`, which JSON has no numbers for;
/// * text as text; JSON and the dynamic fields as they are, with line breaks made blanks;
/// * a vector as an array of numbers, a sparse one as `{"index": value}`;
/// * binary vectors, arrays of vectors, WKB, and whatever is not the text or JSON that it should be, as
///   `{"base64": …}`.
struct RowJSON {
    private let form: ColumnForm
    private var reader: WireReader
    private var walk = JSONWalk()

    init(form: ColumnForm, payload: ArraySlice<UInt8>) {
        self.form = form
        reader = WireReader(payload)
    }

    /// Passes over values.
    mutating func skip(_ count: Int) throws(WireError) {
        if case .fixed(let width) = form.layout {
            _ = try reader.fixed(count * width)
        } else {
            for _ in 0..<count { _ = try value() }
        }
    }

    /// Appends the next value.
    mutating func append(to line: inout [UInt8]) throws(WireError) {
        let value = try value()
        switch form.type {
        case .binaryVector, .arrayOfVector: line.append(jsonBytes: value)
        case .floatVector, .float16Vector, .bfloat16Vector, .int8Vector:
            line.append(UInt8(ascii: "["))
            try RowJSON.append(run: value, of: form.type, to: &line)
            line.close(with: "]")
        case .sparseFloatVector: try append(sparse: value, to: &line)
        case .array: try append(array: value, to: &line)
        case .json: append(json: value, to: &line)
        case .geometry where form.dataField == RowJSON.binaryGeometry:
            line.append(jsonBytes: value)
        default:
            if form.layout == .records {
                RowJSON.append(text: value, to: &line)
            } else {
                try RowJSON.append(run: value, of: form.type, to: &line)
                line.close(with: "")
            }
        }
    }

    /// `ScalarField.geometry_data`: WKB, where 12 is WKT.
    private static let binaryGeometry = 10

    /// The bytes of the next value.
    private mutating func value() throws(WireError) -> ArraySlice<UInt8> {
        switch form.layout {
        case .fixed(let width):
            guard width > 0 else { throw WireError("values without a width") }
            return try reader.fixed(width)
        case .varints: return try reader.varintBytes()
        case .records, .vectorRows:
            let field = form.layout.recordField
            guard let record = try ValueRun.record(&reader, field: field) else {
                throw WireError("rows beyond the end")
            }
            return record
        case .structs: throw WireError("a struct array has no single values")
        }
    }
}

// MARK: Kinds of values

extension RowJSON {
    private static func append(text: ArraySlice<UInt8>, to line: inout [UInt8]) {
        if text.withUnsafeBufferPointer({ TextCheck.isUTF8($0) }) {
            line.append(jsonText: text)
        } else {
            line.append(jsonBytes: text)
        }
    }

    private mutating func append(json: ArraySlice<UInt8>, to line: inout [UInt8]) {
        let isJSON = json.withUnsafeBufferPointer { bytes in
            do throws(JSONFault) { try walk.check(bytes) } catch { return false }
            return TextCheck.isUTF8(bytes)
        }
        guard isJSON else { return line.append(jsonBytes: json) }
        // Line breaks stand between values, for texts have none: a row is one line.
        let start = line.count
        line += json
        for place in start..<line.count where line[place] == 0x0A || line[place] == 0x0D {
            line[place] = UInt8(ascii: " ")
        }
    }

    /// Pairs of a 4-byte index and a 4-byte float, little endian.
    private func append(sparse row: ArraySlice<UInt8>, to line: inout [UInt8]) throws(WireError) {
        let pairBytes = 8
        guard row.count.isMultiple(of: pairBytes) else { return line.append(jsonBytes: row) }
        line.append(UInt8(ascii: "{"))
        var reader = WireReader(row)
        while !reader.isAtEnd {
            let index = UInt32(littleEndian: try reader.fixed(4))
            line += "\"\(index)\":".utf8
            try RowJSON.append(run: reader.fixed(4), of: .float, to: &line)
        }
        line.close(with: "}")
    }

    /// A ScalarField with the elements, as it came: its numbers may stand in several runs, or one by
    /// one.
    private func append(array row: ArraySlice<UInt8>, to line: inout [UInt8]) throws(WireError) {
        guard let element = form.second.flatMap({ DataType(rawValue: Int32(clamping: $0)) }),
            let elementField = FieldLayout.elementField(element)
        else { throw WireError("an array of elements that are not known") }
        line.append(UInt8(ascii: "["))
        var fields = WireReader(row)
        while let (field, wire) = try fields.tag() {
            guard field == elementField, wire == .bytes else {
                throw WireError("an array row with field \(field) instead of \(elementField)")
            }
            var elements = WireReader(try fields.delimited())
            while let (field, wire) = try elements.tag() {
                switch (field, wire) {
                case (1, .bytes) where element == .varchar:
                    RowJSON.append(text: try elements.delimited(), to: &line)
                    line.append(UInt8(ascii: ","))
                case (1, .bytes):
                    try RowJSON.append(run: elements.delimited(), of: element, to: &line)
                case (1, .varint):
                    try RowJSON.append(run: elements.varintBytes(), of: element, to: &line)
                case (1, .fixed32):
                    try RowJSON.append(run: elements.fixed(4), of: element, to: &line)
                case (1, .fixed64):
                    try RowJSON.append(run: elements.fixed(8), of: element, to: &line)
                default: try elements.skip(wire)
                }
            }
        }
        line.close(with: "]")
    }

    /// Packed numbers, with a comma behind each.
    private static func append(
        run: ArraySlice<UInt8>, of type: DataType, to line: inout [UInt8]
    ) throws(WireError) {
        var reader = WireReader(run)
        while !reader.isAtEnd {
            switch type {
            case .bool: line += (try reader.varint() != 0 ? "true" : "false").utf8
            case .float, .floatVector:
                line.append(
                    jsonNumber: Float(bitPattern: UInt32(littleEndian: try reader.fixed(4))))
            case .double:
                line.append(
                    jsonNumber: Double(bitPattern: UInt64(littleEndian: try reader.fixed(8))))
            case .float16Vector:
                let half = Float16(bitPattern: UInt16(littleEndian: try reader.fixed(2)))
                line.append(jsonNumber: Double(half))
            case .bfloat16Vector:
                // The upper half of a float.
                let upper = UInt32(UInt16(littleEndian: try reader.fixed(2)))
                line.append(jsonNumber: Double(Float(bitPattern: upper << 16)))
            case .int8Vector:
                line += Int8(littleEndian: try reader.fixed(1)).description.utf8
            default: line += Int64(bitPattern: try reader.varint()).description.utf8
            }
            line.append(UInt8(ascii: ","))
        }
    }
}

extension WireReader {
    /// The bytes of a number that is a varint.
    fileprivate mutating func varintBytes() throws(WireError) -> ArraySlice<UInt8> {
        var ahead = self
        _ = try ahead.varint()
        return try fixed(ahead.position - position)
    }
}

extension FixedWidthInteger {
    fileprivate init(littleEndian bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}

extension [UInt8] {
    /// Ends a list whose last entry has a comma behind it.
    fileprivate mutating func close(with bracket: StaticString) {
        if last == UInt8(ascii: ",") { removeLast() }
        self += bracket.description.utf8
    }

    /// The shortest number that reads back as this one.
    fileprivate mutating func append<Number: BinaryFloatingPoint & CustomStringConvertible>(
        jsonNumber number: Number
    ) {
        if number.isFinite {
            self += number.description.utf8
        } else {
            append(jsonText: (number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity").utf8)
        }
    }
}
