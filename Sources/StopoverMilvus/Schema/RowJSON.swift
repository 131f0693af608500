import Foundation
import MilvusProto
import StopoverCore
import SwiftProtobuf

extension FieldDataCodec {
    /// By way of the generated messages: these are the few rows that a person will look at.
    public func json(_ rows: [Int], of batch: Batch) throws(StopoverError) -> [[UInt8]] {
        var isKept = [Bool](repeating: false, count: batch.rowCount)
        for row in rows where isKept.indices.contains(row) { isKept[row] = true }
        let kept = try keeping(isKept, of: batch)
        var lines = [String](repeating: "", count: kept.rowCount)
        for column in kept.columns {
            let values: [String]
            do {
                let message = try MilvusFieldData(
                    serializedBytes: column.head + column.payload + column.tail)
                values = RowJSON.values(message, column.type, rowCount: kept.rowCount)
            } catch {
                throw FieldDataCodec.refuse("column \(column.name): \(error)")
            }
            for row in lines.indices {
                let comma = lines[row].isEmpty ? "" : ","
                lines[row] += "\(comma)\(column.name.jsonQuoted):\(values[row])"
            }
        }
        return lines.map { Array("{\($0)}".utf8) }
    }
}

/// Values as JSON that people read and programs can restore: int64 as whole numbers, floats in as
/// many digits as they need, bytes in base64, sparse vectors by index, JSON as it is.
enum RowJSON {
    /// One text for each row, `null` where the value is null.
    static func values(
        _ message: MilvusFieldData, _ type: DataType, rowCount: Int
    ) -> [String] {
        let present: [String]
        switch type {
        case .arrayOfStruct: present = structs(message, rowCount: rowCount)
        case _ where type.isVector: present = vectors(message.vectors, type)
        default: present = scalars(message.scalars)
        }
        var values: [String] = []
        var next = present.makeIterator()
        for row in 0..<rowCount {
            let isPresent = message.validData.isEmpty || message.validData[row]
            values.append((isPresent ? next.next() : nil) ?? "null")
        }
        return values
    }

    private static func scalars(_ field: MilvusScalarField) -> [String] {
        switch field.data {
        case .boolData(let values): values.data.map { "\($0)" }
        case .intData(let values): values.data.map { "\($0)" }
        case .longData(let values): values.data.map { "\($0)" }
        case .floatData(let values): values.data.map { JSONText.text($0) }
        case .doubleData(let values): values.data.map { JSONText.text($0) }
        case .stringData(let values): values.data.map(\.jsonQuoted)
        case .bytesData(let values): values.data.map(base64)
        case .jsonData(let values): values.data.map(json)
        case .arrayData(let values):
            values.data.map { "[\(scalars($0).joined(separator: ","))]" }
        case .timestamptzData(let values): values.data.map { "\($0)" }
        case .geometryData(let values): values.data.map(base64)
        case .geometryWktData(let values): values.data.map(\.jsonQuoted)
        case nil: []
        }
    }

    /// What is no UTF-8 is no JSON either.
    private static func json(_ data: Data) -> String {
        String(data: data, encoding: .utf8).map { $0.isEmpty ? "null" : $0 } ?? base64(data)
    }

    private static func base64(_ data: Data) -> String {
        "{\"base64\":\(data.base64EncodedString().jsonQuoted)}"
    }

    private static func vectors(_ field: MilvusVectorField, _ type: DataType) -> [String] {
        let dimension = Int(field.dim)
        switch field.data {
        case .floatVector(let values):
            return chunks(values.data, dimension).map { list($0.map { JSONText.text($0) }) }
        case .float16Vector(let bytes):
            return chunks(Array(bytes), dimension * 2).map { row in
                list(halves(row).map { JSONText.text(Float(Float16(bitPattern: $0))) })
            }
        case .bfloat16Vector(let bytes):
            return chunks(Array(bytes), dimension * 2).map { row in
                list(halves(row).map { JSONText.text(Float(bitPattern: UInt32($0) << 16)) })
            }
        case .int8Vector(let bytes):
            return chunks(Array(bytes), dimension).map { row in
                list(row.map { "\(Int8(bitPattern: $0))" })
            }
        case .binaryVector(let bytes):
            return chunks(Array(bytes), (dimension + 7) / 8).map { base64(Data($0)) }
        case .sparseFloatVector(let values): return values.contents.map(sparse)
        case .vectorArray(let values):
            return values.data.map { list(vectors($0, type)) }
        case nil: return []
        }
    }

    private static func sparse(_ data: Data) -> String {
        let members = chunks(Array(data), 8).filter { $0.count == 8 }.map { pair in
            let index = pair.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let bits = pair.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return "\"\(index)\":\(JSONText.text(Float(bitPattern: bits)))"
        }
        return "{\(members.joined(separator: ","))}"
    }

    /// An object a row, with the rows of each sub-field.
    private static func structs(_ message: MilvusFieldData, rowCount: Int) -> [String] {
        let columns = message.structArrays.fields.map { field in
            let type = DataType(rawValue: field.type) ?? .array
            return (field.fieldName, values(field, type, rowCount: rowCount))
        }
        return (0..<rowCount).map { row in
            let members = columns.map { "\($0.0.jsonQuoted):\($0.1[row])" }
            return "{\(members.joined(separator: ","))}"
        }
    }

    private static func halves(_ bytes: ArraySlice<UInt8>) -> [UInt16] {
        chunks(bytes, 2).filter { $0.count == 2 }.map {
            UInt16($0[$0.startIndex]) | UInt16($0[$0.startIndex + 1]) << 8
        }
    }

    private static func list(_ values: [String]) -> String {
        "[\(values.joined(separator: ","))]"
    }

    private static func chunks<Values: RandomAccessCollection>(
        _ values: Values, _ width: Int
    ) -> [Values.SubSequence] where Values.Index == Int {
        guard width > 0 else { return [] }
        return stride(from: values.startIndex, to: values.endIndex, by: width).map {
            values[$0..<min($0 + width, values.endIndex)]
        }
    }
}
