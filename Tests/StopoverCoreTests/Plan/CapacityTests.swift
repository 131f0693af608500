import Foundation
import Testing

@testable import StopoverCore

@Suite("The size of a migration")
struct CapacityTests {
    /// A thousand million rows with an INT64 key and a vector of 768 dimensions: no cluster needed.
    private static let schema = CollectionSchema(fields: [
        .sample("id", .int64) { $0.isPrimaryKey = true }, .vector("v", 768),
    ])
    private static let rows: Int64 = 1_000_000_000
    /// 16 of the message, 8 of the key, 4 × 768 of the vector.
    private static let bytes: Int64 = 3_096_000_000_000

    private func capacity(_ change: (inout Capacity.Facts) -> Void) -> Capacity {
        var facts = Capacity.Facts()
        change(&facts)
        return Capacity(rows: Self.rows, schema: Self.schema, facts)
    }

    /// By plan and compute units: megabytes a second, and how long that takes.
    @Test(
        "of a thousand million vectors is told for every plan",
        arguments: [
            (ClusterPlan.free, nil, 2, "17 d 22 h"), (.serverless, nil, 10, "3 d 14 h"),
            (.dedicated, nil, 8, "4 d 11 h"), (.dedicated, 4, 12, "71 h 40 min"),
            (.dedicated, 12, 16, "53 h 45 min"), (.dedicated, 24, 24, "35 h 50 min"),
            (.dedicated, 64, 36, "23 h 54 min"), (.dedicated, 128, 48, "17 h 55 min"),
            (.dedicated, 256, 64, "13 h 27 min"),
        ] as [(ClusterPlan, Int?, Double, String)])
    func billion(_ plan: ClusterPlan, _ units: Int?, _ megabytes: Double, _ duration: String) {
        let made = capacity {
            $0.target = plan
            $0.computeUnits = units
        }
        #expect(made.bytes == Self.bytes)
        #expect(made.limit == .insertCap)
        #expect(made.bytesPerSecond == megabytes * 1e6)
        #expect(made.seconds == Double(Self.bytes) / (megabytes * 1e6))
        #expect(
            made.line == "1,000,000,000 rows, about 2.8 TiB; spool up to 20 GiB; at least "
                + "\(duration) at \(Int(megabytes)) MB/s (insert cap of the target's plan)")
        #expect(made.fewestPages == 61_036)
        #expect(made.fewestInserts == 46_134)
        #expect(made.exceedsFreePlan == (plan == .free))
    }

    @Test("has no duration where nothing bounds it")
    func unbounded() {
        let made = capacity { _ in }
        #expect(made.seconds == nil && made.limit == nil)
        #expect(made.line.contains("duration not known"))
    }

    @Test("is bounded by the slowest of all caps, which is named")
    func slowest() {
        func limit(_ change: (inout Capacity.Facts) -> Void) -> Capacity.Limit? {
            capacity {
                $0.target = .serverless
                change(&$0)
            }.limit
        }
        // 10 MB/s are 3,229 rows of this size.
        #expect(limit { $0.readRowsPerSecond = 3_230 } == .insertCap)
        #expect(limit { $0.readRowsPerSecond = 3_229 } == .readLimit)
        #expect(limit { $0.writeBytesPerSecond = 9_999_999 } == .writeLimit)
        #expect(limit { $0.probe = .init(rowsPerSecond: 100, rowBytes: 3_000) } == .source)
    }

    @Test("goes by the rows that a probe measured, where there was one")
    func probe() {
        let made = capacity { $0.probe = .init(rowsPerSecond: 50_000, rowBytes: 1_000) }
        #expect(made.bytes == 1_000_000_000_000)
        #expect(made.seconds == 20_000)
        #expect(made.limit == .source)
    }

    @Test("needs no more spool than there are bytes, and refuses a disk that lacks it")
    func disk() {
        var facts = Capacity.Facts()
        facts.freeDiskBytes = 1 << 30
        let small = Capacity(rows: 1_000, schema: Self.schema, facts)
        #expect(small.spoolBytes == small.bytes)
        #expect(small.findings == [])
        let large = Capacity(rows: Self.rows, schema: Self.schema, facts)
        #expect(large.spoolBytes == 20 << 30)
        #expect(large.findings.refusals.map(\.code) == ["STO-PLAN-DISK"])
        #expect(large.findings.first?.remedy.contains("limits.spool") == true)
        facts.spoolLimitBytes = 1 << 30
        #expect(Capacity(rows: Self.rows, schema: Self.schema, facts).findings == [])
    }

    @Test("of nothing is nothing, and of everything is a number")
    func extremes() {
        let nothing = Capacity(of: [])
        #expect(nothing.bytes == 0 && nothing.fewestPages == 0 && nothing.fewestInserts == 0)
        let everything = Capacity(rows: .max, schema: Self.schema)
        #expect(everything.bytes == .max)
        #expect(!everything.line.isEmpty)
    }

    @Test("is JSON that reads back")
    func json() throws {
        let made = capacity { $0.target = .dedicated }
        let data = try JSONEncoder().encode(made)
        #expect(try JSONDecoder().decode(Capacity.self, from: data) == made)
    }
}
