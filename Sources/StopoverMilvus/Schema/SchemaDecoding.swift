import MilvusProto
import StopoverCore
import SwiftProtobuf

/// A server's description of a schema, in the engine's words.
enum SchemaDecoding {
    /// - Throws: `STO-SCHEMA-UNKNOWN-TYPE`, naming the field, for a type that this version of
    ///   Stopover does not know: it could not say how to carry the values.
    static func schema(
        _ message: MilvusCollectionSchema, of name: CollectionName
    ) throws(StopoverError) -> CollectionSchema {
        var fields: [FieldSchema] = []
        // The dynamic field is hidden: `isDynamicFieldEnabled` stands for it.
        for field in message.fields where !field.isDynamic {
            fields.append(try self.field(field, of: name))
        }
        for field in message.structArrayFields {
            fields.append(try structArray(field, of: name))
        }
        var schema = CollectionSchema(fields: fields)
        schema.description = message.description_p
        schema.isDynamicFieldEnabled = message.enableDynamicField
        schema.properties = dictionary(message.properties)
        schema.functions = message.functions.map { function in
            FunctionSchema(
                name: function.name, type: function.type, inputFields: function.inputFieldNames,
                outputFields: function.outputFieldNames, params: dictionary(function.params))
        }
        do {
            schema.encoded = try message.serializedBytes()
        } catch {
            throw StopoverError(
                .unknownFieldType, "the schema of \(name) cannot be kept: it is over 2 GiB",
                remedy: "Check that the source is a Milvus server.", cause: "\(error)")
        }
        return schema
    }

    private static func field(
        _ message: MilvusFieldSchema, of name: CollectionName
    ) throws(StopoverError) -> FieldSchema {
        var field = FieldSchema(
            name: message.name, type: try type(message.dataType, of: message, in: name))
        field.description = message.description_p
        field.isPrimaryKey = message.isPrimaryKey
        field.isAutoID = message.autoID
        field.isNullable = message.nullable
        field.isPartitionKey = message.isPartitionKey
        field.isClusteringKey = message.isClusteringKey
        field.isFunctionOutput = message.isFunctionOutput
        if message.elementType != 0 {
            field.elementType = try type(message.elementType, of: message, in: name)
        }
        field.typeParams = dictionary(message.typeParams)
        if message.hasDefaultValue {
            field.defaultValue = defaultValue(message.defaultValue, of: field.type)
        }
        return field
    }

    /// A sub-field is nullable when its struct array is: the servers that let one be nullable set
    /// both (ValidateStructArrayField in the proxy of Milvus).
    private static func structArray(
        _ message: MilvusStructArrayFieldSchema, of name: CollectionName
    ) throws(StopoverError) -> FieldSchema {
        var field = FieldSchema(name: message.name, type: .arrayOfStruct)
        field.description = message.description_p
        field.isNullable = message.nullable
        field.typeParams = dictionary(message.typeParams)
        for sub in message.fields {
            var sub = try self.field(sub, of: name)
            sub.name = StructFieldName.plain(sub.name, of: message.name)
            sub.isNullable = message.nullable
            field.structFields.append(sub)
        }
        return field
    }

    private static func type(
        _ number: Int32, of field: MilvusFieldSchema, in name: CollectionName
    ) throws(StopoverError) -> DataType {
        guard let type = DataType(rawValue: number) else {
            throw StopoverError(
                .unknownFieldType,
                "the field \(field.name) of \(name) has the data type \(number), which this "
                    + "version of Stopover does not know",
                remedy:
                    "Use a newer version of Stopover, or copy the collection without that field.")
        }
        return type
    }

    /// A TIMESTAMPTZ is given as text, and described as microseconds, in `timestamptz_data` or,
    /// by servers older than it, in `long_data` (`adapter/grpc/translators/schema.py` of Lite 3.2.2).
    private static func defaultValue(
        _ message: MilvusValueField, of type: DataType
    ) -> DefaultValue? {
        switch message.data {
        case .longData(let value) where type == .timestamptz: .timestamptz(value)
        case .stringData(let value) where type == .timestamptz:
            InstantText.microseconds(value).map(DefaultValue.timestamptz) ?? .string(value)
        case .boolData(let value): .bool(value)
        case .intData(let value): .int(value)
        case .longData(let value): .long(value)
        case .floatData(let value): .float(value)
        case .doubleData(let value): .double(value)
        case .stringData(let value): .string(value)
        case .bytesData(let value): .bytes([UInt8](value))
        case .timestamptzData(let value): .timestamptz(value)
        case nil: nil
        }
    }

    /// A later pair of the same key wins, as it does on the servers.
    static func dictionary(_ pairs: [MilvusKeyValuePair]) -> [String: String] {
        Dictionary(pairs.map { ($0.key, $0.value) }) { $1 }
    }
}

extension StopoverError.Code {
    public static let unknownFieldType = Self("STO-SCHEMA-UNKNOWN-TYPE", exit: .refused)
    public static let unreadableSchema = Self("STO-SCHEMA-UNREADABLE", exit: .failed)
}
