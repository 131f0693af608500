import Foundation

/// How fast a transfer can be, and what limits it: its source alone, its target alone, then both. Writes
/// to collections of its own on the target, which are dropped at the end.
public struct Bench: Sendable {
    public struct Options: Sendable {
        /// Of each measurement.
        public var seconds = 5.0
        /// What to measure.
        public var sides = Set(BenchSample.Side.allCases)
        /// Requests at once that are tried on either side.
        public var requestsAtOnce = [1, 2, 4, 8]
        public var limits = EngineLimits()
        /// For the ledger and the spool; made and removed by the caller.
        public var directory: String

        public init(directory: String) { self.directory = directory }
    }

    /// Bytes of pages that are kept to be inserted again and again.
    static let samplePagesBytes = 64 << 20
    /// Pages of keys that are read at most, so that a large collection is not read whole first.
    static let mostRanges = 64

    let plan: TransferPlan
    let source: any Source
    let target: any Target
    let options: Options
    let stop: StopSignal

    public init(
        _ plan: TransferPlan, source: any Source, target: any Target, options: Options,
        stop: StopSignal
    ) {
        self.plan = plan
        self.source = source
        self.target = target
        self.options = options
        self.stop = stop
    }

    /// - Parameter measured: told of each measurement as it ends.
    public func run(measured: (BenchSample) -> Void) async throws -> [BenchSample] {
        var samples: [BenchSample] = []
        func note(_ sample: BenchSample) {
            samples.append(sample)
            measured(sample)
        }
        let splits = try await ranges()
        if options.sides.contains(.source) {
            for requests in options.requestsAtOnce {
                note(try await measureSource(splits, requests))
            }
        }
        if options.sides.contains(.target) {
            let rows = try await samplePages(splits)
            try await onScratch(numbered: 1) { collection in
                for requests in options.requestsAtOnce {
                    note(try await measureTarget(rows, requests, on: collection))
                }
            }
        }
        if options.sides.contains(.both) { note(try await measureBoth(after: samples)) }
        return samples
    }

    private var end: ContinuousClock.Instant { .now + .seconds(options.seconds) }

    private func isOver(_ end: ContinuousClock.Instant) throws -> Bool {
        if stop.isRequested { throw StopoverError.interrupted }
        return .now >= end
    }

    // MARK: The source

    /// What to read, in pieces of a page of keys: enough for any number of cursors, and of a large collection
    /// no more is asked for than is read.
    private func ranges() async throws -> [(partition: String?, range: KeyRange)] {
        var ranges: [(String?, KeyRange)] = []
        for partition in plan.readPartitions {
            var rest = KeyRange.all
            while ranges.count < Bench.mostRanges, !stop.isRequested {
                let page = try await source.page(
                    PageRequest(
                        keysOf: plan.rows(of: partition, in: rest),
                        rowLimit: PageSizer.serverRowLimit))
                guard let last = page.lastKey else { break }
                ranges.append((partition, KeyRange(after: rest.after, through: last)))
                rest.after = last
            }
        }
        guard !ranges.isEmpty else { throw noRows }
        return ranges
    }

    private var noRows: StopoverError {
        StopoverError(
            .benchEmpty, "\(plan.source.name) has no row to measure with",
            remedy: "Name a collection with rows: `stopover bench FILE --collection NAME`.")
    }

