import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore

/// `stopover verify` and `repair`, and the receipt, as a user has them.
@Suite("A finished job")
struct VerifyTests {
    private func migrated(
        _ tool: Tool, _ target: RealServer, autoID: String = "keep", _ more: String = ""
    ) async throws -> (file: String, run: Ended) {
        let source = try await SharedSource.packages.server()
        let file = try tool.migration(
            """
            source: {uri: "\(source.uri)"}
            target: {uri: "\(target.uri)"}
            collections: [{source: packages, target: moved.packages, auto_id: \(autoID)}]
            limits: {page: 64KiB}
            \(more)
            """)
        let run = try await tool.run(["run", file, "--job", "job"])
        try #require(run.status == 0, "\(run)")
        return (file, run)
    }

    private func lines(_ tool: Tool, _ kind: String) throws -> [[String: Any]] {
        let path = tool.scratch.path + "/home/jobs/job/mismatches/\(kind).jsonl"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
    }

    @Test(
        "is verified at its end, again, and from its receipt in a fresh place",
        arguments: ["keep", "regenerate"])
    func verified(_ autoID: String) async throws {
        let tool = try Tool()
        let target = try await RealServer(.lite3)
        let (_, run) = try await migrated(tool, target, autoID: autoID)
        #expect(run.output.contains("proven (digest): each of 6,000 rows was read back"), "\(run)")
        #expect(run.output.contains("not proven: that the source gave its rows rightly"), "\(run)")
        for level in ["counts", "sample", "full"] {
            let again = try await tool.run(["verify", "job", "--level", level])
            #expect(again.status == 0 && again.output.contains("proven (\(level))"), "\(again)")
        }
        let job = tool.scratch.path + "/home/jobs/job"
        let page = try String(contentsOfFile: job + "/report.html", encoding: .utf8)
        #expect(page.contains("each of 6,000 rows was read back from the target and once more"))
        #expect(!page.contains("http://www") && !page.contains("src="), "it needs nothing else")

        let elsewhere = try Tool()
        let receipt = elsewhere.scratch.path + "/receipt.json"
        try FileManager.default.copyItem(atPath: job + "/receipt.json", toPath: receipt)
        let checked = try await elsewhere.run(["verify", receipt])
        #expect(checked.status == 0 && checked.output.contains("proven (digest)"), "\(checked)")

        var bytes = [UInt8](try Data(contentsOf: URL(filePath: receipt)))
        let place = Int.random(in: bytes.indices)
        bytes[place] ^= 1
        try Data(bytes).write(to: URL(filePath: receipt))
        let refused = try await elsewhere.run(["verify", receipt])
        #expect(refused.status == 2, "byte \(place): \(refused)")
        #expect(refused.errors.contains("STO-RECEIPT-DAMAGED"), "byte \(place): \(refused)")
    }

    @Test("that was spoiled is told row by row, and repaired")
    func repaired() async throws {
        let tool = try Tool()
        let target = try await RealServer(.lite3)
        _ = try await migrated(tool, target)
        let spoiled = try await Clone.fixture(
            "spoil.py", ["--uri", target.uri, "--db", "moved", "--collection", "packages"],
            in: tool.scratch)
        try #require(spoiled.status == 0, "\(spoiled)")
        func keys(_ name: String) -> [Int] { (spoiled.object[name] as? [Int] ?? []).sorted() }
        let found = try await tool.run(["verify", "job"])
        #expect(found.status == 3 && found.output.contains("MISMATCH"), "\(found)")
        func listed(_ kind: String) throws -> [Int] {
            try lines(tool, kind).compactMap { $0["key"] as? Int }.sorted()
        }
        #expect(try listed("missing") == keys("dropped"))
        #expect(try listed("extra") == keys("added"))
        #expect(try listed("differ") == keys("changed"))
        let field = try #require(spoiled.object["field"] as? String)
        #expect(try lines(tool, "differ").allSatisfy { $0["fields"] as? [String] == [field] })

        // Rows that were not sent are left alone until that is asked for.
        let repaired = try await tool.run(["repair", "job"])
        #expect(repaired.status == 3, "\(repaired)")
        #expect(try listed("missing").isEmpty && listed("differ").isEmpty)
        #expect(try listed("extra") == keys("added"))
        let whole = try await tool.run(["repair", "job", "--delete-extra"])
        #expect(whole.status == 0, "\(whole)")
        #expect(try listed("extra").isEmpty)
        let source = try await SharedSource.packages.server()
        let compared = try await tool.compare(
            source, ("default", "packages"), target, ("moved", "packages"), ["--by-partition"])
        #expect(compared.status == 0, "\(compared)")
        let again = try await tool.run(["verify", "job", "--level", "full"])
        #expect(again.status == 0, "\(again)")
    }

    @Test("has a verification that is taken up where it was killed")
    func interrupted() async throws {
        let tool = try Tool()
        let target = try await RealServer(.lite3)
        let (file, _) = try await migrated(tool, target)
        let slow = try tool.migration(
            try String(contentsOfFile: file, encoding: .utf8).replacing(
                "{page: 64KiB}", with: "{page: 64KiB, write_bytes_per_second: 1MiB}"),
            named: "slow.yaml")
        let killed = try tool.start(["verify", "job", "--file", slow])
        try await Task.sleep(for: .seconds(4))
        #expect(killed.isRunning)
        killed.signal(SIGKILL)
        _ = try await killed.ended()
        let ledger = try Ledger.open(at: tool.scratch.path + "/home/jobs/job/ledger.sqlite")
        let begun = try #require(try await ledger.verifications().last)
        #expect(begun.id == 2 && begun.summary == nil)
        let proved = try await ledger.proofs(ChunkID(1)...ChunkID(1 << 40)).filter {
            $0.verification == begun.id
        }
        #expect(!proved.isEmpty)
        try await ledger.close()
        let again = try await tool.run(["verify", "job"])
        #expect(again.status == 0, "\(again)")
        let reopened = try Ledger.open(at: tool.scratch.path + "/home/jobs/job/ledger.sqlite")
        // The same verification, and no other one.
        let ended = try #require(try await reopened.verifications().last)
        #expect(ended.id == 2 && ended.summary?.isClean == true, "\(ended)")
        #expect(ended.summary?.comparedRows == 6_000)
        try await reopened.close()
    }

    @Test("that has not ended, or is not there, is not verified")
    func refused() async throws {
        let tool = try Tool()
        let none = try await tool.run(["verify", "nothing"])
        #expect(none.status == 64 && none.errors.contains("STO-JOB-UNKNOWN"), "\(none)")
        let file = try await tool.run(["verify", "./nothing.json"])
        #expect(file.status == 64 && file.errors.contains("STO-RECEIPT-FILE"), "\(file)")
    }
}
