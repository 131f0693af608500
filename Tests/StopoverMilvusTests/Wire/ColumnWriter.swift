import StopoverCore

/// Writes a column in one of the many ways that protobuf and Milvus's versions allow.
enum ColumnWriter {
    static func column(
        _ field: FieldSchema, _ rows: [RowValue], _ random: inout WireRandom
    ) -> [UInt8] {
        let hasNulls = rows.contains(.null)
        let hasFlags = hasNulls || (field.isNullable && random.chance(70))
        // Outer, inner, or both; packed or not.
        let place = hasFlags ? random.pick([1, 1, 1, 2, 2, 3]) : 0
        let flags = rows.map { $0 == .null ? UInt8(0) : 1 }
        let values = values(field, rows, isDense: random.chance(50), &random)

        var inner: [[UInt8]] = []
        if field.type.isVector, let dimension = field.dimension, random.chance(80) {
            inner.append(WireWriter.message { $0.varint(1, UInt64(dimension)) })
        }
        if !values.isEmpty || random.chance(70) {
            inner.append(data(field, values, &random))
        }
        if place & 2 != 0 {
            inner.append(self.flags(flags, field: field.type.isVector ? 9 : 17, &random))
        }
        unknown(&inner, &random)
        inner.shuffle(using: &random)

        var outer: [[UInt8]] = []
        outer.append(WireWriter.message { $0.varint(1, UInt64(field.type.rawValue)) })
        let isNameless = field.isDynamic && random.chance(25)
        if !isNameless { outer.append(WireWriter.message { $0.text(2, field.name) }) }
        if !inner.isEmpty || random.chance(50) {
            let inner = inner.joined()
            outer.append(WireWriter.message { $0.bytes(field.type.isVector ? 4 : 3, Array(inner)) })
        }
        if random.chance(70) {
            let id = UInt64(random.int(1...200))
            outer.append(WireWriter.message { $0.varint(5, id) })
        }
        if field.isDynamic, isNameless || random.chance(70) {
            outer.append(WireWriter.message { $0.varint(6, 1) })
        }
        if place & 1 != 0 { outer.append(self.flags(flags, field: 7, &random)) }
        unknown(&outer, &random)
        outer.shuffle(using: &random)
        return Array(outer.joined())
    }

    private static func unknown(_ parts: inout [[UInt8]], _ random: inout WireRandom) {
        guard random.chance(20) else { return }
        parts.append(WireWriter.message { $0.unknown(&random) })
    }

    private static func flags(
        _ flags: [UInt8], field: Int, _ random: inout WireRandom
    ) -> [UInt8] {
        let isPacked = random.chance(80)
        return WireWriter.message { writer in
            if isPacked { return writer.bytes(field, flags) }
            for flag in flags { writer.varint(field, UInt64(flag)) }
        }
    }

    /// The values that stand in the column: those that are, or one a row.
    private static func values(
        _ field: FieldSchema, _ rows: [RowValue], isDense: Bool, _ random: inout WireRandom
    ) -> [RowValue] {
        guard isDense else { return rows.filter { $0 != .null } }
        var isText = field.type == .timestamptz || field.type == .geometry
        if case .int? = rows.first(where: { $0 != .null }) { isText = false }
        if case .bytes(let bytes)? = rows.first(where: { $0 != .null }), bytes.first == 0xFF {
            isText = false
        }
        return rows.map {
            guard $0 == .null else { return $0 }
            if random.chance(50), let zero = zero(field.type) { return zero }
            return GeneratedReply.value(field, isText: isText, &random)
        }
    }

    private static func zero(_ type: DataType) -> RowValue? {
        switch type {
        case .bool: .bool(false)
        case .int8, .int16, .int32, .int64: .int(0)
        case .float: .float(0)
        case .double: .double(0)
        case .varchar, .text, .json: .bytes([])
        case .array: .list([])
        default: nil
        }
    }

