import Foundation
import StopoverCore
import StopoverTesting
import Testing

@Suite("The identity of a migration")
struct MigrationIdentityTests {
    private func migration(_ edit: (String) -> String = { $0 }) throws -> Migration {
        try Migration(yaml: edit(MigrationYamlTests.full), file: "jobs/night.yaml")
    }

    /// Computed outside of Swift, from the sorted JSON: a change here loses people's jobs.
    @Test("has the fingerprint that it had in the first version")
    func golden() throws {
        #expect(
            try migration().identity.fingerprint
                == "413c4ab5210f3f1a705af37e8159d47aecd0da0cdf42bb535c7f72dcc87dbe83")
        #expect(try migration().defaultJobName == "night-413c4ab5")
    }

    @Test(
        "stays when something changes that may",
        arguments: [
            ("512 MiB", "64MiB"), ("2GB", "3GB"), ("/var/spool", "/tmp"),
            ("cursors: 2", "cursors: 3"),
            ("${SOURCE_TOKEN}", "${OTHER}"), ("user: root", "user: admin"), ("ca.pem", "other.pem"),
            ("verify: counts\n", ""), ("on_bad_row: stop\n", "\n"),
            ("on_bad_row: stop\n", "on_bad_row: quarantine\n"),
            ("plan: dedicated", "plan: free"),
            ("http://127.0.0.1", "http://127.0.0.1:19530/"), ("[p1, p2]", "[p2, p1]"),
            ("load: false", "load: true"), ("workers: 8", "read_rows_per_second: 9"),
            ("workers: 8", "write_bytes_per_second: 9MB"), ("faithful", "faithful # as it is"),
            ("indexes: none", "indexes: none\n    promote: {}"),
            ("default.articles\n", "articles\n"), ("uri: https://in01", "uri: HTTPS://IN01"),
        ])
    func stays(_ old: String, _ new: String) throws {
        let changed = try migration { $0.replacing(old, with: new) }
        #expect(try changed.identity == migration().identity)
        #expect(try changed.defaultJobName == migration().defaultJobName)
    }

    @Test(
        "changes with what may not, and the lines say how",
        arguments: [
            (
                "http://127.0.0.1", "http://127.0.0.2",
                "target.uri: was http://127.0.0.1:19530, is http://127.0.0.2:19530"
            ),
            (
                ":19530", ":19531",
                "source.uri: was https://in01-0123.aws-us-west-2.vectordb.zillizcloud.com:19530, "
                    + "is https://in01-0123.aws-us-west-2.vectordb.zillizcloud.com:19531"
            ),
            (
                "library.articles", "library.texts",
                "collections[1].target: was library.articles, is library.texts"
            ),
            (
                "auto_id: regenerate", "auto_id: keep",
                "collections[1].auto_id: was regenerate, is keep"
            ),
            (
                "dynamic_fields: drop", "dynamic_fields: keep",
                "collections[1].dynamic_fields: was drop, is keep"
            ),
            (
                ", other: drop", "",
                "collections[1].fields: was internal_note: drop, other: drop, is internal_note: drop"
            ),
            ("[p1, p2]", "keep", "collections[1].partitions: was [p1, p2], is keep"),
            ("indexes: none", "indexes: auto", "collections[1].indexes: was none, is auto"),
            ("!shop.tmp_*", "!shop.x", "collections.excluded: was !shop.tmp_*, is !shop.x"),
        ])
    func changes(_ old: String, _ new: String, _ line: String) throws {
        let (before, after) = (try migration(), try migration { $0.replacing(old, with: new) })
        #expect(before.identity.fingerprint != after.identity.fingerprint)
        #expect(
            MigrationIdentity.differences(from: before.identity, to: after.identity) == [line])
    }

    @Test(
        "changes with every key of a mapping that the first version did not know",
        arguments: [
            ("filter: 'year >= 2015'", "filter: was absent, is year >= 2015"),
            ("keep_key_as: old", "keep_key_as: was absent, is old"),
            (
                "promote: {b: {type: bool}, a: {type: varchar, max_length: 9, nullable: false}}",
                "promote: was absent, is a: {type: varchar, max_length: 9, nullable: false}, "
                    + "b: {type: bool, nullable: true}"
            ),
            ("partition_key: tenant", "partition_key: was absent, is tenant"),
            ("shards: 4", "shards: was absent, is 4"),
        ])
    func changesWithMapping(_ key: String, _ line: String) throws {
        let after = try migration {
            $0.replacing("    on_bad_row: stop\n", with: "    \(key)\n")
        }
        #expect(
            MigrationIdentity.differences(from: try migration().identity, to: after.identity)
                == ["collections[1].\(line)"])
    }

    @Test("spells what is asked of fields in one way, whatever the order in the file")
    func fields() throws {
        let after = try migration {
            $0.replacing(
                "{internal_note: drop, other: drop}",
                with: "{z: {default: 'a \"b\"', nullable: false, max_length: 9}, "
                    + "\"o, p: drop\": drop, a: {rename: b}}")
        }
        #expect(
            after.identity.values["collections[1].fields"]
                == #"a: {rename: b}, "o, p: drop": drop, "#
                + #"z: {nullable: false, default: "a \"b\"", max_length: 9}"#)
    }

    @Test("of two files agrees on the service's defaults for every entry, or differs")
    func serviceDefaults() throws {
        let after = try migration { $0.replacing("faithful", with: "service") }
        #expect(
            MigrationIdentity.differences(from: try migration().identity, to: after.identity)
                == (1...3).map { "collections[\($0)].defaults: was absent, is service" })
    }

    @Test("is the same for two mappings exactly when nothing differs but what may change")
    func oneToOne() throws {
        let address = try EndpointAddress("http://a")
        var generator = SeededRandom(seed: 23)
        var mappings: [MigrationIdentity: Mapping] = [:]
        var identities: [Mapping: MigrationIdentity] = [:]
        for _ in 0..<4000 {
            let mapping = Mapping.random(&generator)
            let identity = Migration(
                file: "m", source: Endpoint(address: address), target: Endpoint(address: address),
                rules: [CollectionRule(source: .everything, mapping: mapping)]
            ).identity
            let essence = mapping.withoutWhatMayChange
            #expect(mappings.updateValue(essence, forKey: identity) ?? essence == essence)
            #expect(identities.updateValue(identity, forKey: essence) ?? identity == identity)
        }
        // Enough pairs that agree, and enough that differ, for both halves to mean something.
        #expect(mappings.count > 500 && mappings.count < 3500)
    }

    @Test("says what a removed entry was")
    func removed() throws {
        let after = try migration { $0.replacing("  - source: items\n", with: "") }
        let lines = MigrationIdentity.differences(
            from: try migration().identity, to: after.identity)
        #expect(lines.contains("collections[3].source: was default.items, is absent"))
    }

    @Test("survives being stored")
    func stored() throws {
        let identity = try migration().identity
        let data = try JSONEncoder().encode(identity)
        #expect(try JSONDecoder().decode(MigrationIdentity.self, from: data) == identity)
    }

    @Test(
        "gives every file a name that a job may have",
        arguments: [
            ("migration.yaml", "migration"), ("a/b/Night Run.v2.yaml", "night-run-v2"),
            ("/x/.yaml", "yaml"), ("ÄÖÜ.yaml", "migration"), ("", "migration"),
            ("--.yaml", "migration"),
            (String(repeating: "a", count: 90), String(repeating: "a", count: 55)), ("a_b", "a_b"),
        ])
    func name(_ file: String, _ stem: String) throws {
        let migration = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}", file: file)
        let name = migration.defaultJobName
        #expect(name.hasPrefix(stem + "-") && name.utf8.count == stem.utf8.count + 9)
        #expect(name.utf8.count <= 64)
    }
}

