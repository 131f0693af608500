import Foundation
import Testing

@testable import StopoverCore

@Suite("The quarantine")
struct QuarantineTests {
    private let scratch: JobScratch

    init() throws { scratch = try JobScratch() }

    private var read: ReadBatch {
        ReadBatch(
            split: SampleLedger.split(1), ordinal: 0, batch: Batch(rowCount: 2, columns: []),
            firstKey: .int64(1), lastKey: .int64(2))
    }

    private func keep(_ quarantine: Quarantine, _ id: Int64) throws -> QuarantineRecord {
        try quarantine.keep(
            [
                RowViolation(row: 0, field: "a\"b", reason: "is\nlong"),
                RowViolation(row: 1, field: "c", reason: "is null"),
            ],
            rows: [Array(#"{"id":1}"#.utf8), Array(#"{"id":2,"c":null}"#.utf8)], of: read,
            collection: CollectionName(collection: "x"), as: ChunkID(id))
    }

    @Test("keeps rows as lines of JSON, with the field and the reason")
    func lines() throws {
        let record = try keep(try Quarantine(directory: scratch.path, records: []), 7)
        #expect(record.rowCount == 2 && record.lastKey == .int64(2))
        let text = try String(
            contentsOfFile: scratch.path + "/000000000007.jsonl", encoding: .utf8)
        let lines = try text.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["field"] as? String } == ["a\"b", "c"])
        #expect(lines.map { $0["reason"] as? String } == ["is\nlong", "is null"])
        #expect(lines.map { $0["partition"] as? String } == ["p", "p"])
        #expect(lines.map { ($0["row"] as? [String: Any])?["id"] as? Int } == [1, 2])
        #expect(try mode(scratch.path + "/000000000007.jsonl") == 0o600)
    }

    @Test("removes what the ledger does not know when it is opened again, and nothing else")
    func reopened() throws {
        let quarantine = try Quarantine(directory: scratch.path, records: [])
        let known = try keep(quarantine, 1)
        _ = try keep(quarantine, 2)
        try scratch.write([1], to: "mine.txt")
        try scratch.write([1], to: "000000000003.jsonl.part")
        _ = try Quarantine(directory: scratch.path, records: [known])
        #expect(try scratch.names() == ["000000000001.jsonl", "mine.txt"])
    }
}
