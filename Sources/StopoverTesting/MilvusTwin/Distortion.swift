import MilvusProto
import StopoverCore
import SwiftProtobuf

extension MilvusTwin {
    /// What is wrong with a reply to a call that was carried out. A reply that it does not concern, of
    /// another method or without rows, stays as it is.
    public enum Distortion: String, Sendable, CaseIterable {
        /// An Insert names a key less, though it counts every row.
        case idMissing = "id-missing"
        case idTooMany = "id-too-many"
        /// Keys as texts where they are numbers, and the other way round.
        case idType = "id-type"
        /// The last row gets the key of the first.
        case idTwice = "id-twice"
        /// A Query lacks its last column.
        case columnMissing = "column-missing"
        /// The last column has a value less than the others.
        case columnShort = "column-short"
        /// Every vector says that it has an element more.
        case dimension
    }
}

extension MilvusTwin.Distortion {
    func distorted(_ reply: [UInt8], of method: TwinMethod) throws -> [UInt8] {
        switch self {
        case .idMissing, .idTooMany, .idType, .idTwice:
            guard method == .insert || method == .upsert else { return reply }
            var result = try MilvusMutationResult(serializedBytes: reply)
            distort(&result.ids)
            return try result.serializedBytes()
        case .columnMissing, .columnShort, .dimension:
            guard method == .query else { return reply }
            var results = try MilvusQueryResults(serializedBytes: reply)
            distort(&results.fieldsData)
            return try results.serializedBytes()
        }
    }

    private func distort(_ ids: inout MilvusIDs) {
        switch ids.idField {
        case .intID(let list)?:
            var data = list.data
            guard self != .idType else {
                ids.strID.data = data.map { String($0) }
                return
            }
            distort(&data, other: Int64.max)
            ids.intID.data = data
        case .strID(let list)?:
            var data = list.data
            guard self != .idType else {
                ids.intID.data = data.indices.map { Int64($0) }
                return
            }
            distort(&data, other: "one too many")
            ids.strID.data = data
        case nil: return
        }
    }

    private func distort<ID>(_ ids: inout [ID], other: ID) {
        guard let first = ids.first else { return }
        switch self {
        case .idMissing: ids.removeLast()
        case .idTooMany: ids.append(other)
        case .idTwice: ids[ids.count - 1] = first
        default: break
        }
    }

    private func distort(_ columns: inout [MilvusFieldData]) {
        guard let last = columns.indices.last else { return }
        switch self {
        case .columnMissing: columns.remove(at: last)
        case .columnShort: shorten(&columns[last])
        case .dimension:
            for index in columns.indices where columns[index].vectors.dim > 0 {
                columns[index].vectors.dim += 1
            }
        default: break
        }
    }

    private func shorten(_ column: inout MilvusFieldData) {
        if !column.validData.isEmpty { column.validData.removeLast() }
        switch column.field {
        case .scalars(let scalars)?:
            switch scalars.data {
            case .boolData(let list)?: column.scalars.boolData.data = list.data.dropLast()
            case .intData(let list)?: column.scalars.intData.data = list.data.dropLast()
            case .longData(let list)?: column.scalars.longData.data = list.data.dropLast()
            case .floatData(let list)?: column.scalars.floatData.data = list.data.dropLast()
            case .doubleData(let list)?: column.scalars.doubleData.data = list.data.dropLast()
            case .stringData(let list)?: column.scalars.stringData.data = list.data.dropLast()
            case .jsonData(let list)?: column.scalars.jsonData.data = list.data.dropLast()
            case .arrayData(let list)?: column.scalars.arrayData.data = list.data.dropLast()
            default: break
            }
        case .vectors(let vectors)?:
            if case .floatVector(let list)? = vectors.data {
                column.vectors.floatVector.data = list.data.dropLast(Int(vectors.dim))
            }
        default: break
        }
    }
}
