import StopoverTesting
import Testing

/// Every key of the mapping: its effect on real servers, seen by the official Python client, and
/// its refusal.
@Suite("The mapping")
struct MappingTests {
    private static let rules = """
          - {source: renamed, target: moved.*, fields: {title: {rename: headline}}}
          - {source: filtered, target: moved.*, filter: "year >= 2015"}
          - {source: regenerated, target: moved.*, auto_id: regenerate, keep_key_as: source_id}
          - {source: dropped, target: moved.*, dynamic_fields: drop, fields: {price: drop}}
          - {source: not_null, target: moved.*,
             fields: {title: {nullable: false, default: untitled}}}
          - {source: nullable, target: moved.*, fields: {year: {nullable: true}}}
          - {source: defaulted, target: moved.*, fields: {year: {default: 1999}}}
          - {source: keyed, target: moved.*, partition_key: tenant}
          - {source: longer, target: moved.*, fields: {title: {max_length: 1024}}}
          - {source: loaded, target: moved.*, load: true}
          - {source: copied, target: moved.*, indexes: copy}
          - {source: unindexed, target: moved.*, indexes: none}
          - {source: parted, target: moved.*, partitions: [one]}
          - {source: "al*", target: moved.*}
          - source: places
            target: moved.*
            fields:
              at: {nullable: false, default: 2024-02-29T23:59:59.5+02:00}
              place: {nullable: false, default: "POLYGON ((0 0, 0 1, 1 1, 0 0))"}
        """
    private static let cases = [
        "renamed", "filtered", "regenerated", "dropped", "not_null", "nullable", "defaulted",
        "keyed", "longer", "loaded", "copied", "unindexed", "parted", "aliased", "places",
    ]

