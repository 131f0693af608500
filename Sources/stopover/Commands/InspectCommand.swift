import ArgumentParser
import Foundation
import StopoverCore
import StopoverMilvus

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a cluster's databases, collections, schemas, indexes and counts.",
        discussion: """
            Only reads. Counts are asked for where a collection is loaded, since a server answers \
            count(*) of loaded collections alone.
            """)

    @Argument(help: "The cluster: http://HOST:PORT or https://HOST:PORT.")
    var uri: String

    @Option(help: "A reference to the token: '${NAME}', 'file:PATH' or 'fd:N', never the token.")
    var token: String?

    @Option(help: "Only this database.")
    var database: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let endpoint = try Endpoint(argument: uri, token: token)
            try await Clusters.withCluster(endpoint) { cluster in
                let identity = try await cluster.identity()
                let databases = try await cluster.databases()
                var collections: [CollectionReport] = []
                for name in databases.sorted() where database == nil || database == name {
                    for collection in try await cluster.collections(in: name).sorted() {
                        let full = CollectionName(database: name, collection: collection)
                        guard let described = try await cluster.describe(full) else { continue }
                        collections.append(try await CollectionReport(described, of: cluster))
                    }
                }
                let report = ClusterReport(
                    uri: cluster.address, version: identity.version, databases: databases.sorted(),
                    collections: collections)
                try console.result("inspect", report, lines: report.lines)
            }
        }
    }
}

/// What `inspect` says; its JSON is a documented contract.
private struct ClusterReport: Encodable {
    var uri: String
    var version: String
    var databases: [String]
    var collections: [CollectionReport]

    var lines: [String] {
        var lines = [
            "\(uri)  \(version)",
            "databases: \(databases.joined(separator: ", "))",
        ]
        if collections.isEmpty { lines.append("no collections") }
        for collection in collections { lines += [""] + collection.lines }
        return lines
    }
}

private struct CollectionReport: Encodable {
    var collection: CollectionDescription
    /// `count(*)`; nil where the collection is not loaded.
    var rows: Int64?

    init(_ described: CollectionDescription, of cluster: any Cluster) async throws {
        collection = described
        // The server's own bytes are for the copy, not for people.
        collection.schema.encoded = []
        if described.isLoaded, let key = described.schema.primaryKey {
            rows = try await cluster.count(
                RowSelection(collection: described.name, primaryKey: key))
        }
    }

    var lines: [String] {
        let schema = collection.schema
        var facts = [
            rows.map { "\($0) rows" } ?? "rows unknown (not loaded)",
            collection.isLoaded ? "loaded" : "not loaded",
        ]
        if collection.shards > 1 { facts.append("\(collection.shards) shards") }
        if schema.isDynamicFieldEnabled { facts.append("dynamic field") }
        if !collection.aliases.isEmpty {
            facts.append("aliases \(collection.aliases.joined(separator: ", "))")
        }
        var table = TextTable([.init("field"), .init("type"), .init("attributes")])
        for field in schema.fields {
            table.add([field.name, field.typeText, field.attributesText])
        }
        var lines = ["\(collection.name): \(facts.joined(separator: ", "))"]
        lines += table.lines().map { "  " + $0 }
        if collection.partitions.count > 1 {
            lines.append(
                "  partitions: \(collection.partitions.map(\.name).joined(separator: ", "))")
        }
        for index in collection.indexes {
            let type = index.params["index_type"] ?? "?"
            lines.append("  index on \(index.field): \(type) \(index.metricType ?? "")")
        }
        return lines
    }
}

extension FieldSchema {
    fileprivate var typeText: String {
        var text = type.milvusName
        if let elementType { text += "<\(elementType.milvusName)>" }
        let limits = ["dim", "max_length", "max_capacity"].compactMap { name in
            typeParams[name].map { "\(name)=\($0)" }
        }
        return limits.isEmpty ? text : text + "(\(limits.joined(separator: ", ")))"
    }

    fileprivate var attributesText: String {
        var words: [String] = []
        if isPrimaryKey { words.append("primary key") }
        if isAutoID { words.append("Auto ID") }
        if isPartitionKey { words.append("partition key") }
        if isClusteringKey { words.append("clustering key") }
        if isNullable { words.append("nullable") }
        if isFunctionOutput { words.append("function output") }
        if defaultValue != nil { words.append("default") }
        return words.joined(separator: ", ")
    }
}
