import Foundation
import StopoverCore
import Testing

/// The schema is judged by a checker of what it uses of JSON Schema, and by the parser: a document
/// is JSON, and so YAML, and both must be of one mind about it.
@Suite("The JSON Schema of migration.yaml")
struct JSONSchemaTests {
    private let schema: JSONValue

    init() throws {
        schema = try JSONDecoder().decode(JSONValue.self, from: Data(JSONSchema.text.utf8))
    }

    /// Every key that this version carries out.
    static let sample = """
        {"source": {"uri": "https://a:19530/", "token": "${TOKEN}", "plan": "dedicated",
          "tls": {"ca": "ca.pem", "cert": "c.pem", "key": "/k.pem", "server_name": "a"}},
        "target": {"uri": "https://b", "user": "root", "password": "file:p", "plan": "self-hosted",
          "tls": {"ca": "ca.pem", "cert": "c.pem", "key": "/k.pem", "server_name": "b"}},
        "collections": [
          {"source": "default.articles", "target": "library.articles", "filter": "year > 1",
            "auto_id": "regenerate", "keep_key_as": "old", "dynamic_fields": "drop",
            "promote": {"color": {"type": "varchar", "max_length": 64, "nullable": true}},
            "partition_key": "tenant", "shards": 16,
            "fields": {"note": "drop", "title": {"rename": "headline", "nullable": true,
              "default": "x", "max_length": 1024}},
            "partitions": ["p"], "indexes": "copy", "load": true, "on_existing": "refuse",
            "on_bad_row": "quarantine"},
          {"source": "a", "partitions": "keep", "fields": {"a": {"default": 1.5}}},
          {"source": "b", "fields": {"a": {"default": false}}},
          {"source": "!shop.*"}],
        "limits": {"memory": "512 MiB", "spool": 99999999999, "spool_dir": "/x",
          "spool_packing": "fast", "cursors": 1,
          "workers": 64, "page": "1.5MiB", "write_timeout_seconds": 3600,
          "read_rows_per_second": 1, "write_bytes_per_second": "1GB"},
        "verify": "counts", "defaults": "service"}
        """

    private static func sampleValue() throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(sample.utf8))
    }

    private func parserTakes(_ document: JSONValue) -> Bool {
        Migration.read(yaml: document.json, file: "m.yaml").0 != nil
    }

    @Test("has every key, with what it means")
    func complete() throws {
        for key in ConfigKey.all {
            let found = try #require(schema.schema(at: key.path), "\(key.path)")
            guard case .text(let description) = found["description"] else {
                Issue.record("\(key.path) is not described")
                continue
            }
            #expect(description.hasPrefix(key.summary.replacing("`", with: "")))
            let parent = key.parent.isEmpty ? schema : schema.schema(at: key.parent)
            if key.isRequired, key.substitute == nil {
                #expect(parent?["required"]?.list.contains(.text(key.name)) == true, "\(key.path)")
            }
        }
    }

    @Test("has default values of the types that the keys take")
    func defaults() throws {
        #expect(schema.schema(at: "collections[].load")?["default"] == .flag(false))
        #expect(schema.schema(at: "limits.cursors")?["default"] == .number(16))
        #expect(schema.schema(at: "limits.memory")?["default"] == .text("1GiB"))
        #expect(schema.schema(at: "collections[].partitions")?["default"] == .text("keep"))
        #expect(schema.schema(at: "collections[].shards")?["default"] == nil)
        for key in ConfigKey.all {
            guard let found = schema.schema(at: key.path), let value = found["default"] else {
                continue
            }
            #expect(found.faults(in: value).isEmpty, "\(key.path)")
        }
    }

    @Test("takes a document of every key, as the parser does")
    func everyKey() throws {
        let document = try Self.sampleValue()
        #expect(schema.faults(in: document).isEmpty)
        #expect(Migration.read(yaml: Self.sample, file: "m.yaml").1.map(\.line) == [])
        let written = Set(document.paths())
        for key in ConfigKey.all where !key.path.hasPrefix("target.new") {
            let isWritten = written.contains { ConfigKeyPath.matches($0, key.path) }
            let isElsewhere = ["source.user", "source.password", "target.token"].contains(key.path)
            #expect(isWritten || isElsewhere, "\(key.path)")
        }
    }

    @Test("takes a target that is made instead of an address, and not neither")
    func madeTarget() throws {
        for (target, isTaken) in [
            (#"{"new": {"lite": "dir"}}"#, true), ("{}", false),
            (#"{"new": {"zilliz": {"project": "p", "region": "r", "plan": "dedicated"}}}"#, false),
        ] {
            let text = #"{"source": {"uri": "http://a"}, "target": \#(target)}"#
            let document = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
            #expect(schema.faults(in: document).isEmpty == isTaken, "\(target)")
        }
    }

    @Test("refuses with the parser: a wrong type, a wrong value, an unknown key, a lacking one")
    func ofOneMind() throws {
        let document = try Self.sampleValue()
        var refused = 0
        for path in document.paths() {
            let key = ConfigKey.all.first { ConfigKeyPath.matches(path, $0.path) }
            var wrong: [JSONValue] = [
                .object(["x": .list([])]), .list([.list([])]), .text(""), .null,
            ]
            // The parser takes a number where text is wanted as the text that it is written as.
            if case .count = key?.shape { wrong.append(.number(-1)) }
            if case .bytes = key?.shape { wrong.append(.number(-1)) }
            for value in wrong {
                let edited = document.replacing(path, with: value)
                // What only the parser refuses: the schema does not know what goes together.
                if schema.faults(in: edited).isEmpty { continue }
                refused += 1
                let isTaken = parserTakes(edited)
                #expect(!isTaken, "\(path) = \(value)")
            }
            if case .object(let members) = document.value(at: path) {
                let edited = document.replacing(
                    path, with: .object(members.merging(["x y": .flag(true)]) { old, _ in old }))
                let isRefused = !schema.faults(in: edited).isEmpty && !parserTakes(edited)
                #expect(isRefused, "\(path)")
            }
            if key?.isRequired == true {
                let edited = document.replacing(path, with: nil)
                let isRefused = !schema.faults(in: edited).isEmpty && !parserTakes(edited)
                #expect(isRefused, "\(path)")
            }
        }
        #expect(refused > 200)
    }

    @Test(
        "refuses what the parser refuses by its spelling",
        arguments: [
            (["source", "uri"], "a:19530"), (["source", "uri"], "http://root:s3cr3t@a"),
            (["source", "token"], "s3cr3t"), (["source", "token"], "$TOKEN"),
            (["target", "password"], "fd:x"), (["verify"], "count"),
            (["defaults"], "cloud"), (["limits", "memory"], "4G"),
            (["limits", "spool_dir"], "~/spool"), (["target", "plan"], "premium"),
        ])
    func spelling(_ path: [String], _ text: String) throws {
        let edited = try Self.sampleValue().replacing(path, with: .text(text))
        let isRefused = !schema.faults(in: edited).isEmpty && !parserTakes(edited)
        #expect(isRefused)
    }
}
