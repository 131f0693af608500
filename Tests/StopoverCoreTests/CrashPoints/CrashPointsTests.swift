import Foundation
import StopoverTesting
import Testing

/// A whole job of 64 chunks over a disk that is ours and a ledger whose SQLite is, dying at its points.
/// `crash-points` runs every point with every fault, and replays one.
@Suite("A job of 64 chunks", .serialized)
struct CrashPointsTests {
    // A case costs 0.3 s of a core, and there are some 1,100 points of spool and ledger and 150 of the
    // target: all of them with every fault are 55 minutes for each kind of keys (`crash-points points`).
    // So each run takes every point with one fault, another one in each run.

    /// Seeds of pairs, and of volumes that go back.
    private static let seeds: UInt64 = 40

    private func check(_ tally: CrashCampaign.Tally, _ what: String) {
        print("A job of 64 chunks, \(what): \(tally)")
        for (crash, outcome) in tally.bad {
            Issue.record(
                "\(outcome.struck) → \(outcome.problems); crash-points replay \(crash.arguments)")
        }
    }

    @Test(
        "ends exact wherever the disk stops it: before a call, within it, or by an error",
        arguments: CrashCase.Keys.allCases)
    func disk(_ keys: CrashCase.Keys) async throws {
        let campaign = try await CrashCampaign(keys)
        let points = try await campaign.points()[.disk] ?? 0
        let faults = PointFault.ofDisk
        let turn = Int.random(in: 0..<faults.count)
        let tally = try await campaign.run(
            campaign.cases(.disk, points: points, stride: 1, from: 0) { point in
                [faults[(point + turn) % faults.count]]
            })
        check(tally, "keys \(keys), each of \(points) points of the disk, turn \(turn)")
        #expect(tally.struck > tally.runs / 2)
    }

    @Test(
        "ends exact wherever the target fails it: unanswered, half applied, late or forgotten",
        arguments: CrashCase.Keys.allCases)
    func target(_ keys: CrashCase.Keys) async throws {
        let campaign = try await CrashCampaign(keys)
        let points = try await campaign.points()[.target] ?? 0
        let faults = PointFault.ofTarget(keys)
        let turn = Int.random(in: 0..<faults.count)
        let tally = try await campaign.run(
            campaign.cases(.target, points: points, stride: 1, from: 0) { point in
                [faults[(point + turn) % faults.count]]
            })
        check(tally, "keys \(keys), each of \(points) points of the target, turn \(turn)")
        #expect(tally.struck > tally.runs / 2)
    }

    /// The making of the collection; the first insert is sent alone, right behind it and a look.
    private static let creation = 3
    private static let firstInsert = 5
    /// So many calls the second try has, and the first inserts behind it.
    private static let secondTry = 12

    @Test(
        "ends exact after a collection that was made twice, however late what made it is",
        arguments: CrashCase.Keys.allCases)
    func creation(_ keys: CrashCase.Keys) async throws {
        let campaign = try await CrashCampaign(keys)
        let (struck, cases) = try await campaign.cases(
            behind: PlannedFault(.target, Self.creation, .unanswered)
        ) { _ in .late }
        #expect(struck.hasPrefix("create"), "\(struck)")
        let tally = try await campaign.run(cases.prefix(Self.secondTry))
        check(tally, "keys \(keys), late calls behind \(struck)")
        #expect(tally.struck == Self.secondTry)
    }

    @Test(
        "ends exact on a disk that is smaller than its spool may be, full of chunks in doubt",
        arguments: CrashCase.Keys.allCases)
    func smallDisk(_ keys: CrashCase.Keys) async throws {
        // Three chunks; with two workers, they could be three whose predecessor is not written.
        let job = try await CrashJob(keys, diskBytes: 12 << 10) {
            $0.spoolBytes = 1 << 30
            $0.spoolWorkers = 1
        }
        let faults = (0..<4).map { PlannedFault(.target, Self.firstInsert + $0, .unanswered) }
        let outcome = try await job.run(CrashCase(keys, [faults]))
        #expect(outcome.isGood && outcome.end == .exact && outcome.lives == 1, "\(outcome)")
        #expect(outcome.struck.count == faults.count, "\(outcome.struck)")
    }

    /// So many of the points behind it are those of the count, the fence, the sweep and the end, and more.
    private static let lastPoints = 70

    @Test(
        "ends exact after an insert that came twice behind our back, wherever the target fails then"
    )
    func twice() async throws {
        let campaign = try await CrashCampaign(.made)
        let faults = PointFault.ofTarget(.made)
        let turn = Int.random(in: 0..<faults.count)
        let (struck, cases) = try await campaign.cases(
            behind: PlannedFault(.target, Self.firstInsert, .twice)
        ) { faults[($0 + turn) % faults.count] }
        #expect(struck.hasPrefix("insert"), "\(struck)")
        check(
            try await campaign.run(cases.suffix(Self.lastPoints)),
            "each of the last points of the target behind \(struck), turn \(turn)")
    }

    @Test("ends exact after two faults, whatever the seed", arguments: CrashCase.Keys.allCases)
    func pairs(_ keys: CrashCase.Keys) async throws {
        let campaign = try await CrashCampaign(keys)
        let points = try await campaign.points()
        let start = UInt64.random(in: 0..<1 << 40)
        check(
            try await campaign.run(
                (start..<start + Self.seeds).map { campaign.pair($0, points: points) }),
            "keys \(keys), pairs from seed \(start)")
    }

    @Test(
        "is never called complete with rows lost or doubled when its volume goes back",
        arguments: CrashCase.Keys.allCases)
    func rollback(_ keys: CrashCase.Keys) async throws {
        let campaign = try await CrashCampaign(keys)
        let points = try await campaign.points()
        let start = UInt64.random(in: 0..<1 << 40)
        let tally = try await campaign.run(
            (start..<start + Self.seeds).map { campaign.rollback($0, points: points) })
        check(tally, "keys \(keys), volumes that go back, from seed \(start)")
        #expect(tally.lost == 0 && tally.doubled == 0)
    }
}
