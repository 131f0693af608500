import DequeModule
import Synchronization

/// The directory of chunks and its budget: a bounded ring. When it is full, sealing waits until
/// chunks that are flushed on the target leave.
public final class Spool: Sendable {
    fileprivate struct State {
        /// Bytes of chunks on disk.
        var written: Int64 = 0
        /// Bytes that chunks which are being written may take.
        var promised: Int64 = 0
        var used: Int64 { written + promised }
        var resting: [ChunkID: ChunkRecord] = [:]
        /// Rows of some of them, still in memory: what is sent soon need not be read back.
        var fresh: [ChunkID: Batch] = [:]
        var freshBytes = 0
        /// Of those, the recorded ones: loading can free them.
        var loadable: Set<ChunkID> = []
        /// Chunks that the disk had no room for, and that wait for it.
        var waitingForDisk: Set<ChunkID> = []
        /// Chunks that left, ever.
        var released = 0
        var spares = SpareFiles()
        /// Workers between their reservation and the record of their chunk.
        var writing = 0
        var waiting:
            Deque<(id: UInt64, bytes: Int64, ready: CheckedContinuation<Void, any Error>)> = []
        var nextID: UInt64 = 0
        var cancelledEarly: Set<UInt64> = []
    }

    public let limitBytes: Int64
    /// Bytes of rows that are kept in memory beside their files.
    public let memoryBytes: Int
    private let packing: Mutex<PackingPolicy>
    private let store: ChunkStore
    private let seed: UInt64
    private let state = Mutex(State())
    /// Told of every change of the bytes in use.
    private let report: @Sendable (Int64) -> Void

    /// Opens the spool of a job: removes what no ledger knows, and checks that what it knows is there.
    /// - Parameters:
    ///   - resting: chunks of the ledger that are not flushed.
    public init(
        directory: String, disk: any Disk = LinuxDisk(), limitBytes: Int64, memoryBytes: Int = 0,
        packing: Packing = .auto, seed: UInt64, resting: [ChunkRecord],
        report: @escaping @Sendable (Int64) -> Void = { _ in }
    ) throws(StopoverError) {
        self.limitBytes = limitBytes
        self.memoryBytes = memoryBytes
        self.packing = Mutex(PackingPolicy(packing))
        self.seed = seed
        self.report = report
        store = ChunkStore(directory: directory, disk: disk)
        let known = Dictionary(
            resting.map { (ChunkFormat.fileName($0.id, digest: $0.digest), $0) },
            uniquingKeysWith: { first, _ in first })
        var missing = Set(known.keys)
        for name in try store.names() where missing.remove(name) == nil {
            // A chunk whose record never came, or whose file outlived its flush.
            if ChunkFormat.isSpoolFile(name) { try store.remove(name) }
        }
        if let name = missing.min() { throw StopoverError.missing(name) }
        state.withLock { state in
            for record in resting {
                state.resting[record.id] = record
                state.loadable.insert(record.id)
                state.written += Int64(record.fileBytes)
            }
        }
        report(usedBytes)
    }

    /// Fetches chunks that an earlier run left in another directory (`limits: {spool_dir: …}` was
    /// changed): each is durable here before it goes there. What no ledger knows there goes too. May
    /// be repeated.
    public static func gather(
        _ resting: [ChunkRecord], into directory: String, from others: [String]
    ) throws(StopoverError) {
        let here = ChunkStore(directory: directory)
        let gathered = Set(try here.names())
        let known = Dictionary(
            resting.map { (ChunkFormat.fileName($0.id, digest: $0.digest), $0.fileBytes) },
            uniquingKeysWith: { first, _ in first })
        for other in others where other != directory {
            let store = ChunkStore(directory: other)
            guard store.exists else { continue }
            for name in try store.names() where ChunkFormat.isSpoolFile(name) {
                if let fileBytes = known[name], !gathered.contains(name) {
                    guard let bytes = try store.read(name, limit: fileBytes + 1) else { continue }
                    // Of a fetch that was cut off.
                    try here.remove(name + ChunkStore.temporarySuffix)
                    try here.write(bytes, as: name)
                }
                try store.remove(name)
            }
        }
    }

