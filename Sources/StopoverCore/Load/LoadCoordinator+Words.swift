// What a load is told, and what it answers.
extension LoadCoordinator {
    /// How requests in doubt are settled.
    public enum Doubts: Sendable, Hashable {
        /// The keys are ours: upsert.
        case upsert
        /// The target makes the keys, and the collection is ours alone: insert again, sweep at the end.
        case sweep
        /// The target makes the keys, and the collection has rows of others, from which what is in
        /// doubt cannot be told: insert again. At least once.
        case again
        /// The target makes the keys, and nothing can be told apart by them: the first doubt ends it.
        case stop

        /// What is in doubt is nobody's, and inserted again at once.
        var areDisowned: Bool { self == .sweep || self == .again }
    }

    public struct Settings: Sendable {
        /// Requests at once.
        public var requestLimit = 2
        /// Flush when this many rows are acknowledged and not flushed.
        public var flushAfterRows: Int64 = 5_000_000
        /// Flush when their files hold this many bytes: half of the spool.
        public var flushAfterBytes: Int64
        /// Fence and settle when tainted chunks hold this many bytes of the spool.
        public var settleAfterBytes: Int64
        public var doubts: Doubts

        public init(spoolBytes: Int64, doubts: Doubts = .upsert) {
            self.doubts = doubts
            flushAfterBytes = max(spoolBytes / 2, 1)
            settleAfterBytes = max(spoolBytes / 2, 1)
        }
    }

    /// A chunk that rests in the spool.
    public struct Chunk: Sendable, Hashable {
        public var id: ChunkID
        public var rowCount: Int
        public var fileBytes: Int

        public init(id: ChunkID, rowCount: Int, fileBytes: Int) {
            self.id = id
            self.rowCount = rowCount
            self.fileBytes = fileBytes
        }
    }

    /// Rows of a chunk that go in one request: all of them, unless a size limit was met.
    public struct Part: Sendable, Hashable {
        public var chunk: ChunkID
        public var rows: Range<Int>

        public init(chunk: ChunkID, rows: Range<Int>) {
            self.chunk = chunk
            self.rows = rows
        }

        /// Parts of at most so many rows.
        func split(by rowCount: Int) -> [Part] {
            stride(from: rows.lowerBound, to: rows.upperBound, by: rowCount).map {
                Part(chunk: chunk, rows: $0..<min($0 + rowCount, rows.upperBound))
            }
        }
    }

    public enum WriteEnd: Sendable {
        /// Acknowledged, and recorded so in the ledger by the shell.
        case acknowledged
        case refused(StopoverError)
        case unreached(StopoverError)
        case rejected(StopoverError)
        case tooLarge(StopoverError)
        case fenced(StopoverError)
        case inDoubt(StopoverError)
        /// It never came to a request, or its acknowledgement could not be recorded: our own disk.
        case failed(StopoverError)
    }

    public enum Event: Sendable {
        case chunkSpooled(Chunk)
        /// Every split is read to its end, and every chunk was announced.
        case extractionFinished
        case writeEnded(Part, WriteEnd)
        /// With the error when it did not succeed.
        case flushEnded(StopoverError?)
        /// Much time has passed: flush what is acknowledged.
        case flushWanted
        /// A chunk waits for room, in the spool's budget or on its disk. It counts until chunks leave.
        case roomWanted
        /// The staging collection has its new name and what was under way has ended.
        case fenceStands
        /// With the error when the target could not be swept.
        case sweepEnded(StopoverError?)
        case pauseEnded
        /// The connection to the target broke, with or without a request on it: it may have
        /// restarted, and forgotten what it had not flushed.
        case targetLost
        /// So many requests at once from now on.
        case requestLimit(Int)
        case stopRequested
    }

    public enum Action: Sendable {
        case record([LedgerEntry])
        case send(Part, WriteMode)
        case flush
        /// Rename to the next epoch, then wait until no older request can still be running.
        case fence
        /// Delete every row that no acknowledgement names, make that durable, and record it.
        case sweep
        /// These chunks are flushed: their files may go. Follows the record of it.
        case release([ChunkID])
        case pause(Duration, because: StopoverError)
        /// Everything is flushed. The end.
        case finish
        /// Nothing is in flight and nothing more will be sent. The end of this run.
        case stop(StopoverError?)
    }
}
