import Foundation
import StopoverCore
import Synchronization

/// A job of 64 chunks that dies where a case says, and is begun again as `stopover run` does, with the
/// types that ship: the runner, pipeline, spool, ledger, load, finaliser and sweep. Only the disk under
/// them and the two clusters are ours.
public struct CrashJob: Sendable {
    public static let chunks = 64
    /// More than any case takes.
    private static let livesLimit = 6
    private static let rowsPerSplit: Int64 = 120
    private static let sourceSeed: UInt64 = 64

    private let keys: CrashCase.Keys
    private let limits: EngineLimits
    private let diskBytes: Int
    private let source: SourceRows
    private let plan: MigrationPlan
    private let expected: [[UInt8]]

    /// Plans the job, once for all of its cases.
    /// - Parameters:
    ///   - diskBytes: what the disk of the spool has room for.
    ///   - adjust: changes the job's limits.
    public init(
        _ keys: CrashCase.Keys, diskBytes: Int = .max,
        adjust: (inout EngineLimits) -> Void = { _ in }
    ) async throws {
        self.keys = keys
        self.diskBytes = diskBytes
        var limits = CrashJob.limits
        adjust(&limits)
        self.limits = limits
        source = SourceRows(chunks: CrashJob.chunks, seed: CrashJob.sourceSeed)
        var mapping = Mapping()
        if keys == .made { mapping.autoID = .regenerate }
        let target = TargetLife(server: TargetServer(), points: FaultPoints())
        plan = try await Planner(source: source, target: target).plan(
            [TransferRequest(source: SourceRows.name, target: CrashJob.name, mapping: mapping)],
            fingerprint: "crash-points")
        expected = try source.expected(
            keys == .made ? ["value", "other"] : ["id", "value", "other"])
    }

    private static let name = CollectionName(collection: "copy")

    /// Milliseconds where a user's job has seconds.
    private static var limits: EngineLimits {
        var limits = EngineLimits()
        // Some ten chunks: it is full again and again, and later chunks are written into the files of
        // those that left.
        limits.spoolBytes = 40 << 10
        limits.cursors = 2
        limits.spoolWorkers = 2
        limits.insertRequests = 2
        limits.flushInterval = .milliseconds(3)
        limits.flushPollInterval = .milliseconds(1)
        limits.drain = .milliseconds(2)
        return limits
    }

    /// What outlives the process.
    private struct World {
        var server = TargetServer()
        var volume = Volume()
        var ledger: [String: Data] = [:]
    }

    private final class Snapshot: Sendable {
        let state = Mutex<(syncs: Int, volume: Volume, ledger: [String: Data])?>(nil)
        let syncs = Atomic(0)
    }

    /// Runs a case to its end.
    public func run(_ crash: CrashCase, traces: Bool = false) async throws -> CrashOutcome {
        let scratch = try CrashScratch()
        defer { scratch.remove() }
        var random = SeededRandom(seed: crash.seed)
        var world = World()
        world.volume.capacity = diskBytes
        var outcome = CrashOutcome()
        let snapshot = Snapshot()
        var rolledBack = false
        var isForgotten = false
        while outcome.lives < CrashJob.livesLimit {
            let life = outcome.lives
            outcome.lives += 1
            let faults = life < crash.lives.count ? crash.lives[life] : []
            let points = FaultPoints(faults, traces: traces)
            let directory = try scratch.life(life, world.ledger)
            let disk = SimulatedDisk(world.volume, points)
            let wanted = life == 0 ? crash.rollback : nil
            let ledgerDisk = try LedgerDisk(directory, points) {
                guard let wanted, snapshot.syncs.add(1, ordering: .relaxed).oldValue == wanted
                else { return }
                let files = (try? LedgerDisk.files(in: directory)) ?? [:]
                snapshot.state.withLock { $0 = (wanted, disk.contents, files) }
            }
            let target = TargetLife(
                server: world.server, points: points,
                lateness: Int.random(in: 1...40, using: &random))
            var results: [TransferResult]?
            do {
                results = try await session(directory, disk, target, scratch)
            } catch let error as StopoverError {
                outcome.errors.append(error.code.rawValue)
                if traces { points.note("the run ended: \(error)") }
                if points.struck.isEmpty, !points.isDead {
                    if rolledBack {
                        outcome.end = .stopped
                        outcome.trace += points.trace
                        ledgerDisk.end(seed: nil)
                        return outcome
                    }
                    outcome.problems.append("life \(life) had no fault and ended with \(error)")
                }
            }
            let seed = points.isDead ? random.next() : nil
            ledgerDisk.end(seed: seed)
            world.ledger = try LedgerDisk.files(in: directory)
            world.volume = disk.survivor(seed: seed)
            outcome.struck += points.struck
            if life == 0 {
                for place in PlannedFault.Place.allCases {
                    outcome.points[place] = points.count(of: place)
                }
            }
            outcome.trace += ["life \(life)"] + points.trace
            if disk.syncsAfterFailure > 0 {
                outcome.problems.append("a file was synced again after a sync of it had failed")
            }
            if life == 0, points.isDead, var back = snapshot.state.withLock({ $0 }) {
                back.volume.settle()
                world.volume = back.volume
                world.ledger = back.ledger
                rolledBack = true
                // Before the ledger had its name there was no job: a new one begins, and what the old
                // one left on the target is nobody's.
                isForgotten = back.ledger["ledger.sqlite"] == nil
                outcome.trace.append("the volume is back at sync \(back.syncs) of the ledger")
            }
            if points.isDead { continue }
            guard let results else {
                if outcome.isGood { continue }
                break
            }
            judge(
                results, world, &outcome, rolledBack: rolledBack, isForgotten: isForgotten)
            return outcome
        }
        if outcome.isGood { outcome.problems.append("no end after \(outcome.lives) lives") }
        return outcome
    }

