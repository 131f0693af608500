import Foundation
import StopoverTesting
import Testing

/// What a user gets for each thing that can be wrong: a code, a remedy, an exit status, and
/// nothing lost.
@Suite("Bad input")
struct BadInputTests {
    private func expect(
        _ ended: Ended, status: Int32, code: String, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(ended.status == status, "\(ended)", sourceLocation: location)
        #expect(ended.errors.contains(code), "\(ended)", sourceLocation: location)
        #expect(ended.errors.contains("→"), "no remedy: \(ended)", sourceLocation: location)
    }

    private func migration(_ source: String, _ target: String, _ rest: String = "") -> String {
        "source: {uri: \"\(source)\"}\ntarget: {uri: \"\(target)\"}\n" + rest
    }

    @Test("a wrong address names the address")
    func wrongAddress() async throws {
        let tool = try Tool()
        let file = try tool.migration(migration("http://127.0.0.1:9", "http://127.0.0.1:10"))
        let ended = try await tool.run(["run", file])
        expect(ended, status: 1, code: "STO-CLUSTER-UNREACHABLE")
        #expect(ended.errors.contains("127.0.0.1:9"), "\(ended)")
    }

    @Test("a wrong token is refused by the cluster, and never printed")
    func wrongToken() async throws {
        let tool = try Tool()
        let server = try await RealServer(.standalone, ["--auth"])
        let file = try tool.migration(
            """
            source: {uri: "\(server.uri)", user: root, password: "${CANARY}"}
            target: {uri: "\(server.uri)", user: root, password: "${CANARY}"}
            """)
        let ended = try await tool.run(
            ["plan", file], environment: ["CANARY": "canary-4242-secret"])
        expect(ended, status: 1, code: "STO-CLUSTER-UNAUTHENTICATED")
        #expect(!(ended.errors + ended.output).contains("canary-4242"))
    }

    @Test(
        "yaml that is not yaml, an unknown key and a literal secret are placed by line and column")
    func yaml() async throws {
        let tool = try Tool()
        let cases: [(String, String, String)] = [
            ("source: [\n", "STO-CONFIG-YAML", "bad0.yaml:"),
            (
                migration("http://127.0.0.1:9", "http://127.0.0.1:10", "colections: []\n"),
                "STO-CONFIG-UNKNOWN-KEY", "bad1.yaml:3:1"
            ),
            (
                "source: {uri: \"http://h\", token: canary-4242}\ntarget: {uri: \"http://h\"}\n",
                "STO-CONFIG-LITERAL-SECRET", "bad2.yaml:1:"
            ),
        ]
        for (index, (text, code, place)) in cases.enumerated() {
            let file = try tool.migration(text, named: "bad\(index).yaml")
            let ended = try await tool.run(["run", file])
            expect(ended, status: 2, code: code)
            #expect(ended.errors.contains(place), "\(ended)")
            #expect(!ended.errors.contains("canary-4242"), "\(ended)")
        }
        expect(try await tool.run(["run", "/nowhere.yaml"]), status: 2, code: "STO-CONFIG")
    }

    @Test("an unknown collection, an unloaded one and a taken name are refused by the plan")
    func refusals() async throws {
        let tool = try Tool()
        let server = try await RealServer(.lite3)
        for (name, load) in [("loaded", "all"), ("cold", "none")] {
            let seeded = try await Clone.fixture(
                "seed_packages.py",
                ["--uri", server.uri, "--collection", name, "--rows", "50", "--load", load],
                in: tool.scratch)
            try #require(seeded.status == 0, "\(seeded)")
        }
        func run(_ collections: String) async throws -> Ended {
            let file = try tool.migration(
                migration(server.uri, server.uri, "collections: [\(collections)]\n"))
            return try await tool.run(["run", file])
        }
        expect(
            try await run("{source: nobody, target: other.nobody}"), status: 2,
            code: "NO-SUCH-COLLECTION")
        expect(
            try await run("{source: cold, target: other.cold}"), status: 2,
            code: "STO-SOURCE-NOT-LOADED")
        expect(
            try await run("{source: loaded, target: cold}"), status: 2,
            code: "STO-PLAN-TARGET-EXISTS")
    }

    @Test("a partly loaded source is refused, with the partitions that are missing")
    func partlyLoaded() async throws {
        let tool = try Tool()
        let server = try await RealServer(.standalone)
        let seeded = try await Clone.fixture(
            "seed_packages.py",
            [
                "--uri", server.uri, "--collection", "partly", "--rows", "100", "--for",
                "standalone", "--load", "partial",
            ], in: tool.scratch)
        try #require(seeded.status == 0, "\(seeded)")
        let file = try tool.migration(
            migration(
                server.uri, server.uri, "collections: [{source: partly, target: other.partly}]\n"))
        let ended = try await tool.run(["run", file])
        expect(ended, status: 2, code: "STO-SOURCE-NOT-LOADED")
        #expect(ended.errors.contains("apps") || ended.errors.contains("libs"), "\(ended)")
    }
}