extension Mapping {
    /// Few attributes at once and few values each, so that equal ones come about; among the texts
    /// are those that a careless spelling confuses.
    fileprivate static func random(_ generator: inout SeededRandom) -> Mapping {
        let texts = ["a", "b", "a: drop, b", "a, b", "\"", "]"]
        var mapping = Mapping()
        func text() -> String { texts.randomElement(using: &generator) ?? "" }
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            switch Int.random(in: 0..<14, using: &generator) {
            case 0: mapping.filter = text()
            case 1: mapping.autoID = .regenerate
            case 2: mapping.keepKeyAs = text()
            case 3: mapping.keepsDynamicFields = false
            case 4:
                var promotion = Promotion(type: Bool.random(using: &generator) ? .json : .bool)
                promotion.isNullable = Bool.random(using: &generator)
                promotion.maxLength = Bool.random(using: &generator) ? 1 : nil
                mapping.promotions[text()] = promotion
            case 5: mapping.partitionKey = text()
            case 6: mapping.shards = 1
            case 7: mapping.partitions = [text(), text()]
            case 8: mapping.indexes = .copy
            case 9: mapping.loads = true
            case 10: mapping.onExisting = .append
            case 11: mapping.onBadRow = .quarantine
            case 12: mapping.usesServiceDefaults = true
            default:
                var change = FieldChange()
                change.isDropped = Bool.random(using: &generator)
                if Bool.random(using: &generator) { change.name = text() }
                if Bool.random(using: &generator) { change.defaultValue = text() }
                change.isNullable = [nil, true, false].randomElement(using: &generator) ?? nil
                change.maxLength = Bool.random(using: &generator) ? 1 : nil
                mapping.fields[text()] = change
            }
        }
        return mapping
    }

    fileprivate var withoutWhatMayChange: Mapping {
        var mapping = self
        mapping.update(from: Mapping())
        mapping.partitions = partitions.map { Set($0).sorted() }
        mapping.fields = fields.filter { $0.value != FieldChange() }
        return mapping
    }
}