    /// One run of the job, from its directory to its result: as `JobSession` of the executable.
    private func session(
        _ directory: String, _ disk: SimulatedDisk, _ target: TargetLife, _ scratch: CrashScratch
    ) async throws -> [TransferResult] {
        let path = directory + "/ledger.sqlite"
        if access(path, F_OK) != 0 { try await begin(path, target.points) }
        let ledger = try Ledger.open(at: path)
        let results: [TransferResult]
        do {
            let spool = try Spool(
                directory: "/spool", disk: disk, limitBytes: limits.spoolBytes,
                seed: ledger.job.seed,
                resting: try await ledger.restingChunks())
            let engine = Engine(
                source: source, target: target, ledger: ledger, spool: spool,
                quarantine: try Quarantine(
                    directory: "/quarantine", disk: SimulatedDisk(FaultPoints()),
                    records: try await ledger.quarantine()),
                board: ProgressBoard(job: "job"), errors: ErrorLog(scratch.job),
                limits: limits, stop: target.points.death)
            results = try await JobRunner(engine: engine, plan: plan, jobTag: ledger.job.tag).run()
        } catch {
            try? await ledger.close()
            throw error
        }
        try? await ledger.close()
        return results
    }

    private func begin(_ path: String, _ points: FaultPoints) async throws {
        let unfinished = path + ".new"
        for suffix in ["", "-wal", "-shm"] { unlink(unfinished + suffix) }
        let job = JobIdentity(
            id: UUID(), name: "job", seed: 7, toolVersion: "test", fingerprint: plan.fingerprint)
        let ledger = try Ledger.create(at: unfinished, job: job)
        try await JobRunner.begin(
            plan, source: source, ledger: ledger, rowsPerSplit: CrashJob.rowsPerSplit)
        try await ledger.close()
        // The name is no point of its own: a process that dies here has not begun.
        guard !points.isDead else { throw StopoverError(.processDead, "dead", remedy: "") }
        guard rename(unfinished, path) == 0 else { throw POSIXError(.EIO) }
    }

    // MARK: What must be

    private func judge(
        _ results: [TransferResult], _ world: World, _ outcome: inout CrashOutcome,
        rolledBack: Bool, isForgotten: Bool
    ) {
        // Whatever the network still holds comes now, when nobody waits for it any more.
        world.server.turn(Int.max / 2)
        let isComplete = results.allSatisfy(\.isComplete)
        let rows = (world.server.collection(CrashJob.name)?.rows ?? []).map(\.row)
            .sorted { $0.lexicographicallyPrecedes($1) }
        (outcome.lost, outcome.doubled) = CrashJob.difference(expected, rows)
        guard isComplete else {
            outcome.end = .told
            outcome.lost = 0
            outcome.doubled = 0
            if !rolledBack {
                outcome.problems.append(
                    "not complete: " + results.flatMap(\.counts.differences).joined(separator: "; ")
                )
            }
            return
        }
        if outcome.lost + outcome.doubled > 0 {
            outcome.problems.append(
                "called complete with \(outcome.lost) rows lost and \(outcome.doubled) too many")
        }
        if !isForgotten, world.server.names != [CrashJob.name] {
            outcome.problems.append(
                "left on the target: "
                    + world.server.names.map(\.collection).joined(separator: ", "))
        }
        if !world.volume.names.isEmpty {
            outcome.problems.append(
                "left in the spool: " + world.volume.names.keys.sorted().joined(separator: ", "))
        }
    }

    /// Of two sorted lists: what is missing of the first, and what is too much in the second.
    private static func difference(
        _ expected: [[UInt8]], _ found: [[UInt8]]
    ) -> (lost: Int, doubled: Int) {
        var counts: [[UInt8]: Int] = [:]
        for row in expected { counts[row, default: 0] += 1 }
        for row in found { counts[row, default: 0] -= 1 }
        return (
            counts.values.reduce(0) { $0 + max($1, 0) },
            counts.values.reduce(0) { $0 + max(-$1, 0) }
        )
    }
}
