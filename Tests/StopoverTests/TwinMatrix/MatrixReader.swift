import Foundation
import MilvusProto

/// The rows of Insert requests, by way of swift-protobuf alone: nothing here walks bytes.
struct MatrixReader {
    struct Unreadable: Error, CustomStringConvertible {
        var description: String
    }

    /// By key, then by field: the row's own FieldData, with one value and at most one flag,
    /// serialized. Everything that a column says stands in each of its rows.
    private(set) var rows: [Int64: [String: [UInt8]]] = [:]

    init(_ requests: [MilvusInsertRequest], key: String) throws {
        for request in requests {
            let count = Int(request.numRows)
            guard
                let keys = request.fieldsData.first(where: { $0.fieldName == key })?
                    .scalars.longData.data, keys.count == count
            else { throw Unreadable(description: "no \(count) keys") }
            var read = keys.map { _ in [String: [UInt8]]() }
            for column in request.fieldsData {
                for (row, one) in try MatrixReader.split(column, count).enumerated() {
                    read[row][one.fieldName] = try one.serializedBytes()
                }
            }
            for (key, row) in zip(keys, read) where rows.updateValue(row, forKey: key) != nil {
                throw Unreadable(description: "row \(key) came twice")
            }
        }
    }

    /// The first difference in a field, in words; nil when there is none.
    func difference(from other: MatrixReader, in field: String) -> String? {
        guard rows.keys.sorted() == other.rows.keys.sorted() else {
            return "\(rows.count) rows instead of \(other.rows.count), or other keys"
        }
        for (key, row) in rows.sorted(by: { $0.key < $1.key }) {
            let wanted = other.rows[key]?[field]
            if row[field] == nil || row[field] != wanted {
                return "row \(key): \(hex(row[field])), not \(hex(wanted))"
            }
        }
        return nil
    }

    private func hex(_ bytes: [UInt8]?) -> String {
        bytes?.prefix(100).map { String(format: "%02x", $0) }.joined() ?? "nothing"
    }

    // MARK: Columns to rows

    private static func split(_ column: MilvusFieldData, _ count: Int) throws -> [MilvusFieldData] {
        if case .structArrays(let structs)? = column.field {
            let subs = try structs.fields.map { try split($0, count) }
            return (0..<count).map { row in
                var one = column
                one.structArrays.fields = subs.map { $0[row] }
                return one
            }
        }
        let flags = column.validData
        guard flags.isEmpty || flags.count == count else {
            throw Unreadable(description: "\(flags.count) flags for \(count) rows")
        }
        let present = flags.isEmpty ? count : flags.count(where: \.self)
        var values = try self.values(column, present)[...]
        guard values.count == present else {
            throw Unreadable(
                description: "\(values.count) values of \(column.fieldName) for \(present) rows")
        }
        return (0..<count).map { row in
            var one = column
            one.validData = flags.isEmpty ? [] : [flags[row]]
            one.field = flags.isEmpty || flags[row] ? values.popFirst() : nil
            return one
        }
    }

    private typealias Value = MilvusFieldData.OneOf_Field

    private static func values(_ column: MilvusFieldData, _ count: Int) throws -> [Value] {
        switch column.field {
        case .scalars(let scalars)?: try self.scalars(scalars).map { .scalars($0) }
        case .vectors(let vectors)?: try self.vectors(vectors, count).map { .vectors($0) }
        default: throw Unreadable(description: "no values in \(column.fieldName)")
        }
    }

    private static func scalars(_ field: MilvusScalarField) throws -> [MilvusScalarField] {
        /// Once a value, the field with that alone.
        func each<Element>(
            _ values: [Element], _ path: WritableKeyPath<MilvusScalarField, [Element]>
        ) -> [MilvusScalarField] {
            values.map { value in
                var one = field
                one[keyPath: path] = [value]
                return one
            }
        }
        switch field.data {
        case .boolData(let array)?: return each(array.data, \.boolData.data)
        case .intData(let array)?: return each(array.data, \.intData.data)
        case .longData(let array)?: return each(array.data, \.longData.data)
        case .floatData(let array)?: return each(array.data, \.floatData.data)
        case .doubleData(let array)?: return each(array.data, \.doubleData.data)
        case .stringData(let array)?: return each(array.data, \.stringData.data)
        case .arrayData(let array)?: return each(array.data, \.arrayData.data)
        case .jsonData(let array)?: return each(array.data, \.jsonData.data)
        case .geometryWktData(let array)?: return each(array.data, \.geometryWktData.data)
        default: throw Unreadable(description: "scalars of a kind that was not seeded")
        }
    }

    private static func vectors(
        _ field: MilvusVectorField, _ count: Int
    ) throws -> [MilvusVectorField] {
        let dimension = Int(field.dim)
        func each<Values: RangeReplaceableCollection>(
            _ values: Values, width: Int, _ path: WritableKeyPath<MilvusVectorField, Values>
        ) throws -> [MilvusVectorField] {
            guard values.count == count * width else {
                throw Unreadable(
                    description: "\(values.count) for \(count) vectors of \(dimension)")
            }
            return (0..<count).map { row in
                let start = values.index(values.startIndex, offsetBy: row * width)
                var one = field
                one[keyPath: path] = Values(values[start...].prefix(width))
                return one
            }
        }
        switch field.data {
        case .floatVector(let array)?:
            return try each(array.data, width: dimension, \.floatVector.data)
        case .binaryVector(let bytes)?:
            return try each(bytes, width: dimension / 8, \.binaryVector)
        case .float16Vector(let bytes)?:
            return try each(bytes, width: 2 * dimension, \.float16Vector)
        case .bfloat16Vector(let bytes)?:
            return try each(bytes, width: 2 * dimension, \.bfloat16Vector)
        case .int8Vector(let bytes)?: return try each(bytes, width: dimension, \.int8Vector)
        case .sparseFloatVector(let array)?:
            return try each(array.contents, width: 1, \.sparseFloatVector.contents)
        case .vectorArray(let array)?: return try each(array.data, width: 1, \.vectorArray.data)
        case nil: throw Unreadable(description: "vectors of no kind")
        }
    }
}
