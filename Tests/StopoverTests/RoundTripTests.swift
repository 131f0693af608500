import Foundation
import StopoverTesting
import Testing

/// Everything that a server can say of a collection is the same of its copy.
@Suite("The round trip of a schema")
struct RoundTripTests {
    private func describe(
        _ name: String, in database: String, of server: RealServer, _ tool: Tool
    ) async throws -> [String: Any] {
        let ended = try await Clone.fixture(
            "describe.py", ["--uri", server.uri, "--db", database, "--collection", name],
            in: tool.scratch)
        try #require(ended.status == 0, "\(ended)")
        return ended.object
    }

    private func lines(_ description: [String: Any]) throws -> [String] {
        let data = try JSONSerialization.data(
            withJSONObject: description, options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test(
        "keeps fields, params, functions, properties, partitions, shards, indexes and aliases",
        arguments: [
            (RealServer.Kind.lite3, ["searched", "several", "keyed"]),
            (.standalone, ["keyed", "bits"]),
        ])
    func roundTrip(_ kind: RealServer.Kind, _ names: [String]) async throws {
        let tool = try Tool()
        let source = try await RealServer(kind)
        let target = try await RealServer(kind)
        let seeded = try await Clone.fixture(
            "seed_everything.py", ["--uri", source.uri, "--for", kind.rawValue],
            in: tool.scratch)
        try #require(seeded.status == 0, "\(seeded)")
        let file = try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections:
              - {source: bits*, auto_id: regenerate, indexes: copy, load: true}
              - {source: "*", indexes: copy, load: true}
            """)
        let migrated = try await tool.run(["run", file])
        #expect(migrated.status == 0, "\(migrated)")
        for name in names {
            let before = try lines(try await describe(name, in: "default", of: source, tool))
            let after = try lines(try await describe(name, in: "default", of: target, tool))
            let differences = after.difference(from: before)
            #expect(differences.isEmpty, "\(kind) \(name): \(differences)")
        }
        if kind == .lite3 {
            // The function's output is made again by the target: text search works there.
            let several = ("default", "several")
            let compared = try await tool.compare(
                source, several, target, several, ["--by-partition"])
            #expect(compared.status == 0, "\(compared)")
            let searched = try await Clone.fixture(
                "search.py",
                [
                    "--source", source.uri, "--target", target.uri, "--collection", "searched",
                    "--text", "vector night",
                ], in: tool.scratch)
            #expect(searched.object["equal"] as? Bool == true, "\(searched)")
            #expect(searched.object["hits"] as? Int ?? 0 > 50, "\(searched)")
        }
    }
}
