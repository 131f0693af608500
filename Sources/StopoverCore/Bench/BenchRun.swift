import Foundation
import Synchronization

/// A migration by the whole pipeline, with spool and ledger, that is stopped after a while and leaves
/// nothing.
struct BenchRun: Sendable {
    let plan: TransferPlan
    let source: any Source
    let target: any Target
    let options: Bench.Options

    func sample(stoppedBy outer: StopSignal) async throws -> BenchSample {
        let job = JobIdentity(
            id: UUID(), name: "bench", seed: UInt64.random(in: 0 ... .max), toolVersion: "",
            fingerprint: "")
        let migration = MigrationPlan(
            fingerprint: "", source: ClusterSummary(address: "", identity: .unmeasured),
            target: ClusterSummary(address: "", identity: .unmeasured), transfers: [plan])
        let directory = try JobDirectory(home: options.directory, job: "bench")
        try directory.prepare(spool: directory.spoolPath)
        let ledger = try Ledger.create(at: directory.ledgerPath, job: job)
        try await JobRunner.begin(migration, source: source, ledger: ledger)
        let board = ProgressBoard(job: "bench")
        board.begin(
            TransferID(1),
            TransferProgress(
                source: plan.source.name, target: plan.target.name,
                rowsExpected: plan.sourceRows))
        let stop = StopSignal()
        outer.whenRequested { stop.request() }
        let engine = Engine(
            source: source, target: target, ledger: ledger,
            spool: try Spool(
                directory: directory.spoolPath, limitBytes: options.limits.spoolBytes,
                memoryBytes: options.limits.spoolMemoryBytes, packing: options.limits.spoolPacking,
                seed: job.seed, resting: []),
            quarantine: try Quarantine(directory: directory.quarantinePath, records: []),
            board: board, errors: ErrorLog(directory), limits: options.limits, stop: stop)
        let watch = MovingWatch(board)
        let watching = Task { await watch.run() }
        defer { watching.cancel() }
        let clock = Task {
            try await Task.sleep(for: .seconds(options.seconds))
            stop.request()
        }
        defer { clock.cancel() }
        var failure: (any Error)?
        do {
            _ = try await JobRunner(engine: engine, plan: migration, jobTag: job.tag).run()
        } catch let error as StopoverError where error.code == .interrupted {
            // As asked.
        } catch {
            failure = error
        }
        let sample = watch.sample(requestsAtOnce: engine.tuning.inserts.now)
        let staging = StagingName(plan, jobTag: job.tag)
        for name in try await staging.generations(on: target) + [plan.target.name] {
            try await target.drop(name)
        }
        try await ledger.close()
        if let failure { throw failure }
        if outer.isRequested { throw StopoverError.interrupted }
        return sample
    }
}

/// The time in which rows move, from the first question to the last row that is loaded: what stands
/// before and behind it (a collection is made, rows are counted) is the same for any number of rows.
private final class MovingWatch: Sendable {
    private static let interval = Duration.milliseconds(20)

    private struct State {
        var begun: (at: ContinuousClock.Instant, cpu: Duration)?
        var last: (at: ContinuousClock.Instant, cpu: Duration)?
        var moved: TransferProgress?
    }
    private let board: ProgressBoard
    private let state = Mutex(State())

    init(_ board: ProgressBoard) { self.board = board }

    func run() async {
        while !Task.isCancelled {
            look()
            try? await Task.sleep(for: MovingWatch.interval)
        }
    }

    private func look() {
        let now = (at: ContinuousClock.now, cpu: ProcessTime.now)
        let total = board.snapshot().transfers.first
        guard let total, total.phase != .planned else { return }
        state.withLock { state in
            if state.begun == nil { state.begun = now }
            guard total.rowsLoaded > state.moved?.rowsLoaded ?? 0 else { return }
            state.moved = total
            state.last = now
        }
    }

    func sample(requestsAtOnce: Int) -> BenchSample {
        look()
        return state.withLock { state in
            var (seconds, cpuSeconds) = (0.0, 0.0)
            if let begun = state.begun, let last = state.last {
                seconds = (last.at - begun.at).inSeconds
                cpuSeconds = (last.cpu - begun.cpu).inSeconds
            }
            return BenchSample(
                side: .both, requestsAtOnce: requestsAtOnce, seconds: seconds,
                cpuSeconds: cpuSeconds, rows: state.moved?.rowsLoaded ?? 0,
                bytes: state.moved?.bytesLoaded ?? 0, requests: 0)
        }
    }
}

extension ServerIdentity {
    fileprivate static let unmeasured = ServerIdentity(version: "", kind: .unknown, numbers: [])
}