    /// Removes every chunk of a job that is given up.
    public static func clear(directory: String) throws(StopoverError) {
        let store = ChunkStore(directory: directory)
        guard store.exists else { return }
        for name in try store.names() where ChunkFormat.isSpoolFile(name) { try store.remove(name) }
    }

    public var usedBytes: Int64 { state.withLock { $0.used } }
    /// Whether a chunk rests here that loading can free: one that is recorded. A chunk whose
    /// predecessor is not sealed yet is not.
    public var holdsLoadable: Bool { state.withLock { !$0.loadable.isEmpty } }

    /// - Parameter checksSeals: see ``ChunkWriter/checksSealsByDefault``.
    package func makeWriter(
        checksSeals: Bool = ChunkWriter.checksSealsByDefault
    ) throws(StopoverError) -> ChunkWriter {
        ChunkWriter(
            file: ChunkFile(seed: seed, coder: try PlaneCoder()), spool: self,
            checker: checksSeals ? try SealChecker() : nil)
    }

    package func makeReader() throws(StopoverError) -> ChunkReader {
        ChunkReader(file: ChunkFile(seed: seed, coder: try PlaneCoder()), store: store)
    }

    // MARK: The budget

    /// Takes room for a chunk of about `bytes`, waiting for it: first come, first served. A chunk
    /// larger than the whole budget passes when nothing else is here; and one that waits passes
    /// when nothing that loading could free is here or on its way, so that the budget may be passed
    /// by a chunk per worker and is never a deadlock. Ends with ``turnEnded()``.
    /// - Parameter mustWait: told once it stands in the line; ``isAwaited`` is true then.
    func reserve(_ bytes: Int, mustWait: () -> Void = {}) async throws {
        let wanted = Int64(bytes)
        let id: UInt64? = state.withLock { state in
            if state.waiting.isEmpty, state.fits(wanted, limitBytes) {
                state.take(wanted)
                return nil
            }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return report(usedBytes) }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { ready in
                let isCancelled = state.withLock { state in
                    if state.cancelledEarly.remove(id) != nil { return true }
                    state.waiting.append((id, wanted, ready))
                    return false
                }
                guard !isCancelled else { return ready.resume(throwing: CancellationError()) }
                mustWait()
                serve()
            }
        } onCancel: {
            let ready = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let at = state.waiting.firstIndex(where: { $0.id == id }) else {
                    state.cancelledEarly.insert(id)
                    return nil
                }
                return state.waiting.remove(at: at).ready
            }
            ready?.resume(throwing: CancellationError())
            // It may have stood before others that fit.
            serve()
        }
        // A cancellation that came after the room was given leaves no trace.
        state.withLock { _ = $0.cancelledEarly.remove(id) }
    }

    /// Whether a chunk waits for its room in the budget.
    var isAwaited: Bool { state.withLock { !$0.waiting.isEmpty } }

    func waitsForDisk(_ id: ChunkID, _ waits: Bool) {
        state.withLock { state in
            if waits { state.waitingForDisk.insert(id) } else { state.waitingForDisk.remove(id) }
        }
    }

    /// Chunks that left, ever.
    var releasedCount: Int { state.withLock { $0.released } }

    /// Whether this chunk, which the disk had no room for, may find some when it tries again: chunks
    /// left since it began to try, loading can free others, or a worker is about to record one.
    /// - Parameter released: ``releasedCount`` before it tried.
    func mayFindRoom(_ id: ChunkID, since released: Int) -> Bool {
        state.withLock { state in
            state.released != released || !state.loadable.isEmpty
                || state.writing > state.waitingForDisk.union([id]).count
        }
    }

    /// Whether chunks that were cut before this one wait for room on the disk.
    func olderWaitForDisk(than id: ChunkID) -> Bool {
        state.withLock { $0.waitingForDisk.contains { $0 < id } }
    }

    /// Turns a promise into what was written; nil gives it back, and the worker's turn is over.
    /// - Parameter rows: what the chunk holds.
    package func settle(reserved: Int, written record: ChunkRecord?, rows: Batch? = nil) {
        state.withLock { state in
            state.promised -= Int64(reserved)
            guard let record else {
                state.writing -= 1
                return
            }
            state.written += Int64(record.fileBytes)
            state.resting[record.id] = record
            if let rows, state.freshBytes + rows.byteCount <= memoryBytes {
                state.fresh[record.id] = rows
                state.freshBytes += rows.byteCount
            }
        }
        serve()
    }

    /// These chunks are in the ledger.
    func recorded(_ ids: [ChunkID]) {
        state.withLock { $0.loadable.formUnion(ids) }
    }

    /// A worker that reserved room and wrote its chunk has recorded it, or left that to the worker
    /// of an earlier chunk.
    func turnEnded() {
        state.withLock { $0.writing -= 1 }
        serve()
    }

    private func serve() {
        let ready = state.withLock { state in
            var ready: [CheckedContinuation<Void, any Error>] = []
            while let first = state.waiting.first, state.fits(first.bytes, limitBytes) {
                state.take(first.bytes)
                ready.append(state.waiting.removeFirst().ready)
            }
            return ready
        }
        ready.forEach { $0.resume() }
        // Spare files are within the budget, too. One that cannot be removed now is tried again at the end.
        _ = try? dropSpares { [limitBytes] state in
            state.spares.takeSurplus(beyond: limitBytes - state.written)
        }
        report(usedBytes)
    }

    /// Removes all spare files.
    /// - Returns: whether there were any.
    @discardableResult
    func dropSpares() throws(StopoverError) -> Bool { try dropSpares { $0.spares.take() } }

    private func dropSpares(_ next: (inout State) -> SpareFiles.File?) throws(StopoverError) -> Bool
    {
        var wereAny = false
        while let spare = state.withLock({ next(&$0) }) {
            wereAny = true
            do { try store.remove(spare.name) } catch {
                state.withLock { $0.spares.add(spare) }
                throw error
            }
        }
        return wereAny
    }

    // MARK: Chunks

    /// A chunk's rows: those still in memory of which its file was made, once; else the file's,
    /// verified against its record.
    func read(_ id: ChunkID, with reader: ChunkReader) throws(StopoverError) -> (ChunkRecord, Batch)
    {
        let (record, fresh) = state.withLock { ($0.resting[id], $0.takeFresh(id)) }
        guard let record else { throw StopoverError.missing("\(id)") }
        if let fresh { return (record, fresh) }
        return (record, try reader.read(record))
    }

    /// Seals one chunk by `body`, which is given the columns to pack and says how long it took.
    fileprivate func pack(
        _ batch: Batch, _ body: (Set<String>) throws(StopoverError) -> ChunkWriter.Sealed
    ) throws(StopoverError) -> ChunkRecord {
        let fill = Double(usedBytes) / Double(max(limitBytes, 1))
        let packed = packing.withLock { $0.columns(of: batch, fill: fill) }
        let sealed = try body(packed)
        packing.withLock { policy in
            for column in sealed.columns where packed.contains(column.name) {
                policy.packed(column.name, column.payloadBytes, to: column.storedBytes)
            }
            policy.took(
                packing: sealed.encoding, of: packed.isEmpty ? 0 : batch.byteCount,
                writing: sealed.writing, of: sealed.record.fileBytes)
        }
        return sealed.record
    }

    /// Writes a chunk's file, into a spare one if there is one.
    fileprivate func write(_ bytes: DiskBuffer, as name: String) throws(StopoverError) {
        let spare = state.withLock { $0.spares.take() }
        do {
            try store.write(bytes, as: name, into: spare?.name)
        } catch {
            guard error.code == .spoolDiskFull, try dropSpares() else { throw error }
            try store.write(bytes, as: name)
        }
    }

    /// These chunks are flushed on the target: their files are spare ones.
    /// - Returns: how many rows they hold.
    package func release(_ ids: [ChunkID]) -> Int {
        let rows = state.withLock { state in
            ids.reduce(0) { $0 + state.release($1) }
        }
        serve()
        return rows
    }
}

