import Foundation
import StopoverTesting
import Testing

/// What a user of 2.3.5 needs, by a server with users on.
@Suite("Rights")
struct RightsTests {
    /// As Docs/rights.md lists them.
    private static let ofTheSource = [
        "ListDatabases", "ListAliases", "ShowPartitions", "Load", "Query",
    ]
    private static let ofTheTarget = [
        "CreateDatabase", "CreateCollection", "Insert", "Upsert", "Flush", "GetFlushState",
        "CreateIndex", "Load", "Release", "Query", "RenameCollection", "DropCollection",
        "CreateAlias",
    ]

    private func rights(
        _ server: RealServer, _ arguments: [String], _ tool: Tool
    ) async throws {
        let ended = try await Clone.fixture("rights.py", [server.uri] + arguments, in: tool.scratch)
        #expect(ended.status == 0, "\(ended)")
    }

    @Test("that the page lists are enough, and each that is missing is named before a byte moves")
    func needed() async throws {
        let tool = try Tool()
        let server = try await RealServer(.standalone, ["--auth"])
        let file = try tool.migration(
            """
            source: {uri: "\(server.uri)", user: reader, password: "${PASSWORD}"}
            target: {uri: "\(server.uri)", user: writer, password: "${PASSWORD}"}
            collections: [{source: things, target: moved.things}]
            """)
        let environment = ["PASSWORD": "Passw0rd1"]
        try await rights(server, ["seed"], tool)
        for user in ["reader", "writer"] {
            try await rights(server, ["user", user, "Passw0rd1"], tool)
        }
        try await rights(server, ["grant", "reader"] + Self.ofTheSource, tool)
        // The target's names are looked for, too.
        let looks = ["ListDatabases", "ListAliases", "ShowPartitions"]
        try await rights(server, ["grant", "writer"] + looks, tool)

        let none = try await tool.run(["run", file, "--job", "a"], environment: environment)
        #expect(none.status == 2 && none.errors.contains("STO-PLAN-RIGHTS"), "\(none)")
        let named = "may not " + Self.ofTheTarget.joined(separator: ", ") + " there"
        #expect(none.errors.contains(named), "\(none)")

        try await rights(server, ["grant", "writer"] + Self.ofTheTarget, tool)
        try await rights(server, ["revoke", "writer", "RenameCollection"], tool)
        let one = try await tool.run(["plan", file], environment: environment)
        #expect(one.status == 2 && one.output.contains("may not RenameCollection there"), "\(one)")

        try await rights(server, ["grant", "writer", "RenameCollection"], tool)
        let run = try await tool.run(["run", file, "--job", "a"], environment: environment)
        #expect(run.status == 0, "\(run)")
        try await rights(server, ["revoke", "reader", "Query"], tool)
        let source = try await tool.run(["plan", file], environment: environment)
        #expect(source.status == 1 && source.errors.contains("STO-CLUSTER-PERMISSION"), "\(source)")
        #expect(source.errors.contains("PrivilegeQuery"), "\(source)")
    }
}
