import StopoverCore

/// Dynamic keys: taken out of the objects that carry them, and counted.
extension FieldDataCodec {
    public func promoted(
        _ dynamic: Column, to fields: [FieldSchema], rowCount: Int
    ) throws(StopoverError) -> PromotedColumns {
        try FieldDataCodec.edit(dynamic) { form throws(WireError) in
            var promotion = Promotion(fields, remainder: dynamic.payload.count)
            try FieldDataCodec.eachObject(dynamic, form, rowCount) { row, bytes in
                promotion.take(row, bytes)
            }
            var rest = form
            rest.valid = nil
            return PromotedColumns(
                columns: try promotion.columns(), remainder: rest.column(promotion.remainder[...]),
                violations: promotion.violations)
        }
    }

    public func keyCounts(
        of dynamic: Column, rowCount: Int
    ) throws(StopoverError) -> [String: Int] {
        try FieldDataCodec.edit(dynamic) { form throws(WireError) in
            var scan = JSONScan()
            var counts: [[UInt8]: Int] = [:]
            try FieldDataCodec.eachObject(dynamic, form, rowCount) { _, bytes in
                var seen: Set<[UInt8]> = []
                for member in scan.members(of: bytes) ?? [] {
                    let key = JSONText.unescaped(
                        UnsafeBufferPointer(rebasing: bytes[member.key]))
                    if seen.insert(key).inserted { counts[key, default: 0] += 1 }
                }
            }
            return Dictionary(
                counts.map { (String(decoding: $0.key, as: UTF8.self), $0.value) },
                uniquingKeysWith: +)
        }
    }

    /// Calls `body` with the object of every row; a null is an object without keys.
    private static func eachObject(
        _ column: Column, _ form: ColumnForm, _ rowCount: Int,
        _ body: (Int, UnsafeBufferPointer<UInt8>) -> Void
    ) throws(WireError) {
        guard form.layout == .records else { throw WireError("dynamic fields that are no JSON") }
        let valid = try form.flags(rowCount: rowCount)
        let nothing = Array("{}".utf8)
        try column.payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
            var cursor = ValueCursor(bytes)
            for row in 0..<rowCount {
                if valid?[row] == 0 {
                    nothing.withUnsafeBufferPointer { body(row, $0) }
                } else {
                    body(row, try cursor.record())
                }
            }
            guard cursor.isAtEnd else { throw WireError("values beyond the last row") }
        }
    }
}

/// Columns in the making, from keys of objects that come one after the other.
private struct Promotion {
    private struct Target {
        let field: FieldSchema
        let key: [UInt8]
        var payload: [UInt8] = []
        var valid: [UInt8] = []
    }

    private enum Value {
        case null
        case bytes([UInt8])
        case misfit(String)
    }

    private var targets: [Target]
    private var scan = JSONScan()
    private(set) var remainder: [UInt8] = []
    private(set) var violations: [RowViolation] = []

    init(_ fields: [FieldSchema], remainder: Int) {
        targets = fields.map { Target(field: $0, key: Array($0.name.utf8)) }
        self.remainder.reserveCapacity(remainder)
    }

    mutating func take(_ row: Int, _ bytes: UnsafeBufferPointer<UInt8>) {
        guard let members = scan.members(of: bytes) else {
            misfit(row, CollectionSchema.dynamicFieldName, "is no JSON object")
            for index in targets.indices { put(.null, row, index) }
            remainder.append(field: 1, bytes: bytes)
            return
        }
        /// The place of each member's key among the targets; nil stays where it is.
        var taken = [Int?](repeating: nil, count: members.count)
        // The last of equal keys counts, as it does for Milvus.
        var found = [JSONScan.Member?](repeating: nil, count: targets.count)
        for (at, member) in members.enumerated() {
            guard let index = target(of: UnsafeBufferPointer(rebasing: bytes[member.key])) else {
                continue
            }
            taken[at] = index
            found[index] = member
        }
        for index in targets.indices {
            let value = found[index].map { UnsafeBufferPointer(rebasing: bytes[$0.value]) }
            put(value.map { Promotion.value($0, targets[index].field) } ?? .null, row, index)
        }
        guard taken.contains(where: { $0 != nil }) else {
            remainder.append(field: 1, bytes: bytes)
            return
        }
        var rest = [UInt8(ascii: "{")]
        for (at, member) in members.enumerated() where taken[at] == nil {
            if rest.count > 1 { rest.append(UInt8(ascii: ",")) }
            rest += bytes[member.whole]
        }
        rest.append(UInt8(ascii: "}"))
        remainder.append(field: 1, bytes: rest)
    }

