import Synchronization

/// A batch on its way from its split to the spool.
struct ReadBatch: Sendable {
    var split: SplitRecord
    /// 0, 1, 2 … within this run of the split.
    var ordinal: Int
    var batch: Batch
    var firstKey: PrimaryKey
    var lastKey: PrimaryKey
}

/// What a cursor hands to the next stage.
enum ExtractOutput: Sendable {
    case batch(ReadBatch)
    /// The split is read to its end; follows its last batch in order.
    case splitEnded(SplitRecord, ordinal: Int)

    var byteCount: Int {
        switch self {
        case .batch(let read): read.batch.byteCount
        case .splitEnded: 0
        }
    }
}

/// Reads splits, several at once, each by a key cursor. The thin shell around ``SplitCursor``.
struct ExtractStage: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let transfer: TransferRecord
    let output: BoundedChannel<ExtractOutput>

    /// Returns when every split is read, or a stop was requested.
    func run(_ splits: [SplitRecord]) async throws {
        let queue = BoundedChannel<SplitRecord>(capacity: max(splits.count, 1)) { _ in 1 }
        for split in splits { try await queue.send(split) }
        queue.finish()
        let readers = min(MigrationLimits.mostWorkers, max(splits.count, 1))
        let crew = Crew(engine.tuning.cursors, most: readers)
        let sizer = LastSizer(
            PageSizer(
                targetBytes: engine.tuning.pageBytes,
                estimatedRowBytes: plan.source.schema.estimatedRowBytes))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<readers {
                group.addTask {
                    try await crew.enter()
                    while let split = try await queue.next(), !engine.stop.isRequested {
                        try await read(split, crew, sizer)
                    }
                    try await crew.leave()
                }
            }
            try await group.endAtFirstError()
        }
    }

    private func read(_ split: SplitRecord, _ crew: Crew, _ sizer: LastSizer) async throws {
        var cursor = SplitCursor(remaining: split.remaining, sizer: sizer.value)
        var ordinal = 0
        while !engine.stop.isRequested {
            try await engine.lead.wait(engine.stop)
            switch cursor.next {
            case .ask(let range, let rowLimit):
                guard let page = try await ask(range, rowLimit, split, &cursor) else { continue }
                cursor.aim(at: engine.tuning.pageBytes)
                try cursor.pageArrived(page)
                guard let first = page.firstKey, let last = page.lastKey else { continue }
                sizer.value = cursor.sizer
                engine.board.rowsRead(
                    page.batch.rowCount, bytes: page.batch.byteCount, of: transfer.id)
                try await engine.reading.take(page.batch.rowCount)
                try await output.send(
                    .batch(
                        ReadBatch(
                            split: split, ordinal: ordinal, batch: page.batch, firstKey: first,
                            lastKey: last)))
                ordinal += 1
                try await crew.did(page.batch.byteCount)
            case .confirmEmpty(let range):
                let rows = try await engine.retryingReads {
                    try await engine.source.count(plan.rows(of: split.partition, in: range))
                }
                cursor.countArrived(rows)
            case .unreadable(let rows, let after):
                try await engine.ledger.commit([
                    .note(
                        code: StopoverError.Code.unreadableRows.rawValue,
                        message: "\(plan.source.name): count(*) sees \(rows) rows after key "
                            + "\(after.map(String.init(describing:)) ?? "(none)") that Query does "
                            + "not return; a row with key INT64_MAX on Milvus 2.3 is one")
                ])
                try await output.send(.splitEnded(split, ordinal: ordinal))
                return
            case .finished:
                try await output.send(.splitEnded(split, ordinal: ordinal))
                return
            }
        }
    }

    /// One page; nil when it was too large and a smaller one is to be asked for.
    private func ask(
        _ range: KeyRange, _ rowLimit: Int, _ split: SplitRecord, _ cursor: inout SplitCursor
    ) async throws -> Page? {
        let request = PageRequest(
            rows: plan.rows(of: split.partition, in: range), fields: plan.readFields,
            rowLimit: rowLimit,
            timestamp: transfer.timestamp)
        do {
            return try await engine.retryingReads {
                let begun = ContinuousClock.now
                do throws(StopoverError) {
                    let page = try await engine.source.page(request)
                    engine.reading.ended(nil)
                    engine.tuning.pageTook(.now - begun)
                    return page
                } catch {
                    engine.reading.ended(error)
                    engine.tuning.cursors.ended(error)
                    throw error
                }
            }
        } catch let error as StopoverError where error.code == .pageTooLarge {
            try cursor.pageWasTooLarge(error)
            return nil
        }
    }
}

/// What the last page of any split taught: the next split begins with pages of that size.
private final class LastSizer: Sendable {
    private let sizer: Mutex<PageSizer>

    init(_ first: PageSizer) { sizer = Mutex(first) }

    var value: PageSizer {
        get { sizer.withLock { $0 } }
        set { sizer.withLock { $0 = newValue } }
    }
}

extension StopoverError.Code {
    /// A reply would pass a size limit of the server: ask for fewer rows.
    public static let pageTooLarge = Self("STO-PAGE-TOO-LARGE", exit: .failed)
}
