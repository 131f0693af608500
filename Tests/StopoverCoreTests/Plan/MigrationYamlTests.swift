import StopoverCore
import Testing

@Suite("A migration.yaml")
struct MigrationYamlTests {
    static let full = """
        source:
          uri: https://in01-0123.aws-us-west-2.vectordb.zillizcloud.com:19530
          token: ${SOURCE_TOKEN}
          plan: dedicated
          tls: {ca: ca.pem, cert: me.pem, key: /etc/me.key, server_name: in01}
        target:
          uri: http://127.0.0.1
          user: root
          password: file:secrets/target
        collections:
          - source: default.articles
            target: library.articles
            auto_id: regenerate
            dynamic_fields: drop
            fields: {internal_note: drop, other: drop}
            partitions: [p1, p2]
            indexes: none
            load: false
            on_existing: refuse
            on_bad_row: stop
          - source: "shop.*"
            target: store.*
          - source: "!shop.tmp_*"
          - source: items
        limits: {memory: 512 MiB, spool: 2GB, spool_dir: /var/spool, cursors: 2, workers: 8}
        verify: counts
        defaults: faithful
        """

    @Test("says all that this version can do")
    func everything() throws {
        let migration = try Migration(yaml: Self.full, file: "jobs/night.yaml")
        let source = migration.source
        #expect(
            "\(source.address)" == "https://in01-0123.aws-us-west-2.vectordb.zillizcloud.com:19530")
        #expect(source.credentials == .token(.environment("SOURCE_TOKEN")))
        #expect(source.clusterPlan == .dedicated)
        #expect(
            source.tls
                == TLSFiles(
                    ca: "jobs/ca.pem", certificate: "jobs/me.pem", key: "/etc/me.key",
                    serverName: "in01"))
        #expect("\(migration.target.address)" == "http://127.0.0.1:19530")
        #expect(
            migration.target.credentials
                == .password(user: "root", .file("jobs/secrets/target")))
        #expect(migration.rules.count == 3)
        let articles = migration.rules[0]
        #expect(articles.source == CollectionPattern("default.articles"))
        #expect(
            articles.destination
                == .collection(CollectionName(database: "library", collection: "articles")))
        #expect(articles.mapping.autoID == .regenerate && !articles.mapping.keepsDynamicFields)
        let fields = articles.mapping.fields.keys.sorted()
        #expect(fields.filter(articles.mapping.isDropped) == ["internal_note", "other"])
        #expect(articles.mapping.partitions == ["p1", "p2"] && articles.mapping.indexes == .none)
        #expect(migration.rules[1].destination == .database("store"))
        #expect(migration.rules[2] == CollectionRule(source: CollectionPattern.items))
        #expect(migration.excluded == [CollectionPattern(database: "shop", collection: "tmp_*")])
        #expect(migration.limits.memory == .mebibytes(512))
        #expect(migration.limits.spool == ByteCount(2_000_000_000))
        #expect(migration.limits.spoolDirectory == "/var/spool")
        #expect(migration.limits.cursors == 2 && migration.limits.workers == 8)
    }

    @Test("of two addresses means every collection, as it is")
    func least() throws {
        let migration = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}", file: "m.yaml")
        #expect(migration.rules == [CollectionRule(source: .everything)])
        #expect(migration.excluded.isEmpty && migration.verification == .digest)
        #expect(
            migration.limits.memory == .gibibytes(1) && migration.limits.spool == .gibibytes(20))
        #expect(migration.source.credentials == nil && migration.source.tls == nil)
    }

    @Test("with excludes alone leaves them out of everything")
    func excludesAlone() throws {
        let migration = try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n"
                + "collections: [{source: '!shop.x'}]", file: "m.yaml")
        #expect(migration.rules == [CollectionRule(source: .everything)])
        #expect(migration.excluded.count == 1)
    }

    @Test("cannot set what the table of keys does not have, and the table has no key twice")
    func table() {
        let paths = ConfigKey.all.map(\.path)
        #expect(Set(paths).count == paths.count)
        for key in ConfigKey.all where !key.parent.isEmpty {
            let parent = key.parent.replacing("[]", with: "")
            #expect(paths.contains { $0.replacing("[]", with: "") == parent }, "\(key.path)")
        }
        #expect(ConfigKey.all.allSatisfy { $0.summary.hasSuffix(".") })
    }

    @Test("that cannot be opened is named, with exit status 2")
    func missing() {
        #expect {
            try Migration(contentsOf: "/nowhere/m.yaml")
        } throws: { error in
            let error = error as? StopoverError
            return error?.code == .configFile && error?.code.exitStatus == .refused
                && error?.message.contains("/nowhere/m.yaml") == true
        }
    }

    @Test("with several faults tells them together, in the order of the file, each with its place")
    func together() throws {
        let yaml = """
            target: {uri: http://b, tokn: x}
            source: {uri: nowhere}
            verify: all
            """
        let error = try #require(throws: StopoverError.self) {
            try Migration(yaml: yaml, file: "m.yaml")
        }
        let places = error.message.split(separator: "\n").filter { $0.hasPrefix("m.yaml:") }
            .map { $0.split(separator: " ")[0] }
        #expect(places == ["m.yaml:1:25:", "m.yaml:2:15:", "m.yaml:3:9:"])
        #expect(error.code == .configUnknownKey && error.message.contains("`token`?"))
    }

    @Test("with more faults than a person reads says how many more there are")
    func many() throws {
        let lines = (0..<30).map { "key\($0): 1" }.joined(separator: "\n")
        let error = try #require(throws: StopoverError.self) {
            try Migration(
                yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n" + lines, file: "m")
        }
        #expect(error.message.hasSuffix("… and 10 more"))
    }
}

extension CollectionPattern {
    static let items = CollectionPattern(database: "default", collection: "items")
}