    private func expect(
        _ cases: [String], in database: String, of server: RealServer, _ tool: Tool,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let checked = try await Clone.fixture(
            "mapping.py",
            ["check", "--uri", server.uri, "--for", server.kind.rawValue, "--db", database]
                + cases, in: tool.scratch)
        #expect(checked.status == 0, "\(checked)", sourceLocation: location)
        for name in cases {
            #expect(
                checked.object[name] as? [String] == [], "\(name): \(checked)",
                sourceLocation: location)
        }
    }

    @Test("does what each of its keys says, between two Lite 3 servers")
    func effects() async throws {
        let tool = try Tool()
        let source = try await RealServer(.lite3)
        let target = try await RealServer(.lite3)
        let seeded = try await Clone.fixture(
            "mapping.py", ["seed", "--uri", source.uri], in: tool.scratch)
        try #require(seeded.status == 0, "\(seeded)")
        let endpoints = """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}

            """
        let all = try tool.migration(
            endpoints + "collections:\n" + Self.rules, named: "all.yaml")
        let migrated = try await tool.run(["run", all])
        #expect(migrated.status == 0, "\(migrated)")
        #expect(
            migrated.output.contains("color in 200 rows"), "dropped keys are counted: \(migrated)")
        try await expect(Self.cases, in: "moved", of: target, tool)

        // One row's key is of another type: quarantine, exit 3, and the rest arrives.
        func promoting(_ onBadRow: String) throws -> String {
            try tool.migration(
                endpoints + """
                    collections:
                      - source: promoted
                        target: set_aside.*
                        on_bad_row: \(onBadRow)
                        promote:
                          color: {type: varchar, max_length: 16}
                          weight: {type: int64}
                    """, named: "promote.yaml")
        }
        let stopped = try await tool.run(["run", try promoting("stop"), "--job", "promote"])
        #expect(stopped.status == 1, "\(stopped)")
        #expect(stopped.errors.contains("STO-ROW-DOES-NOT-FIT"), "\(stopped)")
        #expect(stopped.errors.contains("weight"), "\(stopped)")
        // The same job carries on with the other answer.
        let aside = try await tool.run(["run", try promoting("quarantine"), "--job", "promote"])
        #expect(aside.status == 3, "\(aside)")
        #expect(aside.output.contains("1 rows do not fit"), "\(aside)")
        try await expect(["promoted"], in: "set_aside", of: target, tool)
        let rows = try tool.quarantine(of: "promote")
        #expect(rows.count == 1)
        #expect(rows.first?["field"] as? String == "weight")
        let row = rows.first?["row"] as? [String: Any]
        #expect((row?["$meta"] as? [String: Any])?["weight"] as? String == "heavy", "\(rows)")

        let service = try tool.migration(
            endpoints + "collections: [{source: service, target: proposed.*}]\ndefaults: service",
            named: "service.yaml")
        let proposed = try await tool.run(["run", service])
        #expect(proposed.status == 0, "\(proposed)")
        try await expect(["service"], in: "proposed", of: target, tool)

        for refusal in Self.refusals {
            let file = try tool.migration(
                endpoints + "collections:\n  - " + refusal.rule, named: "refused.yaml")
            let refused = try await tool.run(["plan", file])
            #expect(refused.status == 2, "\(refusal): \(refused)")
            for word in refusal.says {
                #expect(
                    (refused.output + refused.errors).contains(word), "\(refusal): \(refused)")
            }
        }
    }

    private struct Refusal {
        var rule: String
        var says: [String]
    }

    private static let refusals = [
        Refusal(rule: "{source: renamed, fields: {headline: {rename: x}}}", says: ["headline"]),
        Refusal(rule: "{source: renamed, fields: {title: {rename: year}}}", says: ["year"]),
        Refusal(rule: "{source: filtered, filter: \"year >= \"}", says: ["filter"]),
        Refusal(
            rule: "{source: keyed, auto_id: regenerate, keep_key_as: year}", says: ["year"]),
        Refusal(
            rule: "{source: dropped, promote: {color: {type: varchar}}}", says: ["max_length"]),
        Refusal(
            rule: "{source: dropped, promote: {year: {type: int64}}}", says: ["year"]),
        Refusal(rule: "{source: dropped, fields: {v: drop}}", says: ["vector"]),
        Refusal(rule: "{source: dropped, fields: {id: drop}}", says: ["primary key"]),
        Refusal(rule: "{source: nullable, fields: {id: {nullable: true}}}", says: ["id"]),
        Refusal(rule: "{source: nullable, fields: {v: {nullable: true}}}", says: ["v"]),
        Refusal(rule: "{source: defaulted, fields: {year: {default: soon}}}", says: ["soon"]),
        Refusal(rule: "{source: defaulted, fields: {v: {default: 1}}}", says: ["v"]),
        Refusal(
            rule: "{source: places, fields: {at: {default: 2024-02-29T23:59:59}}}",
            says: ["places.at", "TIMESTAMPTZ"]),
        Refusal(
            rule: "{source: places, fields: {place: {default: \"LINESTRING (0 0, 1 1)\"}}}",
            says: ["places.place", "a point or a polygon"]),
        Refusal(rule: "{source: keyed, partition_key: price}", says: ["price"]),
        Refusal(rule: "{source: keyed, partition_key: title}", says: ["title"]),
        Refusal(rule: "{source: keyed, partition_key: nobody}", says: ["nobody"]),
        Refusal(rule: "{source: longer, fields: {year: {max_length: 9}}}", says: ["year"]),
        Refusal(rule: "{source: parted, partitions: [three]}", says: ["three"]),
        Refusal(rule: "{source: loaded, load: true, indexes: none}", says: ["load"]),
    ]

    @Test("makes shards, a partition key and copied indexes on Standalone 2.3.5")
    func standalone() async throws {
        let tool = try Tool()
        let server = try await RealServer(.standalone)
        let cases = ["keyed", "copied", "regenerated", "renamed", "filtered"]
        let seeded = try await Clone.fixture(
            "mapping.py", ["seed", "--uri", server.uri, "--for", "standalone"] + cases,
            in: tool.scratch)
        try #require(seeded.status == 0, "\(seeded)")
        let file = try tool.migration(
            """
            source: {uri: "\(server.uri)"}
            target: {uri: "\(server.uri)"}
            collections:
              - {source: keyed, target: moved.*, partition_key: tenant, shards: 4}
              - {source: copied, target: moved.*, indexes: copy}
              - {source: regenerated, target: moved.*, auto_id: regenerate, keep_key_as: source_id}
              - {source: renamed, target: moved.*, fields: {title: {rename: headline}}}
              - {source: filtered, target: moved.*, filter: "year >= 2015"}
            """)
        let migrated = try await tool.run(["run", file])
        #expect(migrated.status == 0, "\(migrated)")
        try await expect(cases, in: "moved", of: server, tool)
        let described = try await Clone.fixture(
            "describe.py", ["--uri", server.uri, "--db", "moved", "--collection", "keyed"],
            in: tool.scratch)
        #expect(described.object["shards"] as? Int == 4, "\(described)")
    }
}
