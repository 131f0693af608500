import StopoverCore

/// Rows of which some do not fit their field, by a little or by far.
enum NastyRows {
    static let types: [DataType] = [
        .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .text, .json, .array,
        .geometry, .timestamptz, .floatVector, .float16Vector, .bfloat16Vector, .binaryVector,
        .int8Vector, .sparseFloatVector,
    ]

    static func field(_ type: DataType, _ random: inout WireRandom) -> FieldSchema {
        var field = GeneratedReply.field("f", type, &random)
        switch type {
        case .varchar: field.typeParams["max_length"] = "\(random.int(1...30))"
        case .array:
            field.typeParams["max_capacity"] = "\(random.int(0...6))"
            if random.chance(70) { field.typeParams["max_length"] = "\(random.int(1...30))" }
        case .json: field.isDynamic = random.chance(50)
        case .floatVector, .float16Vector, .bfloat16Vector:
            field.typeParams["dim"] = "\(random.int(1...70))"
        default: break
        }
        if random.chance(15) { field.defaultValue = .bool(true) }
        return field
    }

    static func rows(_ field: FieldSchema, _ random: inout WireRandom) -> [RowValue] {
        let nullPercent = random.pick([0, 0, 20, 100])
        let nastyPercent = random.pick([0, 0, 10, 60])
        let isText = random.chance(50)
        return (0..<random.int(0...25)).map { _ in
            if random.chance(nullPercent) { return .null }
            return value(field, isText: isText, isNasty: random.chance(nastyPercent), &random)
        }
    }

    private static func value(
        _ field: FieldSchema, isText: Bool, isNasty: Bool, _ random: inout WireRandom
    ) -> RowValue {
        let plain = GeneratedReply.value(field, isText: isText, &random)
        switch field.type {
        case .int8, .int16, .int32: return isNasty ? integer(&random) : plain
        case .float: return .float(float(isNasty, &random))
        case .double: return .double(double(isNasty, &random))
        case .floatVector:
            let count = field.dimension ?? 0
            let place = isNasty ? random.int(0...count - 1) : -1
            return .list((0..<count).map { .float(float($0 == place, &random)) })
        case .float16Vector, .bfloat16Vector:
            let bits = field.type == .float16Vector ? 5 : 8
            return .bytes(halves(field.dimension ?? 0, bits, isNasty, &random))
        case .sparseFloatVector: return .bytes(sparse(isNasty, &random))
        case .varchar, .text: return isNasty ? .bytes(text(&random)) : plain
        case .timestamptz where isText, .geometry where isText:
            return isNasty ? .bytes([0x41, 0xC3]) : plain
        case .json: return .bytes(json(isObject: field.isDynamic, isNasty, &random))
        case .array:
            guard isNasty else { return plain }
            return .list(
                plain.elements.map { element in
                    switch field.elementType {
                    case .int8?, .int16?, .int32?: integer(&random)
                    case .varchar?: .bytes(text(&random))
                    default: element
                    }
                })
        default: return plain
        }
    }

    private static func integer(_ random: inout WireRandom) -> RowValue {
        let edge = random.pick([
            Int64(Int8.min), Int64(Int8.max), Int64(Int16.min), Int64(Int16.max), Int64(Int32.min),
            Int64(Int32.max), 0,
        ])
        if random.chance(10) { return .int(random.pick([.min, .max, 0xFFFF_FFFF])) }
        return .int(edge + Int64(random.int(-1...1)))
    }

    private static func float(_ isNasty: Bool, _ random: inout WireRandom) -> UInt32 {
        let bits = UInt32(truncatingIfNeeded: random.next())
        if isNasty {
            return random.pick([0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, bits | 0x7F80_0000])
        }
        // Finite, up to the greatest.
        return random.pick([bits & 0xBFFF_FFFF, 0x7F7F_FFFF, 0xFF7F_FFFF, 0x8000_0000, 1])
    }

    private static func double(_ isNasty: Bool, _ random: inout WireRandom) -> UInt64 {
        let bits = random.next()
        if isNasty { return bits | 0x7FF0_0000_0000_0000 }
        return random.pick([bits & 0xBFFF_FFFF_FFFF_FFFF, 0x7FEF_FFFF_FFFF_FFFF, 0])
    }

