import StopoverCore
import Testing

@Suite("The rules of collections")
struct CollectionRuleTests {
    @Test(
        "match by pattern",
        arguments: [
            ("a", "default.a", true), ("a", "shop.a", false), ("shop.a", "shop.a", true),
            ("shop.*", "shop.a", true), ("shop.*", "shops.a", false),
            ("*.a", "shop.a", true), ("*.a", "default.a", true), ("*.*", "x.y", true),
            ("*", "default.y", true), ("*", "x.y", false), ("a?", "default.ab", true),
            ("a?", "default.a", false), ("a?", "default.abc", false), ("a??", "default.abc", true),
            ("a*c", "default.abbbc", true), ("a*c", "default.ac", true),
            ("a*c", "default.acb", false),
            ("*a*", "default.bab", true), ("*ab*ab*", "default.abab", true),
            ("*ab*ab*", "default.aab", false), ("**", "default.a", true),
            ("s*p.t*", "shop.tmp", true),
            ("A", "default.a", false), ("日?", "default.日本", true), ("a*", "default.a.b", true),
            ("*aaaaaaaaaaaaaaaaaaaa*b", "default.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ])
    func glob(_ pattern: String, _ name: String, _ matches: Bool) throws {
        let dot = try #require(name.firstIndex(of: "."))
        let collection = CollectionName(
            database: String(name[..<dot]), collection: String(name[dot...].dropFirst()))
        #expect(try #require(CollectionPattern(pattern)).matches(collection) == matches)
    }

    @Test(
        "take no pattern that cannot be meant",
        arguments: [
            "", ".", "a.", ".a", "a.b.c", "a b", "a[b]", "{a}", "a,b", "!a", "a/b", "a\n",
            "a\u{1b}",
        ])
    func noPattern(_ text: String) { #expect(CollectionPattern(text) == nil) }

    private static let names = [
        "default.articles", "default.notes", "shop.items", "shop.tmp_1", "shop.tmp_2", "log.items",
    ].map { name -> CollectionName in
        let parts = name.split(separator: ".").map(String.init)
        return CollectionName(database: parts[0], collection: parts[1])
    }

    private func selection(_ collections: String) throws -> TransferSelection {
        try Migration(
            yaml: "source: {uri: http://a}\ntarget: {uri: http://b}\n" + collections, file: "m.yaml"
        ).transfers(for: Self.names)
    }

    private func mapping(_ collections: String) throws -> [String] {
        try selection(collections).requests.map { "\($0.source) \($0.target)" }
    }

    @Test("that are absent take every collection under its own name")
    func everything() throws {
        #expect(try mapping("") == Self.names.map { "\($0) \($0)" }.sorted())
    }

    @Test("are tried in order, and excludes hold wherever they stand")
    func order() throws {
        let mapped = try mapping(
            """
            collections:
              - source: "!shop.tmp_*"
              - {source: shop.items, target: store.goods}
              - {source: "shop.*", target: other.*}
              - {source: articles, target: library.*}
            """)
        #expect(mapped == ["default.articles library.articles", "shop.items store.goods"])
    }

    @Test("hand on what an entry asks")
    func request() throws {
        let request = try #require(
            try selection(
                "collections: [{source: notes, auto_id: regenerate, dynamic_fields: drop, "
                    + "fields: {a: drop}, partitions: [p], indexes: none}]"
            ).requests.first)
        #expect(request.mapping.autoID == .regenerate && !request.mapping.keepsDynamicFields)
        #expect(request.mapping.isDropped("a") && !request.mapping.isDropped("b"))
        #expect(request.mapping.partitions == ["p"])
        #expect(request.mapping.indexes == .none)
    }

    @Test("that choose nothing are noted when they are patterns")
    func unused() throws {
        let selection = try selection(
            "collections: [{source: articles}, {source: \"x.*\"}, {source: \"!y.*\"}]")
        #expect(selection.notes.map(\.subject) == ["x.*", "!y.*"])
        #expect(selection.notes.allSatisfy { $0.severity == .note })
    }

    @Test(
        "are refused with their code",
        arguments: [
            ("collections: [{source: nothing}]", "STO-PLAN-NO-SUCH-COLLECTION"),
            (
                "collections: [{source: notes}, {source: \"!*.notes\"}]",
                "STO-PLAN-NO-SUCH-COLLECTION"
            ),
            ("collections: [{source: \"*.items\", target: x.*}]", "STO-PLAN-TARGET-CLASH"),
            (
                "collections: [{source: notes, target: articles}, {source: articles}]",
                "STO-PLAN-TARGET-CLASH"
            ),
            ("collections: [{source: \"x.*\"}]", "STO-PLAN-NOTHING-TO-DO"),
            ("collections: [{source: \"!*.*\"}]", "STO-PLAN-NOTHING-TO-DO"),
        ])
    func refused(_ collections: String, _ code: String) throws {
        let error = try #require(throws: StopoverError.self) { try mapping(collections) }
        #expect(error.code.rawValue == code && error.code.exitStatus == .refused)
        #expect(!error.remedy.isEmpty)
    }
}