    func columns() throws(WireError) -> [Column] {
        var columns: [Column] = []
        for target in targets {
            let type = target.field.type
            guard let data = FieldLayout.emptyDataField(type),
                let layout = FieldLayout.layout(type: type, dataField: data, dimension: nil)
            else { throw WireError("dynamic keys do not become \(type.milvusName)") }
            let form = ColumnForm(
                name: target.field.name, type: type, layout: layout, dataField: data,
                valid: target.field.isNullable ? target.valid : nil)
            columns.append(form.column(target.payload[...]))
        }
        return columns
    }

    private func target(of key: UnsafeBufferPointer<UInt8>) -> Int? {
        if let index = targets.firstIndex(where: { $0.key.elementsEqual(key) }) { return index }
        guard key.contains(UInt8(ascii: "\\")) else { return nil }
        let plain = JSONText.unescaped(key)
        return targets.firstIndex { $0.key == plain }
    }

    private mutating func misfit(_ row: Int, _ field: String, _ reason: String) {
        if violations.last?.row == row { return }
        violations.append(RowViolation(row: row, field: field, reason: reason))
    }

    private mutating func put(_ value: Value, _ row: Int, _ index: Int) {
        let field = targets[index].field
        switch value {
        case .bytes(let bytes):
            targets[index].payload += bytes
            targets[index].valid.append(1)
            return
        case .misfit(let reason): misfit(row, field.name, reason)
        case .null:
            if !field.isNullable {
                misfit(row, field.name, "is missing, and the field takes no null")
            }
        }
        targets[index].valid.append(0)
        if !field.isNullable { targets[index].payload += Promotion.placeholder(field.type) }
    }

    /// A value in the place of one that does not fit: its row is not sent.
    private static func placeholder(_ type: DataType) -> [UInt8] {
        switch type {
        case .float: [0, 0, 0, 0]
        case .double: [0, 0, 0, 0, 0, 0, 0, 0]
        case .varchar, .json: [0x0A, 0]
        default: [0]
        }
    }

    // MARK: One value

    private static func value(
        _ raw: UnsafeBufferPointer<UInt8>, _ field: FieldSchema
    ) -> Value {
        guard let first = raw.first, first != UInt8(ascii: "n") else { return .null }
        switch field.type {
        case .json: return .bytes(record(raw))
        case .bool:
            guard first == UInt8(ascii: "t") || first == UInt8(ascii: "f") else {
                return misfit(raw, field)
            }
            return .bytes([first == UInt8(ascii: "t") ? 1 : 0])
        case .int8, .int16, .int32, .int64: return whole(raw, field)
        case .float:
            guard let value = Float(String(decoding: raw, as: UTF8.self)), value.isFinite else {
                return misfit(raw, field)
            }
            return .bytes(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
        case .double:
            guard let value = Double(String(decoding: raw, as: UTF8.self)), value.isFinite else {
                return misfit(raw, field)
            }
            return .bytes(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
        case .varchar:
            guard first == UInt8(ascii: "\"") else { return misfit(raw, field) }
            let text = JSONText.unescaped(
                UnsafeBufferPointer(rebasing: raw[1..<raw.count - 1]))
            let limit = field.typeParams["max_length"].flatMap { Int($0) } ?? .max
            guard text.count <= limit else {
                return .misfit("is \(text.count) bytes long, of at most \(limit)")
            }
            return .bytes(record(text))
        default: return misfit(raw, field)
        }
    }

    private static func whole(
        _ raw: UnsafeBufferPointer<UInt8>, _ field: FieldSchema
    ) -> Value {
        guard let value = JSONText.whole(raw) else { return misfit(raw, field) }
        let fits =
            switch field.type {
            case .int8: Int8(exactly: value) != nil
            case .int16: Int16(exactly: value) != nil
            case .int32: Int32(exactly: value) != nil
            default: true
            }
        guard fits else { return misfit(raw, field) }
        var bytes: [UInt8] = []
        bytes.append(varint: UInt64(bitPattern: value))
        return .bytes(bytes)
    }

    private static func record(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var record: [UInt8] = []
        record.append(field: 1, bytes: bytes)
        return record
    }

    /// Bytes of a value that a reason shows.
    private static let shownBytes = 40

    private static func misfit(
        _ raw: UnsafeBufferPointer<UInt8>, _ field: FieldSchema
    ) -> Value {
        let shown = String(decoding: raw.prefix(shownBytes), as: UTF8.self)
        let rest = raw.count > shownBytes ? "…" : ""
        return .misfit("is \(shown)\(rest), which is no \(field.type.milvusName)")
    }
}
