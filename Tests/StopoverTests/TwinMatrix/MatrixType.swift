import Foundation
import MilvusProto
import StopoverCore
import SwiftProtobuf

/// A row of the table: a type of field, and how its values are written as messages.
struct MatrixType: Sendable {
    static let dimension = 16
    static let capacity = 4096
    static let structCapacity = 64
    static let longest = 65_535

    var name: String
    var type: DataType
    var element: DataType?
    var isDynamic = false
    var isSubField = false
    /// The sub-fields of a struct array.
    var subs: [MatrixType] = []

    static let scalars: [DataType] = [
        .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar,
    ]
    static let denseVectors: [DataType] = [
        .floatVector, .float16Vector, .bfloat16Vector, .binaryVector, .int8Vector,
    ]
    static let all: [MatrixType] =
        scalars.map { MatrixType(name: $0.words, type: $0) }
        + [DataType.json, .geometry, .timestamptz].map { MatrixType(name: $0.words, type: $0) }
        + scalars.map { MatrixType(name: "array of \($0.words)", type: .array, element: $0) }
        + [MatrixType(name: "dynamic field", type: .json, isDynamic: true)]
        + denseVectors.map { MatrixType(name: $0.words, type: $0) }
        + [MatrixType(name: "sparse vector", type: .sparseFloatVector)]
        + [MatrixType(name: "text", type: .text)]
        + (scalars + denseVectors).map { structArray("array of struct of \($0.words)", [$0]) }
        + [
            structArray(
                "array of struct of several", [.int64, .varchar, .floatVector, .int8Vector])
        ]

    private static func structArray(_ name: String, _ elements: [DataType]) -> MatrixType {
        let subs = elements.map { element in
            MatrixType(
                name: "sub_\(element.words.replacing(" ", with: "_"))",
                type: element.isVector ? .arrayOfVector : .array, element: element, isSubField: true
            )
        }
        return MatrixType(name: name, type: .arrayOfStruct, subs: subs)
    }

    var fieldName: String {
        isSubField ? name : isDynamic ? "$meta" : "a_" + name.replacing(" ", with: "_")
    }
    /// The vector fields, as an index names them.
    var vectorFields: [String] {
        type.isVector
            ? [fieldName] : subs.filter { $0.type.isVector }.map { "\(fieldName)[\($0.name)]" }
    }

    // MARK: Schema

    func add(to schema: inout MilvusCollectionSchema, nullable: Bool) {
        if isDynamic {
            schema.enableDynamicField = true
        } else if type == .arrayOfStruct {
            schema.structArrayFields.append(
                .with { parent in
                    parent.name = fieldName
                    parent.nullable = nullable
                    parent.fields = subs.map { $0.field(nullable, MatrixType.structCapacity) }
                })
        } else {
            schema.fields.append(field(nullable))
        }
    }

    private func field(
        _ nullable: Bool, _ capacity: Int = MatrixType.capacity
    ) -> MilvusFieldSchema {
        .with {
            $0.name = fieldName
            $0.dataType = type.rawValue
            $0.elementType = element?.rawValue ?? 0
            $0.nullable = nullable
            if type == .array || type == .arrayOfVector {
                $0.typeParams.append(.pair("max_capacity", capacity))
            }
            if type == .varchar || element == .varchar {
                $0.typeParams.append(.pair("max_length", MatrixType.longest))
            }
            if type.isVector, type != .sparseFloatVector {
                $0.typeParams.append(.pair("dim", MatrixType.dimension))
            }
        }
    }

    // MARK: Columns

    /// Values as an Insert has them: compact, with a flag a row where the field is nullable.
    func column(_ cells: [MatrixCell?], nullable: Bool) throws -> MilvusFieldData {
        var data = MilvusFieldData()
        data.type = type.rawValue
        data.fieldName = fieldName
        data.isDynamic = isDynamic
        if type == .arrayOfStruct {
            data.structArrays.fields = try subs.indices.map { index in
                try subs[index].column(cells.map { $0?.subs[index] }, nullable: nullable)
            }
            return data
        }
        if nullable { data.validData = cells.map { $0 != nil } }
        if type.isVector {
            data.vectors = try emptyVector.joined(cells.compactMap { $0?.vector })
        } else {
            data.scalars = try emptyScalar.joined(cells.compactMap { $0?.scalar })
        }
        return data
    }

    private var emptyScalar: MilvusScalarField {
        .with {
            switch type {
            case .array:
                $0.arrayData = .with { $0.elementType = element?.rawValue ?? 0 }
            case .json: $0.jsonData = .init()
            case .geometry: $0.geometryWktData = .init()
            default: $0 = .empty(type)
            }
        }
    }

    private var emptyVector: MilvusVectorField {
        guard type == .arrayOfVector, let element else { return .empty(type) }
        return .with {
            $0.dim = Int64(MatrixType.dimension)
            $0.vectorArray.dim = $0.dim
            $0.vectorArray.elementType = element.rawValue
        }
    }
}

/// A value that is not null: one value in its field, or those of a struct array's sub-fields.
struct MatrixCell: Sendable {
    var scalar = MilvusScalarField()
    var vector = MilvusVectorField()
    var subs: [MatrixCell] = []
}

extension DataType {
    /// As the page names it: `int8 vector`.
    var words: String { milvusName.lowercased().replacing("_", with: " ") }
}

extension MilvusKeyValuePair {
    static func pair(_ key: String, _ value: some CustomStringConvertible) -> MilvusKeyValuePair {
        .with {
            $0.key = key
            $0.value = "\(value)"
        }
    }
}

extension MilvusScalarField {
    /// No value, of a type that arrays can hold too.
    static func empty(_ type: DataType) -> MilvusScalarField {
        .with {
            switch type {
            case .bool: $0.boolData = .init()
            case .int8, .int16, .int32: $0.intData = .init()
            case .int64: $0.longData = .init()
            case .float: $0.floatData = .init()
            case .double: $0.doubleData = .init()
            default: $0.stringData = .init()
            }
        }
    }

    /// With the values of these behind its own: messages one after the other are one message, whose
    /// repeated fields hold what both hold.
    func joined(_ others: [MilvusScalarField]) throws -> MilvusScalarField {
        var joined = self
        try joined.merge(serializedBytes: others.flatMap { try $0.serializedBytes() as [UInt8] })
        return joined
    }
}

extension MilvusVectorField {
    static func empty(_ type: DataType) -> MilvusVectorField {
        .with {
            $0.dim = type == .sparseFloatVector ? 0 : Int64(MatrixType.dimension)
            switch type {
            case .binaryVector: $0.binaryVector = Data()
            case .float16Vector: $0.float16Vector = Data()
            case .bfloat16Vector: $0.bfloat16Vector = Data()
            case .int8Vector: $0.int8Vector = Data()
            case .sparseFloatVector: $0.sparseFloatVector = .init()
            default: $0.floatVector = .init()
            }
        }
    }

    /// As of scalars; but byte strings replace one another in a message, and are joined by hand.
    func joined(_ others: [MilvusVectorField]) throws -> MilvusVectorField {
        var joined = self
        switch data {
        case .binaryVector?: joined.binaryVector = Data(others.flatMap(\.binaryVector))
        case .float16Vector?: joined.float16Vector = Data(others.flatMap(\.float16Vector))
        case .bfloat16Vector?: joined.bfloat16Vector = Data(others.flatMap(\.bfloat16Vector))
        case .int8Vector?: joined.int8Vector = Data(others.flatMap(\.int8Vector))
        default:
            try joined.merge(
                serializedBytes: others.flatMap { try $0.serializedBytes() as [UInt8] })
        }
        return joined
    }
}
