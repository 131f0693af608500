import MilvusProto
import StopoverCore
import SwiftProtobuf

/// How the values of a type lie on the wire.
enum TwinLayout: Sendable, Hashable {
    case varints
    case fixed(width: Int)
    /// `0A length bytes` each, `12 length bytes` in an array of vectors.
    case records
    /// The byte-string vectors, `width` bytes each, without a message of their own.
    case dense(width: Int)
}

/// A field with what a write and a read need of it, looked up once.
struct TwinField: Sendable {
    let schema: MilvusFieldSchema
    let type: DataType
    let layout: TwinLayout
    /// Number of the `oneof` of ScalarField or VectorField.
    let dataField: Int
    let dimension: Int?
    let maxLength: Int?
    /// What stands for a value that was not given; nil where there is no default.
    let defaultCell: [UInt8]?
    /// The struct array that it is a sub-field of; the name is `struct[sub]` then, as Milvus
    /// stores it (transformStructFieldNames in its proxy).
    let structName: String?

    var name: String { schema.name }
    var isNullable: Bool { schema.nullable }
    var isAutoKey: Bool { schema.isPrimaryKey && schema.autoID }

    var element: DataType? { DataType(rawValue: schema.elementType) }
    var maxCapacity: Int? { parameter("max_capacity") }
    /// Number of the field that repeats once a value.
    var recordField: Int { type == .arrayOfVector ? 2 : 1 }
    /// As a reply and a request name it, inside its struct array.
    var plainName: String {
        structName.map { String(name.dropFirst($0.count + 1).dropLast()) } ?? name
    }

    private func parameter(_ key: String) -> Int? {
        schema.typeParams.last { $0.key == key }.flatMap { Int($0.value) }
    }

    init(_ schema: MilvusFieldSchema, of structName: String? = nil) throws {
        guard let type = DataType(rawValue: schema.dataType) else {
            throw TwinRefusal.badParameter("data type \(schema.dataType) is not known")
        }
        let params = Dictionary(
            schema.typeParams.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        let dimension = params["dim"].flatMap { Int($0) }
        func width(_ bits: Int) throws -> Int {
            guard let dimension, dimension > 0, dimension <= 1 << 15 else {
                throw TwinRefusal.unexpected("dimension of field \(schema.name) is not valid")
            }
            return (dimension * bits + 7) / 8
        }
        if type == .arrayOfVector { _ = try width(1) }
        (layout, dataField) =
            switch type {
            case .bool: (.varints, 1)
            case .int8, .int16, .int32: (.varints, 2)
            case .int64: (.varints, 3)
            case .float: (.fixed(width: 4), 4)
            case .double: (.fixed(width: 8), 5)
            case .varchar, .text, .timestamptz: (.records, 6)
            case .array: (.records, 8)
            case .json: (.records, 9)
            case .geometry: (.records, 12)
            case .floatVector: (.fixed(width: try width(32)), 2)
            case .binaryVector: (.dense(width: try width(1)), 3)
            case .float16Vector: (.dense(width: try width(16)), 4)
            case .bfloat16Vector: (.dense(width: try width(16)), 5)
            case .sparseFloatVector: (.records, 6)
            case .int8Vector: (.dense(width: try width(8)), 7)
            case .arrayOfVector where structName != nil:
                (.records, 8)
            case .arrayOfVector, .arrayOfStruct, .structure:
                throw TwinRefusal.badParameter(
                    "\(type.milvusName) is no type of a field: \(schema.name)")
            }
        maxLength = params["max_length"].flatMap { Int($0) }
        if type == .varchar || (type == .array && schema.elementType == DataType.varchar.rawValue),
            maxLength == nil
        {
            throw TwinRefusal.unexpected(
                "type param(max_length) should be specified for varChar field of collection")
        }
        self.schema = schema
        self.type = type
        self.structName = structName
        self.dimension = dimension
        defaultCell =
            schema.hasDefaultValue ? TwinField.cell(schema.defaultValue) : nil
    }

    private static func cell(_ value: MilvusValueField) -> [UInt8]? {
        var cell: [UInt8] = []
        switch value.data {
        case .boolData(let value)?: cell.add(varint: value ? 1 : 0)
        case .intData(let value)?: cell.add(varint: UInt64(bitPattern: Int64(value)))
        case .longData(let value)?: cell.add(varint: UInt64(bitPattern: value))
        case .floatData(let value)?:
            withUnsafeBytes(of: value.bitPattern.littleEndian) { cell += $0 }
        case .doubleData(let value)?:
            withUnsafeBytes(of: value.bitPattern.littleEndian) { cell += $0 }
        case .stringData(let value)?: cell += Array(value.utf8)
        case .bytesData(let value)?: cell += Array(value)
        case .timestamptzData?, nil: return nil
        }
        return cell
    }
}

/// A collection's schema as it is described back, and its fields as rows need them.
struct TwinSchema: Sendable {
    /// With ids and marks that the server adds; the name is the collection's at creation.
    let message: MilvusCollectionSchema
    /// Those of the message, and `$meta` where dynamic keys are allowed.
    let fields: [TwinField]
    let key: Int

