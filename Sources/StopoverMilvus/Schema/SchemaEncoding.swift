import Foundation
import MilvusProto
import StopoverCore
import SwiftProtobuf

/// The schema of a collection to be created.
///
/// It starts from the message with which the source described it, so that attributes which
/// Stopover does not model survive a copy to a server that knows them; what belongs to the source
/// alone (ids, states, its dynamic field, its database) goes, and the model's values are applied,
/// for the plan may have changed them.
enum SchemaEncoding {
    /// Not in our messages, and not to be carried over: the source's database, and its count of
    /// schema changes (schema.proto of Milvus 2.6).
    private static let ofTheSourceAlone: Set<Int> = [8, 10]

    static func message(
        _ collection: CollectionDescription
    ) throws(StopoverError) -> MilvusCollectionSchema {
        let schema = collection.schema
        let source = try decode(schema.encoded, of: collection.name)
        var message = source
        message.name = collection.name.collection
        message.description_p = schema.description
        message.autoID = schema.primaryKey?.isAutoID ?? false
        message.enableDynamicField = schema.isDynamicFieldEnabled
        message.properties = pairs(schema.properties, inOrderOf: source.properties)

        let fields = byName(source.fields, \.name)
        message.fields = schema.fields.filter { $0.type != .arrayOfStruct }.map { field in
            self.field(
                field, from: fields[field.sourceName ?? field.name] ?? MilvusFieldSchema())
        }
        let functions = byName(source.functions, \.name)
        message.functions = schema.functions.map { function in
            self.function(function, from: functions[function.name] ?? MilvusFunctionSchema())
        }
        let structArrays = byName(source.structArrayFields, \.name)
        message.structArrayFields = schema.fields.filter { $0.type == .arrayOfStruct }.map {
            structArray(
                $0,
                from: structArrays[$0.sourceName ?? $0.name] ?? MilvusStructArrayFieldSchema())
        }
        return message
    }

    private static func decode(
        _ encoded: [UInt8], of name: CollectionName
    ) throws(StopoverError) -> MilvusCollectionSchema {
        do {
            return try MilvusCollectionSchema(
                serializedBytes: TopLevelFields(encoded).without(ofTheSourceAlone))
        } catch {
            throw StopoverError(
                .unreadableSchema, "the stored schema of \(name) cannot be read",
                remedy: "The plan or the ledger is damaged: plan the migration again.",
                cause: String(describing: error))
        }
    }

    private static func field(
        _ field: FieldSchema, from source: MilvusFieldSchema
    ) -> MilvusFieldSchema {
        var message = source
        message.fieldID = 0
        message.state = 0
        message.isDynamic = false
        message.name = field.name
        message.description_p = field.description
        message.dataType = field.type.rawValue
        message.elementType = field.elementType?.rawValue ?? 0
        message.isPrimaryKey = field.isPrimaryKey
        message.autoID = field.isAutoID
        message.nullable = field.isNullable
        message.isPartitionKey = field.isPartitionKey
        message.isClusteringKey = field.isClusteringKey
        message.isFunctionOutput = field.isFunctionOutput
        message.typeParams = pairs(field.typeParams, inOrderOf: source.typeParams)
        if let value = field.defaultValue {
            message.defaultValue = defaultValue(value, of: field.type)
        } else {
            message.clearDefaultValue()
        }
        return message
    }

    private static func function(
        _ function: FunctionSchema, from source: MilvusFunctionSchema
    ) -> MilvusFunctionSchema {
        var message = source
        message.id = 0
        message.inputFieldIds = []
        message.outputFieldIds = []
        message.name = function.name
        message.type = function.type
        message.inputFieldNames = function.inputFields
        message.outputFieldNames = function.outputFields
        message.params = pairs(function.params, inOrderOf: source.params)
        return message
    }

    /// Sub-fields go under their plain names: a proxy refuses `struct[sub]`, or makes
    /// `struct[struct[sub]]` of it (transformStructFieldNames in the proxy of Milvus).
    private static func structArray(
        _ field: FieldSchema, from source: MilvusStructArrayFieldSchema
    ) -> MilvusStructArrayFieldSchema {
        var message = source
        message.fieldID = 0
        message.name = field.name
        message.description_p = field.description
        message.nullable = field.isNullable
        message.typeParams = pairs(field.typeParams, inOrderOf: source.typeParams)
        let fields = Dictionary(
            source.fields.map { (StructFieldName.plain($0.name, of: source.name), $0) }
        ) { first, _ in first }
        message.fields = field.structFields.map { sub in
            var sub = sub
            sub.isNullable = field.isNullable
            return self.field(sub, from: fields[sub.name] ?? MilvusFieldSchema())
        }
        return message
    }

    /// A TIMESTAMPTZ goes as text, as pymilvus gives it; Lite 3 describes it as microseconds
    /// [measured on 3.2.2].
    private static func defaultValue(
        _ value: DefaultValue, of type: DataType
    ) -> MilvusValueField {
        .with { message in
            if type == .timestamptz, case .timestamptz(let microseconds) = value,
                let text = InstantText.utc(microseconds: microseconds)
            {
                message.stringData = text
                return
            }
            switch value {
            case .bool(let value): message.boolData = value
            case .int(let value): message.intData = value
            case .long(let value): message.longData = value
            case .float(let value): message.floatData = value
            case .double(let value): message.doubleData = value
            case .string(let value): message.stringData = value
            case .bytes(let value): message.bytesData = Data(value)
            case .timestamptz(let value): message.timestamptzData = value
            }
        }
    }

    /// The source's order first, then the rest by name: the same plan gives the same bytes.
    static func pairs(
        _ values: [String: String], inOrderOf source: [MilvusKeyValuePair] = []
    ) -> [MilvusKeyValuePair] {
        var left = values
        let known = source.compactMap { pair in
            left.removeValue(forKey: pair.key).map { (pair.key, $0) }
        }
        return (known + left.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }).map {
            key, value in
            .with {
                $0.key = key
                $0.value = value
            }
        }
    }

    private static func byName<Value>(
        _ values: [Value], _ name: KeyPath<Value, String>
    ) -> [String: Value] {
        Dictionary(values.map { ($0[keyPath: name], $0) }) { first, _ in first }
    }
}
