import StopoverCore
import StopoverTesting
import Testing

/// Every fault by its text, the place where it must be found and its code.
@Suite("A fault in migration.yaml")
struct MigrationYamlFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var yaml: String
        var found: String
        var testDescription: String { yaml.debugDescription }
    }

    /// Two good lines, so that the fault begins in line 3.
    static func after(_ yaml: String, _ found: String) -> Fault {
        Fault(yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n" + yaml, found: found)
    }
    static func entry(_ yaml: String, _ found: String) -> Fault {
        after("collections:\n  - source: a\n    " + yaml, found)
    }
    static func source(_ yaml: String, _ found: String) -> Fault {
        Fault(yaml: "target: {uri: http://b}\nsource:\n  uri: https://a\n  " + yaml, found: found)
    }

    static let yaml = [
        Fault(yaml: "", found: "1:1 YAML"),
        Fault(yaml: "# nothing\n", found: "1:1 YAML"),
        Fault(yaml: "just text", found: "1:1 VALUE"),
        Fault(yaml: "- a\n- b", found: "1:1 VALUE"),
        Fault(yaml: "source:\n\turi: http://a", found: "2:1 YAML"),
        Fault(yaml: "source: {uri: http://a", found: "1:23 YAML"),
        Fault(yaml: "source: [a\ntarget: b", found: "2:7 YAML"),
        Fault(yaml: "source: \"a", found: "1:11 YAML"),
        Fault(yaml: "a: b: c", found: "1:5 YAML"),
        Fault(yaml: "a: 1\n b: 2", found: "2:3 YAML"),
        Fault(yaml: "source: {}\ntarget: {}\nsource: {}", found: "1:1 YAML"),
        Fault(
            yaml: "source:\n  uri: http://a\n  uri: http://b\ntarget: {uri: http://b}",
            found: "2:3 YAML"),
        Fault(yaml: "a: \u{7}", found: "1:4 YAML"),
        Fault(yaml: "a: 1\n---\na: 2", found: "2:1 YAML"),
        Fault(yaml: String(repeating: "[", count: 20_000), found: "1:1 YAML"),
        after("verify: &x counts", "3:9 YAML"),
        after("verify: *x", "3:9 YAML"),
        after("collections: [{source: *.a}]", "3:25 YAML"),
        after("collections: [{source: !shop.tmp_*}]", "3:35 YAML"),
        entry("target: !shop.tmp_*", "5:13 YAML"),
        after("verify: !!python/none x", "3:9 YAML"),
    ]

    static let keys = [
        Fault(yaml: "source: {uri: http://a}", found: "1:1 MISSING-KEY"),
        Fault(yaml: "source: {}\ntarget: {uri: http://b}", found: "1:9 MISSING-KEY"),
        after("colections: []", "3:1 UNKNOWN-KEY"),
        after("limits: {memroy: 1GiB}", "3:10 UNKNOWN-KEY"),
        after("memory: 1GiB", "3:1 UNKNOWN-KEY"),
        after("<<: {a: b}", "3:1 UNKNOWN-KEY"),
        after("1: x", "3:1 UNKNOWN-KEY"),
        after("[a]: x", "3:1 VALUE"),
        after("collections: [{target: b}]", "3:15 MISSING-KEY"),
        after("collections: [{sorce: b}]", "3:16 UNKNOWN-KEY"),
        entry("autoid: keep", "5:5 UNKNOWN-KEY"),
        entry("fields: {title: {nulable: true}}", "5:22 UNKNOWN-KEY"),
        source("tls: {crt: a}", "4:9 UNKNOWN-KEY"),
    ]

    static let values = [
        after("verify:", "3:8 VALUE"),
        after("verify: ~", "3:9 VALUE"),
        after("verify: [counts]", "3:9 VALUE"),
        after("verify: count", "3:9 VALUE"),
        after("limits: 1GiB", "3:9 VALUE"),
        after("limits: {memory: 4G}", "3:18 VALUE"),
        after("limits: {memory: 1MiB}", "3:18 VALUE"),
        after("limits: {memory: -1}", "3:18 VALUE"),
        after("limits: {spool: 99999999EiB}", "3:17 VALUE"),
        after("limits: {cursors: 0}", "3:19 VALUE"),
        after("limits: {cursors: many}", "3:19 VALUE"),
        after("limits: {spool_dir: ~/x}", "3:21 VALUE"),
        after("collections: {source: a}", "3:14 VALUE"),
        after("collections: []", "3:14 VALUE"),
        after("collections: [shop.a]", "3:15 VALUE"),
        after("collections: [{source: a.b.c}]", "3:24 VALUE"),
        after("collections: [{source: \"a[bc]\"}]", "3:24 VALUE"),
        after("collections: [{source: \"!\"}]", "3:24 VALUE"),
        after("collections: [{source: \"!a\", target: b}]", "3:30 VALUE"),
        after("collections: [{source: \"a*\", target: b}]", "3:38 VALUE"),
        entry("target: 1st", "5:13 VALUE"),
        entry("target: \"*\"", "5:13 VALUE"),
        entry("target: \"*.a\"", "5:13 VALUE"),
        entry("target: a b", "5:13 VALUE"),
        entry("auto_id: yes", "5:14 VALUE"),
        entry("load: 'false'", "5:11 VALUE"),
        entry("partitions: []", "5:17 VALUE"),
        entry("partitions: [a, a]", "5:17 VALUE"),
        entry("partitions: [a, [b]]", "5:21 VALUE"),
        entry("partitions: all", "5:17 VALUE"),
        entry("fields: [a]", "5:13 VALUE"),
        entry("fields: {a: keep}", "5:17 VALUE"),
        entry("fields: {a: {}}", "5:17 VALUE"),
        source("plan: premium", "4:9 VALUE"),
        source("user: root", "4:9 VALUE"),
        source("password: ${P}", "4:13 VALUE"),
        source("user: ${U}\n  password: ${P}", "4:9 VALUE"),
        source("token: ${T}\n  user: root", "5:9 VALUE"),
        source("tls: {cert: a.pem}", "4:8 VALUE"),
        Fault(
            yaml: "target: {uri: http://b}\nsource: {uri: http://a, tls: {ca: x}}",
            found: "2:30 VALUE"),
    ]

    static let addresses = [
        "a:19530", "ftp://a", "http://", "http://:19530", "http://a:0", "http://a:65536",
        "http://a:x", "http://a/db", "http://a?x", "http://a b", "http://[::1", "http://[1]",
    ].map {
        Fault(yaml: "target: {uri: http://b}\nsource:\n  uri: \"\($0)\"", found: "3:8 VALUE")
    }

    static let secrets = [
        source("token: s3cr3t", "4:10 LITERAL-SECRET"),
        source("token: ${A}s3cr3t", "4:10 LITERAL-SECRET"),
        source("token: ${1A}", "4:10 LITERAL-SECRET"),
        source("token: $A", "4:10 LITERAL-SECRET"),
        source("token: fd:x", "4:10 LITERAL-SECRET"),
        source("token: 'file:'", "4:10 LITERAL-SECRET"),
        source("user: root\n  password: s3cr3t", "5:13 LITERAL-SECRET"),
        source("token: ''", "4:10 LITERAL-SECRET"),
        Fault(
            yaml: "target: {uri: http://b}\nsource: {uri: \"http://root:s3cr3t@a:1\"}",
            found: "2:15 LITERAL-SECRET"),
        Fault(
            yaml: "target: {uri: http://b}\nsource: {uri: \"https://s3cr3t@a\"}",
            found: "2:15 LITERAL-SECRET"),
        source("token: [s3cr3t]", "4:10 VALUE"),
        source("token: {s3cr3t: x}", "4:10 VALUE"),
        source("token: file:~/x", "4:10 VALUE"),
    ]

    static let notYet = [
        Fault(yaml: "source: {uri: http://a}\ntarget: {new: {lite: x}}", found: "2:10 NOT-YET")
    ]

    @Test(
        "is found once, at its place, with its code",
        arguments: yaml + keys + values + addresses + secrets + notYet)
    func found(_ fault: Fault) {
        let (migration, problems) = Migration.read(yaml: fault.yaml, file: "dir/m.yaml")
        let found = problems.map { "\($0.position) \($0.code.rawValue.dropFirst(11))" }
        #expect(found == [fault.found], "\(problems.map(\.line))")
        #expect(migration == nil)
        for problem in problems {
            #expect(problem.line.hasPrefix("dir/m.yaml:\(problem.position): "))
            #expect(!problem.line.contains("s3cr3t") && !problem.remedy.contains("s3cr3t"))
            #expect(!problem.line.contains("\n") && !problem.message.hasSuffix("."))
        }
    }

    @Test("that is a literal secret is answered with the line to write instead")
    func insteadOfSecret() throws {
        let (_, problems) = Migration.read(
            yaml: "source: {uri: http://a}\ntarget:\n  uri: http://b\n  token: s3cr3t",
            file: "m.yaml")
        #expect(try #require(problems.first).remedy.contains("`token: ${TARGET_TOKEN}`"))
    }

    @Test("leaves every other text readable: a thousand damaged copies neither crash nor leak")
    func damaged() {
        let good = Array(MigrationYamlTests.full.replacing("${SOURCE_TOKEN}", with: "s3cr3t").utf8)
        var generator = SeededRandom(seed: 17)
        for _ in 0..<1000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: at)
                case 1: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: at)
                default: bytes[at] = bytes[Int.random(in: 0..<bytes.count, using: &generator)]
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let (migration, problems) = Migration.read(yaml: text, file: "m.yaml")
            #expect((migration == nil) == !problems.isEmpty)
            // Damage may turn the secret into a key; whole and in its place it is never told.
            if text.contains("  token: s3cr3t\n") {
                #expect(!"\(problems.map { $0.line + $0.remedy })".contains("s3cr3t"))
            }
        }
    }
}
