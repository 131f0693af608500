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
    let input: BoundedChannel<ExtractOutput>
    let chunkNumbers: ChunkNumbers
    /// Told of every chunk that is recorded.
    let announce: @Sendable (LoadCoordinator.Event) -> Void

    private enum Committed: Sendable {
        case chunk(ChunkRecord)
        case end(SplitID)
    }

    func run() async throws {
        let order = OrderedCommit()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<engine.limits.spoolWorkers {
                group.addTask {
                    let writer = try engine.spool.makeWriter()
                    while let output = try await input.next() {
                        switch output {
                        case .batch(let read):
                            let record = try await seal(read, writer)
                            try await commit(
                                .chunk(record), read.split.id, read.ordinal, order)
                            engine.spool.turnEnded()
                        case .splitEnded(let split, let ordinal):
                            try await commit(.end(split.id), split.id, ordinal, order)
                        }
                    }
                }
            }
            try await group.endAtFirstError()
        }
    }

    private func seal(_ read: ReadBatch, _ writer: ChunkWriter) async throws -> ChunkRecord {
        let batch = try transform.apply(read.batch)
        let room = ChunkFormat.room(for: batch, keys: read.firstKey, read.lastKey)
        if engine.spool.isFull(for: room) { announce(.flushWanted) }
        try await engine.spool.reserve(room)
        let header = ChunkHeader(
            id: chunkNumbers.next(), transfer: transfer.id, split: read.split.id,
            partition: read.split.partition, firstKey: read.firstKey, lastKey: read.lastKey)
        do {
            let record = try await write(batch, header, writer)
            engine.spool.settle(reserved: room, written: record)
            return record
        } catch {
            engine.spool.settle(reserved: room, written: nil)
            throw error
        }
    }

    /// Seals a batch, waiting out a full disk.
    private func write(
        _ batch: Batch, _ header: ChunkHeader, _ writer: ChunkWriter
    ) async throws -> ChunkRecord {
        var patience = Patience()
        while true {
            do {
                let record = try writer.seal(batch, header)
                if patience.failures > 0 { engine.board.waitingEnded(.spool) }
                return record
            } catch {
                // Loading frees space, as long as there is something to load.
                guard error.code == .spoolDiskFull, engine.spool.holdsLoadable, !engine.stop.isRequested
                else { throw error }
            }
            announce(.flushWanted)
            engine.board.waiting(.spool, because: "the disk of the spool is full")
            try await Task.sleep(for: patience.failed())
        }
    }

    /// What became ready is recorded, then announced.
    private func commit(
        _ item: Committed, _ split: SplitID, _ ordinal: Int, _ order: OrderedCommit
    ) async throws {
        let ready = order.sealed(item, split: split, ordinal: ordinal)
        guard !ready.isEmpty else { return }
        try await engine.ledger.commit(
            ready.map { item in
                switch item {
                case .chunk(let record): .chunkSpooled(record)
                case .end(let split): .splitFinished(split)
                }
            })
        let chunks = ready.compactMap { item -> ChunkRecord? in
            if case .chunk(let record) = item { record } else { nil }
        }
        engine.spool.recorded(chunks.map(\.id))
        for record in chunks {
            engine.board.rowsSpooled(record.rowCount, of: transfer.id)
            announce(.chunkSpooled(LoadCoordinator.Chunk(record)))
        }
    }

    /// ``CommitOrder`` shared by the workers of one run.
    private final class OrderedCommit: Sendable {
        private let order = Mutex(CommitOrder<Committed>())

        func sealed(_ item: Committed, split: SplitID, ordinal: Int) -> [Committed] {
            order.withLock { $0.sealed(item, split: split, ordinal: ordinal) }
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
