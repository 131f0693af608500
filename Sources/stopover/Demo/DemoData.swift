import CDemoData
import Foundation
import StopoverCore
import StopoverMilvus

/// The demo's real data: 6,000 packages of the Debian archive, from bytes inside the binary.
///
/// An INT64 key, text, numbers, two nullable fields, two arrays, a 384-dimensional embedding, a
/// dynamic field (`summary` in every row, `priority` where the id is odd), and two named
/// partitions beside `_default`: one of everything that a first look should show to survive.
struct DemoData {
    static let dimension = 384
    static let partitions = [PartitionDescription.defaultName, "libs", "apps"]

    /// Rows of one partition of the collection, as an insert takes them.
    struct Part {
        var partition: String
        var batch: Batch
    }

    // Named as the data names them.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Package: Decodable {
        var id: Int64
        var name: String
        var version: String
        var section: String
        var priority: String
        var installed_size_kib: Int64
        var size_bytes: Int64
        var homepage: String?
        var multi_arch: String?
        var depends: [String]
        var tags: [String]
        var summary: String

        var partition: String {
            switch section {
            case "libs", "libdevel", "oldlibs", "perl", "python", "golang", "haskell", "rust",
                "java", "javascript", "ruby", "php":
                "libs"
            case "admin", "utils", "net", "games", "graphics", "sound", "video", "editors", "web",
                "mail", "text", "math", "science":
                "apps"
            default: PartitionDescription.defaultName
            }
        }

        /// The keys of the row that no field names, as a JSON object.
        var dynamicJSON: Data {
            get throws {
                var object = ["summary": summary]
                if id % 2 == 1 { object["priority"] = priority }
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                return try encoder.encode(object)
            }
        }
    }

    static func collection(named name: CollectionName) -> CollectionDescription {
        func field(
            _ name: String, _ type: DataType, _ params: [String: String] = [:],
            nullable: Bool = false
        ) -> FieldSchema {
            var field = FieldSchema(name: name, type: type)
            field.typeParams = params
            field.isNullable = nullable
            if type == .array { field.elementType = .varchar }
            return field
        }
        var key = field("id", .int64)
        key.isPrimaryKey = true
        var schema = CollectionSchema(fields: [
            key,
            field("name", .varchar, ["max_length": "128"]),
            field("version", .varchar, ["max_length": "128"]),
            field("section", .varchar, ["max_length": "64"]),
            field("installed_size_kib", .int64),
            field("size_bytes", .int64),
            field("homepage", .varchar, ["max_length": "512"], nullable: true),
            field("multi_arch", .varchar, ["max_length": "16"], nullable: true),
            field("depends", .array, ["max_capacity": "16", "max_length": "256"]),
            field("tags", .array, ["max_capacity": "12", "max_length": "256"]),
            field("embedding", .floatVector, ["dim": "\(dimension)"]),
        ])
        schema.isDynamicFieldEnabled = true
        var collection = CollectionDescription(name: name, schema: schema)
        collection.partitions = partitions.map {
            PartitionDescription(name: $0, loadState: .notLoaded)
        }
        collection.indexes = [
            IndexDescription(
                name: "embedding", field: "embedding",
                params: ["index_type": "AUTOINDEX", "metric_type": "COSINE"])
        ]
        return collection
    }

    /// Every row, partition by partition, `rowLimit` rows a part.
    static func parts(rowLimit: Int = 1000) throws -> [Part] {
        var lineBytes = 0
        let lines = UnsafeBufferPointer(
            start: stopover_demo_packages(&lineBytes), count: lineBytes)
        var vectorBytes = 0
        let vectors = UnsafeRawBufferPointer(
            start: stopover_demo_embeddings(&vectorBytes), count: vectorBytes)
        let decoder = JSONDecoder()
        var byPartition: [String: [(Package, Int)]] = [:]
        for (row, line) in lines.split(separator: UInt8(ascii: "\n")).enumerated() {
            let package = try decoder.decode(Package.self, from: Data(line))
            byPartition[package.partition, default: []].append((package, row))
        }
        return try partitions.flatMap { partition in
            let rows = byPartition[partition] ?? []
            return try stride(from: 0, to: rows.count, by: rowLimit).map { start in
                let slice = rows[start..<min(start + rowLimit, rows.count)]
                return Part(partition: partition, batch: try batch(Array(slice), vectors))
            }
        }
    }

    private static func batch(
        _ rows: [(Package, Int)], _ vectors: UnsafeRawBufferPointer
    ) throws -> Batch {
        let packages = rows.map(\.0)
        let embeddings = rows.flatMap { _, row in
            (0..<dimension).map { column in
                let bits = vectors.loadUnaligned(
                    fromByteOffset: (row * dimension + column) * 2, as: UInt16.self)
                return Float(Float16(bitPattern: UInt16(littleEndian: bits)))
            }
        }
        return Batch(
            rowCount: rows.count,
            columns: [
                try ColumnBuilder.longs("id", packages.map(\.id)),
                try ColumnBuilder.strings("name", packages.map(\.name)),
                try ColumnBuilder.strings("version", packages.map(\.version)),
                try ColumnBuilder.strings("section", packages.map(\.section)),
                try ColumnBuilder.longs(
                    "installed_size_kib", packages.map(\.installed_size_kib)),
                try ColumnBuilder.longs("size_bytes", packages.map(\.size_bytes)),
                try ColumnBuilder.strings("homepage", nullable: packages.map(\.homepage)),
                try ColumnBuilder.strings("multi_arch", nullable: packages.map(\.multi_arch)),
                try ColumnBuilder.stringArrays("depends", packages.map(\.depends)),
                try ColumnBuilder.stringArrays("tags", packages.map(\.tags)),
                try ColumnBuilder.floatVectors("embedding", dimension: dimension, embeddings),
                try ColumnBuilder.dynamicFields(packages.map { [UInt8](try $0.dynamicJSON) }),
            ])
    }
}
