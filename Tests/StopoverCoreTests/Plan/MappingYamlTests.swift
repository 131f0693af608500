import StopoverCore
import Testing

@Suite("What an entry of collections asks")
struct MappingYamlTests {
    private func mapping(_ keys: String, ending: String = "") throws -> Mapping {
        let migration = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n"
                + "collections:\n  - source: c\n"
                + keys.split(separator: "\n").map { "    \($0)\n" }.joined() + ending,
            file: "m.yaml")
        return try #require(migration.rules.first).mapping
    }

    @Test("is taken over, all of it")
    func everything() throws {
        var title = Mapping.FieldChange()
        title.name = "headline"
        title.isNullable = true
        title.defaultValue = "untitled"
        title.maxLength = 1024
        var note = Mapping.FieldChange()
        note.isDropped = true
        var year = Mapping.FieldChange()
        year.isNullable = false
        year.defaultValue = "-1"
        var color = Mapping.Promotion(type: .varchar)
        color.maxLength = 64
        color.isNullable = false
        var expected = Mapping()
        expected.filter = "year >= 2015 and note != \"x: y\""
        expected.autoID = .regenerate
        expected.keepKeyAs = "source_id"
        expected.keepsDynamicFields = false
        expected.promotions = ["color": color, "price": Mapping.Promotion(type: .double)]
        expected.partitionKey = "tenant"
        expected.shards = 3
        expected.fields = ["title": title, "internal_note": note, "year": year]
        expected.partitions = ["p1", "p2"]
        expected.indexes = .copy
        expected.loads = true
        expected.onBadRow = .quarantine

        let read = try mapping(
            """
            filter: 'year >= 2015 and note != "x: y"'
            auto_id: regenerate
            keep_key_as: source_id
            dynamic_fields: drop
            promote:
              color: {type: varchar, max_length: 64, nullable: false}
              price: {type: double}
            partition_key: tenant
            shards: 3
            fields:
              title: {nullable: true, default: "untitled", rename: headline, max_length: 1024}
              internal_note: drop
              year: {nullable: false, default: -1}
            partitions: [p1, p2]
            indexes: copy
            load: true
            on_existing: refuse
            on_bad_row: quarantine
            """)
        #expect(read == expected)
    }

    @Test(
        "names each type that a dynamic key can become",
        arguments: [
            ("bool", DataType.bool), ("int8", .int8), ("int16", .int16), ("int32", .int32),
            ("int64", .int64), ("float", .float), ("double", .double), ("json", .json),
        ])
    func types(_ name: String, _ type: DataType) throws {
        #expect(
            try mapping("promote: {a: {type: \(name)}}").promotions
                == ["a": Mapping.Promotion(type: type)])
    }

    @Test(
        "takes a default as it is written",
        arguments: [
            ("true", "true"), ("1.50", "1.50"), ("\"\"", ""), ("'null'", "null"),
            ("\"a\\nb\"", "a\nb"), ("0x1F", "0x1F"),
        ])
    func defaults(_ written: String, _ value: String) throws {
        #expect(
            try mapping("fields: {a: {default: \(written)}}").fields["a"]?.defaultValue == value)
    }

    @Test("is as the service's where nothing is said, in every entry, when the file asks for that")
    func serviceDefaults() throws {
        #expect(try mapping("load: true", ending: "defaults: service").usesServiceDefaults)
        #expect(try !mapping("load: true", ending: "defaults: faithful").usesServiceDefaults)
        let everything = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\ndefaults: service",
            file: "m.yaml")
        #expect(everything.rules.map(\.mapping.usesServiceDefaults) == [true])
    }

    @Test("does not change by writing down what holds anyway")
    func documentedDefaults() throws {
        var yaml = "source: {uri: http://a}\ntarget: {uri: http://b}\n"
        func lines(_ parent: String, indent: String) -> String {
            ConfigKey.children(of: parent).compactMap { key in
                key.defaultText.map { "\(indent)\(key.name): \"\($0)\"\n" }
            }.filter { line in
                // Defaults in words depend on something that only the run knows; the engine
                // chooses the numbers of cursors and workers and the size of a page.
                !line.contains(" \"1 per") && !line.contains("the ") && !line.contains("no bound")
                    && !["cursors", "workers", "page"].contains { line.contains("\($0):") }
            }.joined().replacing("\"false\"", with: "false").replacing("\"true\"", with: "true")
        }
        let plain = try Migration(
            yaml: yaml + "collections: [{source: c, promote: {a: {type: bool}}}]", file: "m.yaml")
        yaml += "limits:\n" + lines("limits", indent: "  ")
        yaml += "collections:\n  - source: c\n" + lines("collections[]", indent: "    ")
        yaml += "    promote:\n      a:\n        type: bool\n"
        yaml += lines("collections[].promote.*", indent: "        ")
        yaml += "verify: digest\ndefaults: faithful\n"
        #expect(yaml.contains("on_bad_row: \"stop\"") && yaml.contains("memory: \"1GiB\""))
        #expect(try Migration(yaml: yaml, file: "m.yaml") == plain)
    }

    @Test("comes with the job's speed limits")
    func limits() throws {
        let limits = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n"
                + "limits: {read_rows_per_second: 50_000, write_bytes_per_second: 20MB}",
            file: "m.yaml"
        ).limits
        #expect(limits.readRowsPerSecond == 50_000)
        #expect(limits.writeBytesPerSecond == ByteCount(20_000_000))
        #expect(MigrationLimits().readRowsPerSecond == nil)
        #expect(MigrationLimits().writeBytesPerSecond == nil)
    }
}
