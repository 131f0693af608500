import StopoverCore

extension IncomingRows.Cells {
    /// Gives each row its value's bytes, as they are on the wire; nil for a null. Arrays without
    /// elements come as no bytes, whichever way they are written.
    @inline(__always)
    func forEach(
        _ bytes: UnsafeRawBufferPointer, rowCount: Int,
        _ body: (_ row: Int, _ cell: UnsafeRawBufferPointer?) throws -> Void
    ) throws {
        guard let values else {
            try withDefault { cell in
                for row in 0..<rowCount { try body(row, cell) }
            }
            return
        }
        var reader = ByteReader(bytes, values)
        try withDefault { missing in
            for row in 0..<rowCount {
                if let valid, valid[row] == 0 {
                    try body(row, missing)
                } else {
                    let cell = try next(&reader)
                    try body(row, UnsafeRawBufferPointer(rebasing: bytes[cell]))
                }
            }
        }
        if field.layout == .records {
            // `element_type` or `dim` may stand behind the values.
            while let (number, wire) = try reader.tag() {
                guard number != field.recordField else { throw tooMany }
                try reader.skip(wire)
            }
        }
        guard reader.isAtEnd else { throw tooMany }
    }

    private var tooMany: TwinRefusal {
        .badParameter("field '\(field.name)' has more values than rows")
    }

    private func withDefault(_ body: (UnsafeRawBufferPointer?) throws -> Void) throws {
        let missing =
            field.isNullable && field.defaultCell == nil
            ? nil : field.defaultCell ?? (field.schema.isDynamic ? Array("{}".utf8) : nil)
        guard let missing else { return try body(nil) }
        try missing.withUnsafeBytes { try body($0) }
    }

    @inline(__always)
    private func next(_ reader: inout ByteReader) throws -> Range<Int> {
        let start = reader.position
        switch field.layout {
        case .varints:
            _ = try reader.varint()
            return try checked(start..<reader.position, reader.bytes)
        case .fixed(let width), .dense(let width):
            try reader.advance(width)
            return try checked(start..<reader.position, reader.bytes)
        case .records:
            while let (number, wire) = try reader.tag() {
                guard number == field.recordField, wire == 2 else {
                    try reader.skip(wire)
                    continue
                }
                return try checked(reader.delimited(), reader.bytes)
            }
            throw TwinRefusal.badParameter("field '\(field.name)' has fewer values than rows")
        }
    }

    @inline(__always)
    private func checked(
        _ cell: Range<Int>, _ bytes: UnsafeRawBufferPointer
    ) throws -> Range<Int> {
        try field.check(UnsafeRawBufferPointer(rebasing: bytes[cell]))
        guard field.type == .array else { return cell }
        return cell.count == 2 && bytes[cell.lowerBound + 1] == 0
            ? cell.lowerBound..<cell.lowerBound : cell
    }
}

extension IncomingRows {
    /// A row of a struct array is null in all its sub-fields or in none, and has as many elements
    /// in each (checkAndFlattenStructFieldData in the proxy of Milvus).
    func checkStructs(_ bytes: UnsafeRawBufferPointer) throws {
        for name in Set(columns.compactMap(\.field.structName)) {
            var first: [Int?]?
            for column in columns where column.field.structName == name {
                var counts: [Int?] = []
                try column.forEach(bytes, rowCount: rowCount) { _, cell in
                    counts.append(
                        try cell.map { $0.isEmpty ? 0 : try column.field.elementCount($0) })
                }
                guard counts == first ?? counts else {
                    throw TwinRefusal.badParameter(
                        "inconsistent array length or nulls in struct array field \(name), "
                            + "sub-field \(column.field.plainName)")
                }
                first = counts
            }
        }
    }
}
