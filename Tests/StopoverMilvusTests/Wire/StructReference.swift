import MilvusProto
import StopoverCore

@testable import StopoverMilvus

/// What struct arrays and arrays of vectors mean, by way of swift-protobuf. The row of a struct
/// array is a list of its sub-fields' rows, in the schema's order.
extension Reference {
    /// Throws when sub-fields are missing or too many, or differ in rows, nulls or elements.
    static func structRows(_ column: MilvusFieldData, _ field: FieldSchema) throws -> [RowValue] {
        guard column.type == DataType.arrayOfStruct.rawValue else {
            throw ReferenceError("another type")
        }
        let subs: [MilvusFieldData]
        switch column.field {
        case .structArrays(let structs): subs = structs.fields
        case nil: subs = []
        default: throw ReferenceError("values that are not structs")
        }
        guard !subs.isEmpty else { return [] }
        var rows: [[RowValue]] = []
        for sub in field.structFields {
            let names = [sub.name, "\(field.name)[\(sub.name)]"]
            let found = subs.filter { names.contains($0.fieldName) }
            guard found.count == 1 else { throw ReferenceError("\(found.count) of \(sub.name)") }
            var own = found[0]
            if try flags(own).isEmpty { own.validData = column.validData }
            guard try column.validData.isEmpty || flags(own) == column.validData else {
                throw ReferenceError("flags of the struct that disagree with the sub-field's")
            }
            rows.append(try Reference.rows(own, sub))
        }
        guard subs.count == rows.count else { throw ReferenceError("a sub-field of no schema") }
        guard Set(rows.map(\.count)).count == 1 else { throw ReferenceError("rows disagree") }
        return try rows[0].indices.map { row in
            let values = rows.map { $0[row] }
            if values.allSatisfy({ $0 == .null }) { return .null }
            guard !values.contains(.null) else { throw ReferenceError("nulls disagree") }
            guard Set(values.map(\.elements.count)).count == 1 else {
                throw ReferenceError("elements disagree")
            }
            return .list(values)
        }
    }

    static func vectorRows(_ array: MilvusVectorArray, _ field: FieldSchema) throws -> [RowValue] {
        guard let element = field.elementType, field.type == .arrayOfVector else {
            throw ReferenceError("vector rows in \(field.type)")
        }
        let dimension = field.dimension ?? 0
        guard array.dim == 0 || array.dim == dimension else { throw ReferenceError("dimension") }
        return try array.data.map { row in
            guard row.dim == 0 || row.dim == dimension, row.validData.isEmpty else {
                throw ReferenceError("dimension or flags of a row")
            }
            return .list(try row.data.map { try vector($0, element, dimension) } ?? [])
        }
    }

    /// What an Insert wants of a struct array beyond its rows.
    static func structFault(
        _ structs: MilvusStructArrayField, _ field: FieldSchema
    ) throws -> String? {
        let names = structs.fields.map(\.fieldName)
        if names != field.structFields.map(\.name) { return "sub-fields \(names)" }
        if Set(structs.fields.map(\.validData)).count > 1 { return "flags of sub-fields" }
        for (column, sub) in zip(structs.fields, field.structFields) {
            if let fault = try normalFormFault(column, sub) { return "\(sub.name): \(fault)" }
        }
        return nil
    }

    static func vectorRowsFault(_ vectors: MilvusVectorField, _ field: FieldSchema) -> String? {
        if !vectors.validData.isEmpty { return "inner flags" }
        if vectors.dim != field.dimension ?? 0 { return "dimension" }
        guard case .vectorArray(let array)? = vectors.data else { return "no vector array" }
        if array.elementType != field.elementType?.rawValue { return "element type" }
        if array.dim != vectors.dim { return "inner dimension" }
        return array.data.contains { $0.data == nil } ? "an untyped vector row" : nil
    }
}

/// A reply with struct arrays, of a server that never was.
struct StructReply: Sendable {
    var fields: [FieldSchema]
    var rows: [String: [RowValue]] = [:]
    var bytes: [UInt8]

    static let scalarElements: [DataType] = [
        .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar,
    ]
    static let vectorElements: [DataType] = [
        .floatVector, .binaryVector, .float16Vector, .bfloat16Vector, .int8Vector,
    ]

    init(seed: UInt64, rowCount: Int) {
        var random = WireRandom(seed: seed)
        var key = FieldSchema(name: "key", type: .int64)
        key.isPrimaryKey = true
        let structs = (0...random.int(0...1)).map { StructReply.field("s\($0)", &random) }
        fields = [key] + structs
        let keys = (0..<rowCount).map { RowValue.int(Int64($0) * 3 - 5) }
        rows[key.name] = keys
        var columns = [ColumnWriter.column(key, keys, &random)]
        for field in structs {
            let nullPercent = field.isNullable ? random.pick([0, 40, 100]) : 0
            let values = (0..<rowCount).map { _ in
                random.chance(nullPercent) ? .null : StructReply.row(field, &random)
            }
            rows[field.name] = values
            columns.append(StructReply.column(field, values, &random))
        }
        columns.shuffle(using: &random)
        bytes = WireWriter.message { for column in columns { $0.bytes(2, column) } }
    }

