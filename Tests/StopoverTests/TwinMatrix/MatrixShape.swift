import Foundation
import MilvusProto
import StopoverCore
import StopoverTesting
import SwiftProtobuf

/// A collection with several fields of the matrix, in the database of their variant.
struct MatrixShape: Sendable {
    /// Vector fields of a collection, of the 10 that Milvus holds at most.
    private static let mostVectors = 8

    var database: String
    var collection: String
    var variant: MatrixVariant
    var types: [MatrixType]

    /// No other shape has a key of this name, so that an Insert tells whose it is, whatever the
    /// collection that it goes to is called.
    var key: String { "key_\(database)_\(collection)" }

    /// All the types, in as few collections as hold them.
    static func shapes(of types: [MatrixType], _ variant: MatrixVariant) -> [MatrixShape] {
        var groups: [[MatrixType]] = []
        var vectors = 0
        for type in types {
            vectors += type.vectorFields.count
            if groups.isEmpty || vectors > mostVectors {
                groups.append([])
                vectors = type.vectorFields.count
            }
            groups[groups.count - 1].append(type)
        }
        return groups.enumerated().map { number, types in
            MatrixShape(
                database: variant.database, collection: "group_\(number)", variant: variant,
                types: types)
        }
    }

    private static let anchor = MatrixType(name: "anchor", type: .floatVector)
    /// With a vector where they have none: what a collection has to have.
    private var all: [MatrixType] {
        types.allSatisfy(\.vectorFields.isEmpty) ? types + [Self.anchor] : types
    }

    var schema: MilvusCollectionSchema {
        .with { schema in
            schema.name = collection
            schema.fields = [
                .with {
                    $0.name = key
                    $0.dataType = DataType.int64.rawValue
                    $0.isPrimaryKey = true
                }
            ]
            for type in all {
                type.add(
                    to: &schema, nullable: variant.isNullable && type.name != Self.anchor.name)
            }
        }
    }

    var vectorFields: [String] { all.flatMap(\.vectorFields) }

    /// As many rows as the type with the most values has; the others repeat theirs. Keys are every
    /// third number from -5.
    /// - Returns: nil when there are no rows.
    func rows() throws -> MilvusInsertRequest? {
        let values = try all.map { type in
            try type.name == Self.anchor.name ? type.cells(.plain) : type.cells(variant)
        }.map { $0 ?? [] }
        guard !values.dropLast(all.count - types.count).allSatisfy(\.isEmpty) else { return nil }
        let count = values.map(\.count).max() ?? 0
        return try .with { request in
            request.dbName = database
            request.collectionName = collection
            request.numRows = UInt32(count)
            var keys = MilvusFieldData()
            keys.type = DataType.int64.rawValue
            keys.fieldName = key
            keys.scalars.longData.data = (0..<count).map { Int64($0) * 3 - 5 }
            request.fieldsData = [keys]
            for (type, own) in zip(all, values) {
                let isNullable =
                    variant.isNullable && !type.isDynamic && type.name != Self.anchor.name
                request.fieldsData.append(
                    try type.column(
                        (0..<count).map { own[$0 % own.count] }, nullable: isNullable))
            }
        }
    }
}

struct Refused: Error {
    var reason: String
}

extension MilvusTwin {
    /// A call whose reply is a Status.
    func ask(_ method: String, _ request: some Message) throws {
        let status = try MilvusStatus(serializedBytes: answer(method, request.serializedBytes()))
        guard status.code == 0 else { throw Refused(reason: status.reason) }
    }

    /// Creates a shape's collection, writes its rows and loads it.
    /// - Returns: what was written.
    func seed(_ shape: MatrixShape) throws -> MilvusInsertRequest? {
        try ask(
            "CreateCollection",
            MilvusCreateCollectionRequest.with {
                $0.dbName = shape.database
                $0.collectionName = shape.collection
                $0.schema = try shape.schema.serializedBytes()
            })
        for field in shape.vectorFields {
            try ask(
                "CreateIndex",
                MilvusCreateIndexRequest.with {
                    $0.dbName = shape.database
                    $0.collectionName = shape.collection
                    $0.fieldName = field
                    $0.extraParams = [
                        .pair("index_type", "AUTOINDEX"), .pair("metric_type", "L2"),
                    ]
                })
        }
        let rows = try shape.rows()
        if let rows {
            let reply = try MilvusMutationResult(
                serializedBytes: answer("Insert", rows.serializedBytes()))
            guard reply.status.code == 0 else { throw Refused(reason: reply.status.reason) }
        }
        try ask(
            "LoadCollection",
            MilvusLoadCollectionRequest.with {
                $0.dbName = shape.database
                $0.collectionName = shape.collection
            })
        return rows
    }

    func description(of shape: MatrixShape) throws -> MilvusCollectionSchema {
        let request = MilvusDescribeCollectionRequest.with {
            $0.dbName = shape.database
            $0.collectionName = shape.collection
        }
        let reply = try MilvusDescribeCollectionResponse(
            serializedBytes: answer("DescribeCollection", request.serializedBytes()))
        guard reply.status.code == 0 else { throw Refused(reason: reply.status.reason) }
        return reply.schema
    }

    /// Those that were flushed.
    func rowCount(of shape: MatrixShape) throws -> UInt32 {
        let request = MilvusGetCollectionStatisticsRequest.with {
            $0.dbName = shape.database
            $0.collectionName = shape.collection
        }
        let reply = try MilvusGetCollectionStatisticsResponse(
            serializedBytes: answer("GetCollectionStatistics", request.serializedBytes()))
        return reply.stats.first { $0.key == "row_count" }.flatMap { UInt32($0.value) } ?? 0
    }
}
