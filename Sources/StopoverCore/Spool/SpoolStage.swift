import Synchronization

/// Transforms batches, seals them as chunks, and records them in the order of their splits.
///
/// A worker holds one batch at a time, so what rests in memory here is bounded by the workers.
/// The budget of the spool is taken before a chunk is written: a full spool holds the workers,
/// they the channel, and the channel the cursors.
struct SpoolStage: Sendable {
    let engine: Engine
    let transfer: TransferRecord
    let transform: BatchTransform
    /// `on_bad_row: quarantine`.
    let keepsMisfits: Bool
    /// Where the rows are to get keys of ours.
    let mints: MintedKeys?
    let digester: ContentDigester
    let keyName: String
    let input: BoundedChannel<ExtractOutput>
    let chunkNumbers: ChunkNumbers
    /// Told of every chunk that is recorded.
    let announce: @Sendable (LoadCoordinator.Event) -> Void

    /// What a page became: a chunk unless none of its rows fits, and what is left out of it.
    private struct Sealed: Sendable {
        var chunk: ChunkRecord?
        var content: ContentRecord?
        var quarantine: QuarantineRecord?
        var droppedKeys: [String: Int]
    }

    private enum Committed: Sendable {
        case page(Sealed)
        case end(SplitID)
    }

    func run() async throws {
        let order = OrderedCommit<Committed>()
        let crew = Crew(engine.tuning.sealers, most: engine.limits.spoolWorkers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<engine.limits.spoolWorkers {
                group.addTask {
                    let writer = try engine.spool.makeWriter()
                    try await crew.enter()
                    while let output = try await input.next() {
                        engine.board.channelFill(
                            Double(input.weight) / Double(input.capacity))
                        switch output {
                        case .batch(let read):
                            let sealed = try await seal(read, writer)
                            try await commit(
                                .page(sealed), read.split.id, read.ordinal, order)
                            if sealed.chunk != nil { engine.spool.turnEnded() }
                            try await crew.did(read.batch.byteCount)
                        case .splitEnded(let split, let ordinal):
                            try await commit(.end(split.id), split.id, ordinal, order)
                        }
                    }
                    try await crew.leave()
                }
            }
            try await group.endAtFirstError()
        }
    }

    private func seal(_ read: ReadBatch, _ writer: ChunkWriter) async throws -> Sealed {
        let output = try transform.apply(read.batch)
        var sealed = Sealed(droppedKeys: output.droppedKeys)
        if let first = output.misfits.first {
            guard keepsMisfits else { throw try misfit(first, read) }
            let rows = try engine.target.codec.json(output.misfits.map(\.row), of: read.batch)
            sealed.quarantine = try engine.quarantine.keep(
                output.misfits, rows: rows, of: read, collection: transfer.source,
                as: chunkNumbers.next())
        }
        guard output.batch.rowCount > 0 else { return sealed }
        let id = chunkNumbers.next()
        let batch = try mints?.added(to: output.batch, of: id) ?? output.batch
        sealed.content = try digester.content(of: batch, id, transfer.id)
        sealed.chunk = try await rest(batch, as: id, of: read, writer)
        return sealed
    }

    /// Writes a batch to the spool, in its budget.
    private func rest(
        _ batch: Batch, as id: ChunkID, of read: ReadBatch, _ writer: ChunkWriter
    ) async throws -> ChunkRecord {
        let header = ChunkHeader(
            id: id, transfer: transfer.id, split: read.split.id,
            partition: read.split.partition, firstKey: read.firstKey, lastKey: read.lastKey)
        let room = ChunkFormat.room(for: batch, header)
        try await engine.spool.reserve(room) { announce(.roomWanted) }
        do {
            let record = try await write(batch, header, writer)
            engine.spool.settle(reserved: room, written: record, rows: batch)
            return record
        } catch {
            engine.spool.settle(reserved: room, written: nil)
            throw error
        }
    }

    private func misfit(_ misfit: RowViolation, _ read: ReadBatch) throws -> StopoverError {
        let key = read.batch.columns.filter { $0.name == keyName }
        let row = try engine.target.codec.json(
            [misfit.row], of: Batch(rowCount: read.batch.rowCount, columns: key))
        let name = row.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        return StopoverError(
            .badRow,
            "the row \(name) of \(transfer.source) does not fit the target: \(misfit.field) "
                + misfit.reason,
            remedy: "Correct it on the source, or write `on_bad_row: quarantine` for the "
                + "collection to set such rows aside; then run the same command again.")
    }

