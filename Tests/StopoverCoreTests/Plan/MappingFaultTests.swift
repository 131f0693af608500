import StopoverCore
import Testing

/// What an entry of `collections:` cannot ask, by the place where it is found.
@Suite("A mapping that cannot be meant")
struct MappingFaultTests {
    typealias Fault = MigrationYamlFaultTests.Fault

    static func entry(_ yaml: String, _ found: String) -> Fault {
        MigrationYamlFaultTests.entry(yaml, found)
    }
    static func regenerate(_ yaml: String, _ found: String) -> Fault {
        entry("auto_id: regenerate\n    " + yaml, found)
    }
    static func limit(_ yaml: String, _ found: String) -> Fault {
        MigrationYamlFaultTests.after("limits: {\(yaml)}", found)
    }

    static let values = [
        entry("filter: ''", "5:13 VALUE"),
        entry("filter: '  '", "5:13 VALUE"),
        entry("filter: [a]", "5:13 VALUE"),
        entry("filter:", "5:12 VALUE"),
        entry("shards: 0", "5:13 VALUE"),
        entry("shards: 17", "5:13 VALUE"),
        entry("shards: 99999999999999999999", "5:13 VALUE"),
        entry("indexes: all", "5:14 VALUE"),
        entry("on_bad_row: skip", "5:17 VALUE"),
        entry("load: yes", "5:11 VALUE"),
        entry("fields: {a: {nullable: maybe}}", "5:28 VALUE"),
        entry("fields: {a: {nullable: 'true'}}", "5:28 VALUE"),
        entry("fields: {a: {default: }}", "5:27 VALUE"),
        entry("fields: {a: {default: null}}", "5:27 VALUE"),
        entry("fields: {a: {default: [x]}}", "5:27 VALUE"),
        entry("fields: {a: {max_length: 0}}", "5:30 VALUE"),
        entry("fields: {a: {max_length: 65536}}", "5:30 VALUE"),
        entry("fields: {a: {max_length: -1}}", "5:30 VALUE"),
        entry("fields: {a: {rename: ''}}", "5:26 VALUE"),
        entry("fields: {a: {rename: 1st}}", "5:26 VALUE"),
        entry("fields: {a: {rename: $meta}}", "5:26 VALUE"),
        entry("fields: {a: {rename: a}}", "5:26 VALUE"),
        entry("fields: {a: {max_length: 4, default: hello}}", "5:42 VALUE"),
        entry("fields: {a: {max_length: 4, default: 日本}}", "5:42 VALUE"),
        entry("promote: [a]", "5:14 VALUE"),
        entry("promote: {a: varchar}", "5:18 VALUE"),
        entry("promote: {a: {}}", "5:18 MISSING-KEY"),
        entry("promote: {a: {nullable: true}}", "5:18 MISSING-KEY"),
        entry("promote: {a: {type: text}}", "5:25 VALUE"),
        entry("promote: {a: {type: VARCHAR, max_length: 4}}", "5:25 VALUE"),
        entry("promote: {a: {type: float_vector}}", "5:25 VALUE"),
        entry("promote: {a: {type: varchar}}", "5:18 VALUE"),
        entry("promote: {a: {type: int64, max_length: 4}}", "5:44 VALUE"),
        entry("promote: {a: {type: varchar, max_length: 0}}", "5:46 VALUE"),
        entry("promote: {a b: {type: int64}}", "5:15 VALUE"),
        entry("promote: {a.b: {type: int64}}", "5:15 VALUE"),
        entry("promote: {$meta: {type: json}}", "5:15 VALUE"),
        entry("promote: {a: {type: int64, default: 1}}", "5:32 UNKNOWN-KEY"),
        entry("keep_key: a", "5:5 UNKNOWN-KEY"),
        regenerate("keep_key_as: 'a b'", "6:18 VALUE"),
        limit("read_rows_per_second: 0", "3:32 VALUE"),
        limit("read_rows_per_second: fast", "3:32 VALUE"),
        limit("write_bytes_per_second: 1KB", "3:34 VALUE"),
        MigrationYamlFaultTests.after("defaults: zilliz", "3:11 VALUE"),
    ]