extension Spool.State {
    fileprivate func fits(_ bytes: Int64, _ limit: Int64) -> Bool {
        used == 0 || used + bytes <= limit || (loadable.isEmpty && writing == 0)
    }

    fileprivate mutating func take(_ bytes: Int64) {
        promised += bytes
        writing += 1
    }

    /// - Returns: how many rows it holds.
    fileprivate mutating func release(_ id: ChunkID) -> Int {
        _ = takeFresh(id)
        guard let record = resting.removeValue(forKey: id) else { return 0 }
        loadable.remove(id)
        released += 1
        written -= Int64(record.fileBytes)
        spares.add(
            SpareFiles.File(
                name: ChunkFormat.fileName(id, digest: record.digest),
                bytes: Int64(record.fileBytes)))
        return record.rowCount
    }

    fileprivate mutating func takeFresh(_ id: ChunkID) -> Batch? {
        guard let batch = fresh.removeValue(forKey: id) else { return nil }
        freshBytes -= batch.byteCount
        return batch
    }
}

/// Seals batches; one per worker.
package final class ChunkWriter {
    /// Whether a chunk is put together again and compared with its rows before it is written
    /// (``SealChecker``). Off: for 8 MiB of normal float32 it costs 0.40 s of CPU per GB, 27–30 %
    /// of a seal (1.4–1.5 s with the write), where a fifth was the most we would pay; measured with
    /// checked and plain seals in turn. A whole decode instead would be 0.47–0.60 s. Without it
    /// damage between the digests and the compressor's output is found when the chunk is read.
    package static let checksSealsByDefault = false

    /// A chunk on disk, and what it took.
    struct Sealed {
        var record: ChunkRecord
        var columns: [StoredColumn]
        var encoding: Duration
        var writing: Duration
    }

    private let file: ChunkFile
    private let spool: Spool
    private let checker: SealChecker?
    private let buffer = DiskBuffer()

    fileprivate init(file: ChunkFile, spool: Spool, checker: SealChecker?) {
        self.file = file
        self.spool = spool
        self.checker = checker
    }

    package func seal(_ batch: Batch, _ header: ChunkHeader) throws(StopoverError) -> ChunkRecord {
        try spool.pack(batch) { (packed) throws(StopoverError) in
            let begun = ContinuousClock.now
            let (digest, columns) = try file.encode(batch, header, packed: packed, into: buffer)
            try checker?.check(Array(buffer.bytes), of: batch, header, seed: file.seed)
            let encoded = ContinuousClock.now
            try spool.write(buffer, as: ChunkFormat.fileName(header.id, digest: digest))
            let record = ChunkRecord(
                id: header.id, transfer: header.transfer, split: header.split,
                partition: header.partition, rowCount: batch.rowCount, firstKey: header.firstKey,
                lastKey: header.lastKey, bodyBytes: batch.byteCount, fileBytes: buffer.count,
                digest: digest)
            return Sealed(
                record: record, columns: columns, encoding: encoded - begun,
                writing: .now - encoded)
        }
    }
}

/// Reads chunks; one per worker.
package final class ChunkReader {
    private let file: ChunkFile
    private let store: ChunkStore

    fileprivate init(file: ChunkFile, store: ChunkStore) {
        self.file = file
        self.store = store
    }

    package func read(_ record: ChunkRecord) throws(StopoverError) -> Batch {
        let name = ChunkFormat.fileName(record.id, digest: record.digest)
        // One byte more than expected shows a file that grew.
        guard let bytes = try store.read(name, limit: record.fileBytes + 1) else {
            throw StopoverError.missing(name)
        }
        do { return try file.decode(bytes, expecting: record) } catch {
            throw StopoverError.corrupt(name, error)
        }
    }
}
