import Foundation

/// Writes the receipt of a job from its ledger.
public struct ReceiptWriter: Sendable {
    private let directory: JobDirectory
    private let ledger: Ledger

    public init(_ directory: JobDirectory, _ ledger: Ledger) {
        self.directory = directory
        self.ledger = ledger
    }

    /// What was written.
    public struct Written: Sendable {
        public var path: String
        /// SHA-256 that closes the chain: who has it from elsewhere can tell whether a receipt is this one.
        public var seal: String
        public var head: Receipt.Head
        public var end: Receipt.End
    }

    /// Whole under its name, or not at all.
    public func write(_ results: [TransferResult]) async throws -> Written {
        let transfers = try await ledger.transfers()
        var splits: [SplitRecord] = []
        for transfer in transfers { splits += try await ledger.splits(of: transfer.id) }
        let throughput = ThroughputLog.read(directory)
        let head = Receipt.Head(
            job: ledger.job, begun: throughput.first.map { Date(timeIntervalSince1970: $0.at) },
            stored: try StoredPlan(directory),
            transfers: transfers, splits: splits)
        let path = directory.receiptPath
        let file = try PartFile(path + ".part")
        let text = try Receipt.encode(head)
        var chain = Receipt.Chain(head: text)
        try file.write(Receipt.headStart + text + Receipt.headEnd + [0x0A])
        var end = Receipt.End(
            written: .now, chunks: 0, rows: 0, results: results,
            verifications: try await ledger.verifications(), throughput: throughput)
        var last: [UInt8]?
        for transfer in transfers {
            var some = try await more(of: ChunkWalk(ledger, of: transfer.id))
            while !some.chunks.isEmpty {
                // Reading is as much work as writing.
                let walk = some.walk
                async let next = more(of: walk)
                for chunk in some.chunks {
                    if let line = last { try file.write(line + Array(",\n".utf8)) }
                    let text = try Receipt.encode(chunk)
                    chain.add(text)
                    last =
                        Receipt.linkStart + Array(chain.hex.utf8) + Receipt.chunkStart + text
                        + [UInt8(ascii: "}")]
                    end.chunks += 1
                }
                some = try await next
            }
            end.rows += some.walk.rows
        }
        if let line = last { try file.write(line + [0x0A]) }
        let endText = try Receipt.encode(end)
        chain.add(endText)
        try file.write(
            Receipt.endStart + endText + Receipt.sealStart + Array(chain.hex.utf8)
                + Receipt.sealEnd + [0x0A])
        try file.finish()
        try directory.rename(path + ".part", to: path)
        return Written(path: path, seal: chain.hex, head: head, end: end)
    }

    /// The next chunks of a walk, with all that is known of them; none at its end.
    private func more(
        of walk: ChunkWalk
    ) async throws -> (walk: ChunkWalk, chunks: [Receipt.Chunk]) {
        var walk = walk
        let records = try await walk.next().map(\.chunk)
        guard let first = records.first, let last = records.last else { return (walk, []) }
        let evidence = try await ledger.evidence(of: first.id...last.id)
        let chunks = records.map {
            Receipt.Chunk(
                record: $0, content: evidence.contents[$0.id], acks: evidence.acks[$0.id] ?? [])
        }
        return (walk, chunks)
    }
}

/// A file that gets its name when it is whole.
private final class PartFile {
    private static let bufferBytes = 1 << 20
    private let path: String
    private let handle: FileHandle
    private var buffer = Data()

    init(_ path: String) throws(StopoverError) {
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw JobDirectory.cannotWrite(path) }
        self.path = path
        handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    }

    func write(_ bytes: [UInt8]) throws(StopoverError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= PartFile.bufferBytes { try empty() }
    }

    func finish() throws(StopoverError) {
        try empty()
        do { try handle.synchronize() } catch { throw JobDirectory.cannotWrite(path) }
    }

    private func empty() throws(StopoverError) {
        do { try handle.write(contentsOf: buffer) } catch { throw JobDirectory.cannotWrite(path) }
        buffer.removeAll(keepingCapacity: true)
    }
}
