import Foundation

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
        try await JobRunner.begin(
            migration, source: source, ledger: ledger, rowsPerSplit: options.limits.rowsPerSplit)
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
        let meter = BenchMeter()
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
        var sample = meter.sample(.both, requestsAtOnce: options.limits.insertRequests)
        let moved = board.snapshot().total
        (sample.rows, sample.bytes) = (moved.rowsLoaded, moved.bytesLoaded)
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

extension ServerIdentity {
    fileprivate static let unmeasured = ServerIdentity(version: "", kind: .unknown, numbers: [])
}