    /// Seals a batch, waiting out a full disk.
    private func write(
        _ batch: Batch, _ header: ChunkHeader, _ writer: ChunkWriter
    ) async throws -> ChunkRecord {
        var patience = Patience()
        while true {
            let released = engine.spool.releasedCount
            // Room that loading frees is the oldest chunk's: younger ones of its split can be neither
            // recorded nor loaded before it, and could fill the disk for good.
            if !engine.spool.olderWaitForDisk(than: header.id) {
                do {
                    let record = try writer.seal(batch, header)
                    if patience.failures > 0 {
                        engine.spool.waitsForDisk(header.id, false)
                        engine.board.waitingEnded(.spool)
                    }
                    return record
                } catch {
                    // Loading frees space, as long as there is something to load.
                    guard error.code == .spoolDiskFull, !engine.stop.isRequested,
                        engine.spool.mayFindRoom(header.id, since: released)
                    else { throw error }
                }
            }
            engine.spool.waitsForDisk(header.id, true)
            announce(.roomWanted)
            engine.board.waiting(.spool, because: "the disk of the spool is full")
            try await pause(for: patience.failed(), orUntilReleasedSince: released)
        }
    }

    /// How soon a chunk that waits for the disk sees that others have left.
    private static let lookInterval = Duration.milliseconds(20)

    private func pause(for time: Duration, orUntilReleasedSince released: Int) async throws {
        let end = ContinuousClock.now + time
        while engine.spool.releasedCount == released, .now < end {
            try await Task.sleep(for: SpoolStage.lookInterval)
        }
    }

    private func commit(
        _ item: Committed, _ split: SplitID, _ ordinal: Int, _ order: OrderedCommit<Committed>
    ) async throws {
        try await order.sealed(item, split: split, ordinal: ordinal, record: record)
    }

    /// What became ready is recorded, then announced.
    private func record(_ ready: [Committed]) async throws {
        try await engine.ledger.commit(ready.flatMap(entries))
        let pages = ready.compactMap { item -> Sealed? in
            if case .page(let sealed) = item { sealed } else { nil }
        }
        for rows in pages.compactMap(\.quarantine) {
            engine.board.rowsQuarantined(rows.rowCount, of: transfer.id)
        }
        let chunks = pages.compactMap(\.chunk)
        engine.spool.recorded(chunks.map(\.id))
        for record in chunks {
            engine.board.rowsSpooled(record.rowCount, of: transfer.id)
            engine.lead.spooled(record.id, bytes: record.bodyBytes)
            announce(.chunkSpooled(LoadCoordinator.Chunk(record)))
        }
    }

    private func entries(_ item: Committed) -> [LedgerEntry] {
        switch item {
        case .end(let split): return [.splitFinished(split)]
        case .page(let sealed):
            var entries: [LedgerEntry] = []
            if let chunk = sealed.chunk { entries.append(.chunkSpooled(chunk)) }
            if let content = sealed.content { entries.append(.contentDigested(content)) }
            if let rows = sealed.quarantine { entries.append(.rowsQuarantined(rows)) }
            if !sealed.droppedKeys.isEmpty {
                entries.append(.keysDropped(transfer.id, sealed.droppedKeys))
            }
            return entries
        }
    }
}

/// Numbers chunks: unique within the job, ascending in the order in which they are cut.
final class ChunkNumbers: Sendable {
    private let last: Atomic<Int64>

    init(after last: ChunkID) {
        self.last = Atomic(last.number)
    }

    func next() -> ChunkID { ChunkID(last.add(1, ordering: .relaxed).newValue) }
}

extension LoadCoordinator.Chunk {
    init(_ record: ChunkRecord) {
        self.init(id: record.id, rowCount: record.rowCount, fileBytes: record.fileBytes)
    }
}

extension StopoverError.Code {
    public static let badRow = Self("STO-ROW-DOES-NOT-FIT", exit: .failed)
}
