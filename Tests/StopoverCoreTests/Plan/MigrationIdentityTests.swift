import Foundation
import StopoverCore
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
            ("plan: dedicated", "plan: free"),
            ("http://127.0.0.1", "http://127.0.0.1:19530/"), ("[p1, p2]", "[p2, p1]"),
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