    static let contradictions = [
        entry("keep_key_as: old", "5:18 VALUE"),
        entry("auto_id: keep\n    keep_key_as: old", "6:18 VALUE"),
        regenerate("keep_key_as: a\n    fields: {a: drop}", "6:18 VALUE"),
        regenerate("keep_key_as: a\n    fields: {a: {rename: b}}", "6:18 VALUE"),
        regenerate("keep_key_as: b\n    fields: {a: {rename: b}}", "6:18 VALUE"),
        regenerate("keep_key_as: a\n    fields: {a: {nullable: true}}", "6:18 VALUE"),
        regenerate("keep_key_as: a\n    promote: {a: {type: int64}}", "6:18 VALUE"),
        entry("partition_key: a\n    fields: {a: drop}", "5:20 VALUE"),
        entry("partition_key: a\n    fields: {a: {nullable: true}}", "5:20 VALUE"),
        entry("partition_key: b\n    fields: {a: {rename: b}}", "5:20 VALUE"),
        entry("partition_key: a\n    promote: {a: {type: int64}}", "5:20 VALUE"),
        entry("partition_key: a\n    promote: {a: {type: double, nullable: false}}", "5:20 VALUE"),
        entry("fields: {a: {rename: c}, b: {rename: c}}", "5:42 VALUE"),
        entry("fields: {a: {rename: b}, b: {nullable: true}}", "5:26 VALUE"),
        entry("fields: {b: {nullable: true}, a: {rename: b}}", "5:47 VALUE"),
        entry("fields: {a: {rename: b}}\n    promote: {b: {type: bool}}", "6:15 VALUE"),
        entry("promote: {b: {type: bool}}\n    fields: {b: {nullable: true}}", "5:15 VALUE"),
    ]

    @Test("is found once, at its place, with its code", arguments: values + contradictions)
    func found(_ fault: Fault) {
        let (migration, problems) = Migration.read(yaml: fault.yaml, file: "m.yaml")
        let found = problems.map { "\($0.position) \($0.code.rawValue.dropFirst(11))" }
        #expect(found == [fault.found], "\(problems.map(\.line))")
        #expect(migration == nil && problems.allSatisfy { !$0.remedy.isEmpty })
    }

    @Test(
        "is not what merely looks like it",
        arguments: [
            "fields: {a: {rename: b}, b: drop}",
            "fields: {a: {rename: b}, b: {rename: a}}",
            "{fields: {a: drop}, promote: {a: {type: bool}}}",
            "{fields: {a: {rename: b}}, promote: {a: {type: bool}}}",
            "{dynamic_fields: drop, promote: {a: {type: json}}}",
            "{partition_key: a, fields: {a: {rename: b, nullable: false}}}",
            "{partition_key: b, fields: {a: {rename: b}, b: {rename: a}}}",
            "{partition_key: a, promote: {a: {type: varchar, max_length: 9, nullable: false}}}",
            "{auto_id: regenerate, keep_key_as: old, fields: {a: {rename: b}}}",
            "fields: {a: {default: \"\"}}", "fields: {a: {default: 'null'}}",
            "fields: {a: {default: 1.5e3, max_length: 5}}", "fields: {\"a: drop, b\": drop}",
            "shards: 16",
        ])
    func allowed(_ keys: String) throws {
        let flow = keys.hasPrefix("{") ? String(keys.dropFirst().dropLast()) : keys
        let migration = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n"
                + "collections: [{source: c, \(flow)}]", file: "m.yaml")
        #expect(migration.rules.count == 1)
    }

    @Test("names what was meant")
    func remedies() {
        func remedy(_ yaml: String) -> String? {
            Migration.read(yaml: Self.entry(yaml, "").yaml, file: "m.yaml").1.first?.remedy
        }
        #expect(
            remedy("promote: {a: {type: VARCHAR, max_length: 4}}")?.contains("`type: varchar`")
                == true)
        #expect(
            remedy("partition_key: b\n    fields: {a: {rename: b}}")?
                .contains("`partition_key: a`") == true)
        #expect(remedy("keep_key_as: old")?.contains("`auto_id: regenerate`") == true)
    }
}