    private static func field(_ name: String, _ random: inout WireRandom) -> FieldSchema {
        var field = FieldSchema(name: name, type: .arrayOfStruct)
        field.isNullable = random.chance(50)
        field.structFields = (0...random.int(0...3)).map { index in
            let isVector = random.chance(50)
            var sub = FieldSchema(name: "f\(index)", type: isVector ? .arrayOfVector : .array)
            sub.elementType = random.pick(isVector ? vectorElements : scalarElements)
            if isVector { sub.typeParams["dim"] = String(random.pick([8, 16])) }
            sub.isNullable = field.isNullable
            return sub
        }
        return field
    }

    /// As many elements in each sub-field.
    private static func row(_ field: FieldSchema, _ random: inout WireRandom) -> RowValue {
        let count = random.pick([0, 0, 1, 2, 5])
        return .list(
            field.structFields.map { sub in
                var element = FieldSchema(name: "", type: sub.elementType ?? .bool)
                element.typeParams = sub.typeParams
                return .list(
                    (0..<count).map { _ in
                        GeneratedReply.value(element, isText: false, &random)
                    })
            })
    }

    private static func column(
        _ field: FieldSchema, _ rows: [RowValue], _ random: inout WireRandom
    ) -> [UInt8] {
        var subs = field.structFields.enumerated().map { index, sub in
            var sub = sub
            let values = rows.map { $0 == .null ? .null : $0.elements[index] }
            if random.chance(50) { sub.name = "\(field.name)[\(sub.name)]" }
            let column =
                sub.type == .array
                ? ColumnWriter.column(sub, values, &random) : vectors(sub, values, &random)
            return WireWriter.message { $0.bytes(1, column) }
        }
        if random.chance(20) { subs.append(WireWriter.message { $0.unknown(&random) }) }
        subs.shuffle(using: &random)
        let joined = Array(subs.joined())
        let id = UInt64(random.int(1...200))
        var parts = [
            WireWriter.message { $0.varint(1, 200) },
            WireWriter.message { $0.text(2, field.name) },
            WireWriter.message { $0.bytes(8, joined) },
            WireWriter.message { $0.varint(5, id) },
        ]
        parts.shuffle(using: &random)
        return Array(parts.joined())
    }

    private static func vectors(
        _ field: FieldSchema, _ rows: [RowValue], _ random: inout WireRandom
    ) -> [UInt8] {
        let isDense = random.chance(50)
        let dimension = UInt64(field.dimension ?? 0)
        var array: [[UInt8]] = []
        for row in rows where isDense || row != .null {
            var parts: [[UInt8]] = []
            if random.chance(80) { parts.append(WireWriter.message { $0.varint(1, dimension) }) }
            if !row.elements.isEmpty || random.chance(40) { parts.append(data(field, row)) }
            parts.shuffle(using: &random)
            let joined = Array(parts.joined())
            array.append(WireWriter.message { $0.bytes(2, joined) })
        }
        if random.chance(80) { array.insert(WireWriter.message { $0.varint(1, dimension) }, at: 0) }
        let element = UInt64(field.elementType?.rawValue ?? 0)
        let last = WireWriter.message { $0.varint(3, element) }
        if random.chance(80) { array.insert(last, at: random.int(0...array.count)) }
        let joined = Array(array.joined())

        let hasFlags = rows.contains(.null) || (field.isNullable && random.chance(50))
        let place = hasFlags ? random.pick([7, 9]) : 0
        let flags = rows.map { $0 == .null ? UInt8(0) : 1 }
        return WireWriter.message {
            $0.varint(1, UInt64(DataType.arrayOfVector.rawValue))
            $0.text(2, field.name)
            $0.varint(5, 103)
            if place == 7 { $0.bytes(7, flags) }
            $0.message(4) {
                $0.varint(1, dimension)
                $0.bytes(8, joined)
                if place == 9 { $0.bytes(9, flags) }
            }
        }
    }

    /// The `oneof` of a VectorField, with a row's vectors.
    private static func data(_ field: FieldSchema, _ row: RowValue) -> [UInt8] {
        let numbers: [DataType: Int] = [
            .binaryVector: 3, .float16Vector: 4, .bfloat16Vector: 5, .int8Vector: 7,
        ]
        return WireWriter.message {
            if field.elementType == .floatVector {
                let floats = row.elements.flatMap(\.elements).flatMap(\.rawBytes)
                $0.message(2) { if !floats.isEmpty { $0.bytes(1, floats) } }
            } else {
                let number = field.elementType.flatMap { numbers[$0] } ?? 0
                $0.bytes(number, row.elements.flatMap(\.rawBytes))
            }
        }
    }
}
