import Foundation
import StopoverTesting
import Testing

/// Whole migrations by the real binary between real servers, compared by the official Python client.
@Suite("A migration between real servers")
struct MigrationTests {
    @Test("carries every field of every row from Lite 3 to Standalone 2.3.5 and back")
    func thereAndBack() async throws {
        let tool = try Tool()
        let lite = try await SharedSource.packages.server()
        let standalone = try await RealServer(.standalone)

        // What 2.3.5 cannot hold is named before anything is written.
        let whole = try tool.migration(
            """
            source: {uri: "\(lite.uri)"}
            target: {uri: "\(standalone.uri)"}
            collections:
              - source: packages
            """, named: "whole.yaml")
        let refused = try await tool.run(["run", whole])
        #expect(refused.status == 2, "\(refused)")
        #expect(refused.output.contains("homepage") || refused.errors.contains("homepage"))
        #expect(refused.output.contains("multi_arch") || refused.errors.contains("multi_arch"))

        let there = try tool.migration(
            """
            source: {uri: "\(lite.uri)"}
            target: {uri: "\(standalone.uri)"}
            collections:
              - source: packages
                target: archive.packages
                fields: {homepage: drop, multi_arch: drop}
            """, named: "there.yaml")
        let migrated = try await tool.run(["run", there])
        #expect(migrated.status == 0, "\(migrated)")
        let first = try await tool.compare(
            lite, ("default", "packages"), standalone, ("archive", "packages"),
            ["--drop-field", "homepage", "--drop-field", "multi_arch", "--by-partition"])
        #expect(first.status == 0, "\(first)")

        // A finished migration leaves its collection unloaded, and the next one reads loaded ones only.
        let loaded = try await Clone.fixture(
            "load.py", ["--uri", standalone.uri, "--db", "archive", "--collection", "packages"],
            in: tool.scratch)
        #expect(loaded.status == 0, "\(loaded)")
        let other = try await RealServer(.lite3)
        let back = try tool.migration(
            """
            source: {uri: "\(standalone.uri)"}
            target: {uri: "\(other.uri)"}
            collections:
              - source: archive.packages
                target: returned.packages
            """, named: "back.yaml")
        let returned = try await tool.run(["run", back])
        #expect(returned.status == 0, "\(returned)")
        let second = try await tool.compare(
            standalone, ("archive", "packages"), other, ("returned", "packages"),
            ["--by-partition"])
        #expect(second.status == 0, "\(second)")
    }

    @Test(
        "keeps nasty keys and values, nulls and empty arrays between two Lite 3 servers",
        arguments: [
            "int64", "varchar",
        ])
    func nasty(key: String) async throws {
        let tool = try Tool()
        let source = try await RealServer(.lite3)
        let target = try await RealServer(.lite3)
        let seeded = try await Clone.fixture(
            "seed_keys.py",
            ["--uri", source.uri, "--collection", "nasty", "--for", "lite3", "--key", key],
            in: tool.scratch)
        #expect(seeded.status == 0, "\(seeded)")
        let file = try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            """)
        let migrated = try await tool.run(["run", file])
        #expect(migrated.status == 0, "\(migrated)")
        let compared = try await tool.compare(
            source, ("default", "nasty"), target, ("default", "nasty"), [])
        #expect(compared.status == 0, "\(compared)")
    }

    @Test("gives new keys to every row with auto_id: regenerate")
    func regenerate() async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let file = try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections:
              - source: packages
                target: fresh.packages
                auto_id: regenerate
            """)
        let migrated = try await tool.run(["run", file])
        #expect(migrated.status == 0, "\(migrated)")
        let compared = try await tool.compare(
            source, ("default", "packages"), target, ("fresh", "packages"),
            ["--by-partition"], autoID: "regenerate")
        #expect(compared.status == 0, "\(compared)")
        // The same command again finds the job done, and changes nothing.
        let again = try await tool.run(["run", file])
        #expect(again.status == 0, "\(again)")
    }
}