    var keyField: TwinField { fields[key] }
    var hasPartitionKey: Bool { fields.contains { $0.schema.isPartitionKey } }
    var dynamicField: Int? { fields.firstIndex { $0.schema.isDynamic } }

    init(_ given: MilvusCollectionSchema) throws {
        var message = given
        let outputs = Set(given.functions.flatMap(\.outputFieldNames))
        for index in message.fields.indices {
            // Servers number fields from 100; those below are their own.
            message.fields[index].fieldID = Int64(100 + index)
            if outputs.contains(message.fields[index].name) {
                message.fields[index].isFunctionOutput = true
            }
            if given.autoID, message.fields[index].isPrimaryKey {
                message.fields[index].autoID = true
            }
        }
        var fields = try message.fields.map { try TwinField($0) }
        var nextID = Int64(100 + message.fields.count)
        for index in message.structArrayFields.indices {
            fields += try TwinSchema.subFields(&message.structArrayFields[index], &nextID)
        }
        guard Set(fields.map(\.name)).count == fields.count else {
            throw TwinRefusal.badParameter("duplicated field name")
        }
        let keys = fields.indices.filter { fields[$0].schema.isPrimaryKey }
        guard let key = keys.first, keys.count == 1 else {
            throw TwinRefusal.badParameter("there must be one primary key")
        }
        guard fields[key].type == .int64 || fields[key].type == .varchar else {
            throw TwinRefusal.badParameter("the primary key must be Int64 or VarChar")
        }
        if message.enableDynamicField {
            fields.append(
                try TwinField(
                    .with {
                        $0.fieldID = nextID
                        $0.name = CollectionSchema.dynamicFieldName
                        $0.dataType = DataType.json.rawValue
                        $0.isDynamic = true
                    }))
        }
        self.message = message
        self.fields = fields
        self.key = key
    }

    /// Sub-fields go under `struct[sub]` from here on; ones that come so are refused
    /// (ValidateStructArrayField in the proxy of Milvus).
    private static func subFields(
        _ parent: inout MilvusStructArrayFieldSchema, _ nextID: inout Int64
    ) throws -> [TwinField] {
        let name = parent.name
        guard !parent.fields.isEmpty else {
            throw TwinRefusal.badParameter("struct array field \(name) has no sub-fields")
        }
        parent.fieldID = nextID
        nextID += 1
        for index in parent.fields.indices {
            let sub = parent.fields[index]
            guard !sub.name.contains("["), !sub.isPrimaryKey, !sub.isPartitionKey,
                sub.nullable == parent.nullable,
                [DataType.array, .arrayOfVector].contains(DataType(rawValue: sub.dataType)),
                let element = DataType(rawValue: sub.elementType),
                element.isVector == (sub.dataType == DataType.arrayOfVector.rawValue),
                ![.sparseFloatVector, .arrayOfVector].contains(element)
            else {
                throw TwinRefusal.badParameter(
                    "sub-field \(sub.name) of struct array field \(name) is not valid")
            }
            parent.fields[index].fieldID = nextID
            parent.fields[index].name = "\(name)[\(sub.name)]"
            nextID += 1
        }
        return try parent.fields.map { try TwinField($0, of: name) }
    }

    /// The fields of a reply, in the order asked; the key is added where it is not named.
    func outputs(_ names: [String]) throws -> [Int] {
        var outputs: [Int] = []
        for name in names {
            if name == "*" {
                outputs += fields.indices.filter { !fields[$0].schema.isFunctionOutput }
            } else if fields.contains(where: { $0.structName == name }) {
                outputs += fields.indices.filter { fields[$0].structName == name }
            } else if let index = fields.firstIndex(where: { $0.name == name }) {
                guard !fields[index].schema.isFunctionOutput else {
                    throw TwinRefusal.unexpected(
                        "not allowed to retrieve raw data of field \(name)")
                }
                outputs.append(index)
            } else if let dynamicField {
                // 2.3.5 answers one dynamic key with the whole of `$meta`.
                outputs.append(dynamicField)
            } else {
                throw TwinRefusal.unexpected("field \(name) not exist")
            }
        }
        if !outputs.contains(key) { outputs.append(key) }
        var seen: Set<Int> = []
        return outputs.filter { seen.insert($0).inserted }
    }
}