    private func measureSource(
        _ splits: [(partition: String?, range: KeyRange)], _ cursors: Int
    ) async throws -> BenchSample {
        let (meter, end) = (BenchMeter(), self.end)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for cursor in 0..<cursors {
                group.addTask {
                    // Each begins elsewhere, and goes round until the time is over.
                    var next = cursor * splits.count / cursors
                    while try !isOver(end) {
                        let split = splits[next % splits.count]
                        next += 1
                        try await read(split.partition, split.range, until: end) { page, took in
                            meter.add(
                                rows: page.batch.rowCount, bytes: page.batch.byteCount, took: took)
                            return true
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return meter.sample(.source, requestsAtOnce: cursors)
    }

    /// Pages of a range, one after the other, until the time is over or `body` has enough.
    private func read(
        _ partition: String?, _ range: KeyRange, until end: ContinuousClock.Instant,
        _ body: (Page, Duration) throws(StopoverError) -> Bool
    ) async throws {
        var cursor = SplitCursor(
            remaining: range,
            sizer: PageSizer(
                targetBytes: options.limits.pageBytes,
                estimatedRowBytes: plan.source.schema.estimatedRowBytes))
        while try !isOver(end), case .ask(let range, let rowLimit) = cursor.next {
            let begun = ContinuousClock.now
            do throws(StopoverError) {
                let page = try await source.page(
                    PageRequest(
                        rows: plan.rows(of: partition, in: range), fields: plan.readFields,
                        rowLimit: rowLimit, timestamp: nil))
                try cursor.pageArrived(page)
                guard try body(page, .now - begun) else { return }
            } catch {
                guard error.code == .pageTooLarge else { throw error }
                try cursor.pageWasTooLarge(error)
            }
        }
    }

    // MARK: The target

    /// Rows of the source as they would be sent: of their real size, to be inserted under other keys.
    private func samplePages(
        _ splits: [(partition: String?, range: KeyRange)]
    ) async throws -> [Batch] {
        let transform = BatchTransform(plan: plan, codec: target.codec)
        var batches: [Batch] = []
        var bytes = 0
        for split in splits where bytes < Bench.samplePagesBytes {
            try await read(split.partition, split.range, until: .now + .seconds(60)) {
                (page, _) throws(StopoverError) in
                guard page.batch.rowCount > 0 else { return true }
                let batch = try transform.apply(page.batch).batch
                if batch.rowCount > 0 { batches.append(batch) }
                bytes += batch.byteCount
                return bytes < Bench.samplePagesBytes
            }
        }
        guard !batches.isEmpty else { throw noRows }
        return batches
    }

    private func measureTarget(
        _ rows: [Batch], _ workers: Int, on collection: CollectionName
    ) async throws -> BenchSample {
        let (meter, end, keys) = (BenchMeter(), self.end, BenchKeys(plan, target.codec))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var next = worker
                    while try !isOver(end) {
                        let batch = keys.renewed(rows[next % rows.count])
                        next += workers
                        let begun = ContinuousClock.now
                        let outcome = await target.write(
                            batch, to: InsertDestination(collection: collection, partition: nil),
                            mode: .insert)
                        switch outcome {
                        case .acknowledged:
                            meter.add(
                                rows: batch.rowCount, bytes: batch.byteCount, took: .now - begun)
                        // Part of what a target does under load: time passes, no row counts.
                        case .refused: try await Task.sleep(for: .milliseconds(100))
                        case .unreached(let error), .rejected(let error), .tooLarge(let error),
                            .fenced(let error), .inDoubt(let error):
                            throw error
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return meter.sample(.target, requestsAtOnce: workers)
    }

    /// A collection as the transfer would make it, which nobody has; it is gone after.
    private func onScratch(
        numbered number: Int, _ body: (CollectionName) async throws -> Void
    ) async throws {
        var asked = plan.target
        asked.name = try await scratchName(number)
        try await target.create(asked)
        do {
            try await body(asked.name)
        } catch {
            try? await target.drop(asked.name)
            throw error
        }
        try await target.drop(asked.name)
    }

    private func scratchName(_ number: Int) async throws -> CollectionName {
        let database = plan.target.name.database
        let isThere = try await target.databases().contains(database)
        let random = String(UInt32.random(in: 0 ... .max), radix: 16)
        return CollectionName(
            database: isThere ? database : CollectionName.defaultDatabase,
            collection: "stopover_bench_\(random)_\(number)")
    }

    // MARK: Both

    /// At first by as many requests at once as were best of each side, or the most of those to try, where
    /// a side was not measured. A long job finds out for itself.
    private func measureBoth(after samples: [BenchSample]) async throws -> BenchSample {
        var plan = plan
        plan.target.name = try await scratchName(2)
        plan.target.aliases = []
        plan.request.target = plan.target.name
        var options = options
        func requests(_ side: BenchSample.Side) -> Int? {
            BenchVerdict.best(of: samples, side)?.requestsAtOnce ?? options.requestsAtOnce.max()
        }
        if let most = requests(.source) { options.limits.cursorsAtFirst = most }
        if let most = requests(.target) { options.limits.insertRequestsAtFirst = most }
        let run = BenchRun(plan: plan, source: source, target: target, options: options)
        return try await run.sample(stoppedBy: stop)
    }
}

extension StopoverError.Code {
    public static let benchEmpty = Self("STO-BENCH-EMPTY", exit: .failed)
}
