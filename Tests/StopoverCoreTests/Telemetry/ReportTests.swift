import Foundation
import Testing

@testable import StopoverCore

@Suite("The report of a job")
struct ReportTests {
    private func result(
        _ name: String, atPlan: Int64 = 6000, atEnd: Int64 = 6000, read: Int64 = 6000,
        loaded: Int64 = 6000, target: Int64? = 6000, leftAs: CollectionName? = nil
    ) -> TransferResult {
        TransferResult(
            source: CollectionName(collection: name),
            target: CollectionName(database: "library", collection: name), leftAs: leftAs,
            counts: TransferCounts(
                sourceAtPlan: atPlan, sourceAtEnd: atEnd, read: read, loaded: loaded,
                target: target), unreadable: [])
    }

    private func report(_ results: [TransferResult]) -> JobReport {
        JobReport(
            job: "night-0a1b2c3d", results: results, elapsedSeconds: 192,
            targetAddress: "http://127.0.0.1:19530")
    }

    @Test("says COMPLETE when all counts agree, and how to load in its last line")
    func complete() {
        #expect(
            report([result("packages")]).lines() == [
                "COMPLETE  job night-0a1b2c3d  in 3:12",
                "  default.packages → library.packages",
                "    rows: source 6,000, distinct 6,000 · read 6,000 · loaded 6,000 · target 6,000",
                "    proven (counts): the target counts what was loaded. Not proven: the content of "
                    + "rows",
                "Not loaded yet, so not searchable. Load with pymilvus:",
                "  MilvusClient(\"http://127.0.0.1:19530\", db_name=\"library\")"
                    + ".load_collection(\"packages\")",
            ])
        #expect(report([]).verdict.exitStatus == .complete)
    }

    @Test("says MISMATCH when one count of one transfer differs, and which")
    func mismatch() {
        let staging = CollectionName(database: "library", collection: "b__stopover_1_e1")
        let report = report([
            result("a"),
            result("b", atEnd: 6002, read: 5999, loaded: 5999, target: 5998, leftAs: staging),
        ])
        #expect(report.verdict.exitStatus == .mismatch)
        let lines = report.lines()
        #expect(lines[0].hasPrefix("MISMATCH  job"))
        #expect(
            lines[5]
                == "    rows: source 6,002, distinct 5,999 · read 5,999 · loaded 5,999 · target 5,998"
        )
        #expect(lines.count { $0.hasPrefix("    differs: ") } == 2)
        #expect(lines.contains("    not published: its rows are in library.b__stopover_1_e1"))
        #expect(lines.last?.contains("load_collection(\"a\")") == true)
    }

    @Test("of rows that were added counts what was there before, and what was overwritten")
    func added() {
        func counts(_ target: Int64, mayOverwrite: Bool) -> TransferCounts {
            var counts = TransferCounts(
                sourceAtPlan: 100, sourceAtEnd: 100, read: 100, loaded: 100, target: target)
            counts.before = 40
            counts.mayOverwrite = mayOverwrite
            return counts
        }
        // Keys of ours: from all new to as many overwritten as there were.
        #expect(counts(140, mayOverwrite: true).overwritten == 0)
        #expect(counts(100, mayOverwrite: true).overwritten == 40)
        for wrong in [99, 141] as [Int64] {
            #expect(!counts(wrong, mayOverwrite: true).isComplete)
            #expect(counts(wrong, mayOverwrite: true).overwritten == nil)
        }
        #expect(counts(140, mayOverwrite: false).isComplete)
        #expect(counts(140, mayOverwrite: false).overwritten == nil)
        for wrong in [139, 141] as [Int64] {
            #expect(!counts(wrong, mayOverwrite: false).isComplete)
        }
        var added = result("a")
        added.counts = counts(110, mayOverwrite: true)
        let lines = report([added]).lines()
        #expect(lines[2].hasSuffix("target 110, before 40"))
        #expect(lines[3] == "    rows that took the place of one with their key: 30")
    }

    @Test("does not print more lines to paste than a person reads, and quotes every name")
    func load() {
        let many = (0..<9).map { result("c\($0)") }
        #expect(report(many).lines().count { $0.contains("load_collection") } == 5)
        var odd = report([result("a\"b\\c\u{1b}")])
        odd.targetNeedsToken = true
        #expect(
            odd.lines().last
                == #"  MilvusClient("http://127.0.0.1:19530", token=TOKEN, db_name="library")"#
                + #".load_collection("a\"b\\c\u{1b}")"#)
    }

    @Test("is an object for programs")
    func json() throws {
        let line = try JSONLine.text(
            "result", report([result("a", target: nil)]), at: Date(timeIntervalSince1970: 0))
        #expect(
            line.hasPrefix(#"{"elapsedSeconds":192,"exitStatus":0,"job":"night-0a1b2c3d","time":"#))
        #expect(line.hasSuffix(#""type":"result","verdict":"COMPLETE"}"#))
    }
}

@Suite("A table")
struct TextTableTests {
    private var table: TextTable {
        var table = TextTable([.init("collection"), .init("rows", .right), .init("")])
        table.add(["default.日本", "1,200", "x"])
        table.add(["evil\u{1b}[2J\n", "7"])
        return table
    }

    @Test("aligns its columns and escapes its cells")
    func aligned() {
        #expect(
            table.lines() == [
                "collection        rows",
                "default.日本     1,200  x",
                "evil\\u{1b}[2J\\n      7",
            ])
    }

    @Test("cuts the widest column when the terminal is narrow")
    func narrow() {
        let lines = table.lines(width: 20)
        #expect(lines.allSatisfy { TerminalText.width($0) <= 20 })
        #expect(lines[1] == "default.…   1,200  x")
    }

    @Test("without titles has no header, without columns no width to give")
    func bare() {
        var table = TextTable([.init("")])
        table.add(["a", "surplus"])
        #expect(table.lines() == ["a"])
        #expect(TextTable([]).lines(width: 10).isEmpty)
    }
}