    /// The `oneof` with the values.
    private static func data(
        _ field: FieldSchema, _ values: [RowValue], _ random: inout WireRandom
    ) -> [UInt8] {
        switch field.type {
        case .binaryVector, .float16Vector, .bfloat16Vector, .int8Vector:
            let numbers: [DataType: Int] = [
                .binaryVector: 3, .float16Vector: 4, .bfloat16Vector: 5, .int8Vector: 7,
            ]
            let joined = values.flatMap(\.rawBytes)
            return WireWriter.message { $0.bytes(numbers[field.type] ?? 0, joined) }
        case .floatVector:
            let elements = values.flatMap(\.elements)
            let message = numbers(elements, &random)
            return WireWriter.message { $0.bytes(2, message) }
        case .array:
            return arrays(values, field.elementType ?? .bool, &random)
        case .json: return records(9, values, second: nil, &random)
        case .sparseFloatVector: return records(6, values, second: 1000, &random)
        case .geometry:
            // WKB here begins with a byte that no text has.
            let isBinary = values.contains { $0.rawBytes.first == 0xFF }
            return records(isBinary ? 10 : 12, values, second: nil, &random)
        case .timestamptz:
            guard case .int? = values.first else { return records(6, values, second: nil, &random) }
            let message = numbers(values, &random)
            return WireWriter.message { $0.bytes(11, message) }
        case .varchar, .text: return records(6, values, second: nil, &random)
        default:
            let message = numbers(values, &random)
            return WireWriter.message { $0.bytes(elementNumber(field.type), message) }
        }
    }

    static func elementNumber(_ type: DataType) -> Int {
        let numbers: [DataType: Int] = [
            .bool: 1, .int8: 2, .int16: 2, .int32: 2, .int64: 3, .float: 4, .double: 5, .varchar: 6,
        ]
        return numbers[type] ?? 0
    }

    private static func arrays(
        _ values: [RowValue], _ element: DataType, _ random: inout WireRandom
    ) -> [UInt8] {
        let rows = values.map { value -> RowValue in
            let elements = value.elements
            // Servers leave an empty row without its type.
            if elements.isEmpty, random.chance(60) { return .bytes([]) }
            let message: [UInt8]
            if element == .varchar {
                message = WireWriter.message { for text in elements { $0.bytes(1, text.rawBytes) } }
            } else {
                message = numbers(elements, &random)
            }
            return .bytes(WireWriter.message { $0.bytes(elementNumber(element), message) })
        }
        return records(8, rows, second: UInt64(element.rawValue), &random)
    }

    /// A repeated field 1 of byte strings, with what may stand beside it.
    private static func records(
        _ field: Int, _ values: [RowValue], second: UInt64?, _ random: inout WireRandom
    ) -> [UInt8] {
        var parts = values.map { value in WireWriter.message { $0.bytes(1, value.rawBytes) } }
        if let second, random.chance(80) {
            let part = WireWriter.message { $0.varint(2, second) }
            parts.insert(part, at: random.pick([0, parts.count, random.int(0...parts.count)]))
        }
        if random.chance(15) {
            let part = WireWriter.message { $0.unknown(&random) }
            parts.insert(part, at: random.int(0...parts.count))
        }
        return WireWriter.message { $0.bytes(field, Array(parts.joined())) }
    }

    /// A repeated field 1 of numbers: packed, in several runs, or one by one.
    private static func numbers(_ values: [RowValue], _ random: inout WireRandom) -> [UInt8] {
        let unpackedPercent = random.pick([0, 0, 0, 30, 100])
        let isOverlong = random.chance(10)
        var writer = WireWriter()
        var run = WireWriter()
        func flush() {
            if !run.bytes.isEmpty { writer.bytes(1, run.bytes) }
            run = WireWriter()
        }
        for value in values {
            let isUnpacked = random.chance(unpackedPercent)
            if isUnpacked { flush() }
            switch value {
            case .float, .double:
                if isUnpacked {
                    writer.fixed(1, value.rawBytes)
                } else {
                    run.bytes += value.rawBytes
                }
            default:
                if isUnpacked { writer.raw(varint: 8) }
                let padding = isOverlong ? random.int(0...3) : 0
                if isUnpacked {
                    writer.raw(varint: value.varint, padding: padding)
                } else {
                    run.raw(varint: value.varint, padding: padding)
                }
            }
            if unpackedPercent > 0, random.chance(20) {
                flush()
                writer.unknown(&random)
            }
        }
        flush()
        return writer.bytes
    }
}

extension RowValue {
    var elements: [RowValue] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }

    /// As bytes of a payload.
    var rawBytes: [UInt8] {
        switch self {
        case .bytes(let bytes): bytes
        case .float(let bits): bits.littleEndianBytes
        case .double(let bits): bits.littleEndianBytes
        default: []
        }
    }

    var varint: UInt64 {
        switch self {
        case .bool(let flag): flag ? 1 : 0
        case .int(let number): UInt64(bitPattern: number)
        default: 0
        }
    }
}
