import StopoverCore

/// A reply of a server that never was, and the rows that are in it.
struct GeneratedReply: Sendable {
    /// What was asked for.
    var fields: [FieldSchema]
    var keys: [PrimaryKey]
    var rows: [String: [RowValue]]
    var timestamp: UInt64
    var bytes: [UInt8]

    /// - Parameter rowCount: nil for one at random.
    init(seed: UInt64, rowCount: Int? = nil, columns: ClosedRange<Int> = 0...9) {
        var random = WireRandom(seed: seed)
        let count = rowCount ?? (random.chance(4) ? 0 : random.int(1...40))
        let schema = GeneratedReply.schema(random.int(columns), &random)
        fields = schema
        keys = []
        rows = [:]
        timestamp = random.chance(80) ? random.next() : 0
        var parts: [[UInt8]] = []
        for field in schema {
            let values: [RowValue]
            if field.isPrimaryKey {
                values = GeneratedReply.keys(field.type, count, &random)
                keys = values.compactMap(\.key)
            } else {
                values = GeneratedReply.values(field, count, &random)
            }
            rows[field.name] = values
            // A page without rows may have no columns at all, or some.
            if count == 0, random.chance(30) { continue }
            let column = ColumnWriter.column(field, values, &random)
            parts.append(WireWriter.message { $0.bytes(2, column) })
        }
        if random.chance(40) {
            let field = GeneratedReply.field("not asked for", .int32, &random)
            let values = GeneratedReply.values(field, count, &random)
            let column = ColumnWriter.column(field, values, &random)
            parts.append(WireWriter.message { $0.bytes(2, column) })
        }
        let other = WireWriter.message {
            if random.chance(50) { $0.message(1) { if random.chance(30) { $0.text(5, "well") } } }
            if random.chance(50) { $0.text(3, "collection") }
            if random.chance(50) { $0.text(4, "key") }
            if random.chance(30) { $0.unknown(&random) }
            if random.chance(50) { $0.text(6, "key") }
        }
        parts.append(other)
        let stamp = timestamp
        if stamp != 0 { parts.append(WireWriter.message { $0.varint(5, stamp) }) }
        parts.shuffle(using: &random)
        bytes = Array(parts.joined())
        fields.shuffle(using: &random)
    }

    static func schema(_ columns: Int, _ random: inout WireRandom) -> [FieldSchema] {
        var key = FieldSchema(name: "key", type: random.chance(50) ? .int64 : .varchar)
        key.isPrimaryKey = true
        var fields = [key]
        for index in 0..<columns {
            let readable = DataType.allCases.filter {
                ![.arrayOfVector, .arrayOfStruct, .structure].contains($0)
            }
            fields.append(field("f\(index)é", random.pick(readable), &random))
        }
        if random.chance(30) {
            var dynamic = FieldSchema(name: CollectionSchema.dynamicFieldName, type: .json)
            dynamic.isDynamic = true
            fields.append(dynamic)
        }
        return fields
    }

    static func field(
        _ name: String, _ type: DataType, _ random: inout WireRandom
    ) -> FieldSchema {
        var field = FieldSchema(name: name, type: type)
        field.isNullable = random.chance(50)
        if type == .array {
            field.elementType = random.pick([
                .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar,
            ])
        }
        if type.isVector, type != .sparseFloatVector {
            let dimension = type == .binaryVector ? random.int(1...4) * 8 : random.int(1...9)
            field.typeParams["dim"] = "\(dimension)"
        }
        return field
    }

    /// `count` keys that ascend.
    static func keys(_ type: DataType, _ count: Int, _ random: inout WireRandom) -> [RowValue] {
        var keys: Set<PrimaryKey> = []
        while keys.count < count {
            let number = Int64(bitPattern: random.next()) >> Int64(random.pick([0, 32, 55]))
            keys.insert(
                type == .int64
                    ? .int64(number) : .varchar(random.text() + String(number, radix: 36)))
        }
        return keys.sorted().map {
            switch $0 {
            case .int64(let number): .int(number)
            case .varchar(let bytes): .bytes(bytes)
            }
        }
    }

    static func values(
        _ field: FieldSchema, _ count: Int, _ random: inout WireRandom
    ) -> [RowValue] {
        let nullPercent = field.isNullable ? random.pick([0, 30, 100]) : 0
        // Timestamps and geometries have two encodings, one per column.
        let isText = random.chance(50)
        return (0..<count).map { _ in
            random.chance(nullPercent) ? .null : value(field, isText: isText, &random)
        }
    }

    static func value(
        _ field: FieldSchema, isText: Bool, _ random: inout WireRandom
    ) -> RowValue {
        let dimension = field.dimension ?? 0
        switch field.type {
        case .timestamptz where !isText: return .int(Int64(bitPattern: random.next()))
        case .geometry where !isText: return .bytes([0xFF] + random.bytes(0...9))
        case .timestamptz, .geometry: return .text(random.text())
        case .array:
            guard let element = field.elementType else { return .list([]) }
            return .list((0..<random.int(0...4)).map { _ in scalar(element, &random) })
        case .json, .sparseFloatVector: return .bytes(random.bytes(0...20))
        case .floatVector: return .list((0..<dimension).map { _ in scalar(.float, &random) })
        case .binaryVector: return .bytes(random.bytes(dimension / 8...dimension / 8))
        case .float16Vector, .bfloat16Vector:
            return .bytes(random.bytes(dimension * 2...dimension * 2))
        case .int8Vector: return .bytes(random.bytes(dimension...dimension))
        default: return scalar(field.type, &random)
        }
    }

    private static func scalar(_ type: DataType, _ random: inout WireRandom) -> RowValue {
        let bits = random.chance(20) ? 0 : random.next()
        return switch type {
        case .bool: .bool(bits & 1 == 1)
        case .int8: .int(Int64(Int8(truncatingIfNeeded: bits)))
        case .int16: .int(Int64(Int16(truncatingIfNeeded: bits)))
        case .int32: .int(Int64(Int32(truncatingIfNeeded: bits)))
        case .int64: .int(Int64(bitPattern: bits))
        case .float: .float(UInt32(truncatingIfNeeded: bits))
        case .double: .double(bits)
        default: .text(random.text())
        }
    }
}

extension RowValue {
    var key: PrimaryKey? {
        switch self {
        case .int(let number): .int64(number)
        case .bytes(let bytes): .varchar(bytes)
        default: nil
        }
    }
}