    private static func halves(
        _ count: Int, _ exponentBits: Int, _ isNasty: Bool, _ random: inout WireRandom
    ) -> [UInt8] {
        let exponent = UInt16((1 << exponentBits) - 1) << UInt16(15 - exponentBits)
        let lowest = UInt16(1) << UInt16(15 - exponentBits)
        let place = isNasty ? random.int(0...count - 1) : -1
        return (0..<count).flatMap { index in
            let bits = UInt16(truncatingIfNeeded: random.next())
            let isFinite = bits & exponent != exponent
            let number = index == place ? bits | exponent : isFinite ? bits : bits & ~lowest
            return number.littleEndianBytes
        }
    }

    private static func sparse(_ isNasty: Bool, _ random: inout WireRandom) -> [UInt8] {
        let count = random.int(0...5)
        var indexes: Set<UInt32> = []
        while indexes.count < count {
            indexes.insert(
                random.chance(10)
                    ? .max - 1 : UInt32(truncatingIfNeeded: random.next() >> 40))
        }
        var ascending = indexes.sorted()
        var values: [UInt32] = ascending.map { _ in
            random.pick([0, 0x8000_0000, 0x3F80_0000, 0x7F7F_FFFF, 1])
        }
        guard isNasty else { return pairs(ascending, values) }
        switch random.int(0...3) {
        case 0: return Array(pairs(ascending, values) + [0]).dropLast(random.pick([0, 2, 5]))
        case 1 where count > 0:
            values[random.int(0...count - 1)] = random.pick([
                0x7F80_0000, 0x7FC0_0000, 0xFFC0_0000, 0xFF80_0000, 0xBF80_0000, 0x8000_0001,
            ])
        case 2 where count > 0:
            ascending.append(random.pick([ascending[count - 1], .max, 0]))
            values.append(0)
        default:
            ascending.append(.max)
            values.append(0)
        }
        return pairs(ascending, values)
    }

    private static func pairs(_ indexes: [UInt32], _ values: [UInt32]) -> [UInt8] {
        zip(indexes, values).flatMap { $0.littleEndianBytes + $1.littleEndianBytes }
    }

    /// Long, or not UTF-8, or both, or neither.
    private static func text(_ random: inout WireRandom) -> [UInt8] {
        var bytes = Array((random.text() + random.text()).utf8)
        if random.chance(50), !bytes.isEmpty {
            bytes[random.int(0...bytes.count - 1)] = UInt8(truncatingIfNeeded: random.next())
        }
        return bytes
    }

    // MARK: JSON

    private static func json(
        isObject: Bool, _ isNasty: Bool, _ random: inout WireRandom
    ) -> [UInt8] {
        var bytes = Array(
            (isObject && !(isNasty && random.chance(20))
                ? object(3, &random) : value(3, &random)).utf8)
        guard isNasty else { return bytes }
        for _ in 0..<random.int(0...2) where !bytes.isEmpty {
            let place = random.int(0...bytes.count - 1)
            switch random.int(0...3) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(random.pick(Array("{}[],:\"\\0-.eE+ tu\u{1}".utf8)), at: place)
            case 2: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            default: bytes.removeLast(random.int(0...min(3, bytes.count)))
            }
        }
        return bytes
    }

    private static func value(_ depth: Int, _ random: inout WireRandom) -> String {
        let space = random.pick(["", "", "", " ", "\n\t", "\r "])
        let values = [
            "true", "false", "null", "0", "-0", "12", "-3.25", "1e9", "2.5E-3", "6e+1", "\"\"",
            "\"é\\u00e9\\\"\\\\\\/\\b\\f\\n\\r\\t👍🏽\"", "\"\\ud800\"", "\"plain\"",
        ]
        guard depth > 0, random.chance(50) else { return space + random.pick(values) + space }
        if random.chance(50) { return space + object(depth, &random) + space }
        let items = (0..<random.int(0...3)).map { _ in value(depth - 1, &random) }
        return space + "[" + items.joined(separator: ",") + (items.isEmpty ? space : "") + "]"
    }

    private static func object(_ depth: Int, _ random: inout WireRandom) -> String {
        let items = (0..<random.int(0...3)).map { _ in
            let keys = ["a", "b", "", "é", "\\n", "$meta", "$metal", "$met"]
            let key = random.chance(90) ? random.pick(Array(keys.prefix(5))) : random.pick(keys)
            return random.pick(["", " "]) + "\"\(key)\"" + random.pick(["", " "]) + ":"
                + value(depth - 1, &random)
        }
        return "{" + items.joined(separator: ",") + (items.isEmpty ? random.pick(["", " "]) : "")
            + "}"
    }
}
