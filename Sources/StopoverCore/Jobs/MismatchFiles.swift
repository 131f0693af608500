import Foundation

/// `mismatches/missing.jsonl`, `extra.jsonl`, `differ.jsonl`, `unreadable.jsonl`: what the last
/// verification found, a JSON object a row. A file that would be empty is not there.
public struct MismatchFiles: Sendable {
    public static let directoryName = "mismatches"
    /// Bytes that are gathered before they are written.
    private static let bufferBytes = 1 << 20

    private let directory: JobDirectory
    private var path: String { directory.path + "/" + MismatchFiles.directoryName }

    public init(_ directory: JobDirectory) { self.directory = directory }

    private struct Line: Encodable {
        var source: String
        var target: String
        var chunk: Int64?
        var row: Int?
        var key: KeyText?
        var sourceKey: KeyText?
        var fields: [String]?
        var note: String?
    }

    /// A number as a number, a text as a text.
    private enum KeyText: Encodable {
        case number(Int64)
        case text(String)

        init(_ key: PrimaryKey) {
            switch key {
            case .int64(let number): self = .number(number)
            case .varchar(let bytes): self = .text(String(decoding: bytes, as: UTF8.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            }
        }
    }

    /// Writes them anew from what the ledger knows, in the place of earlier ones.
    /// - Returns: the paths of the files that are there now.
    @discardableResult
    public func write(_ ledger: Ledger) async throws -> [String] {
        for kind in RowProblem.Kind.allCases { unlink(file(kind)) }
        var buffers: [RowProblem.Kind: Data] = [:]
        var written: Set<RowProblem.Kind> = []
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func add(_ problem: RowProblem, _ transfer: TransferRecord) throws {
            let line = Line(
                source: "\(transfer.source)", target: "\(transfer.target)",
                chunk: problem.chunk?.number, row: problem.row,
                key: problem.key.map(KeyText.init), sourceKey: problem.sourceKey.map(KeyText.init),
                fields: problem.fields.isEmpty ? nil : problem.fields, note: problem.note)
            var buffer = buffers[problem.kind] ?? Data()
            buffer.append(try encoder.encode(line))
            buffer.append(UInt8(ascii: "\n"))
            if buffer.count > MismatchFiles.bufferBytes {
                try append(buffer, to: problem.kind)
                buffer = Data()
            }
            buffers[problem.kind] = buffer
            written.insert(problem.kind)
        }
        for transfer in try await ledger.transfers() {
            guard let last = try await ledger.verification(of: transfer.id) else { continue }
            var walk = try await ProofWalk(ledger, of: last)
            while case let some = try await walk.next(), !some.isEmpty {
                for problem in some.compactMap(\.proof).flatMap(\.problems) {
                    try add(problem, transfer)
                }
            }
            for stray in last.summary?.strays ?? [] { try add(stray, transfer) }
        }
        for (kind, buffer) in buffers where !buffer.isEmpty { try append(buffer, to: kind) }
        return RowProblem.Kind.allCases.filter(written.contains).map(file)
    }

    private func file(_ kind: RowProblem.Kind) -> String { "\(path)/\(kind.rawValue).jsonl" }

    private func append(_ data: Data, to kind: RowProblem.Kind) throws(StopoverError) {
        try JobDirectory.make(path)
        let handle = open(
            file(kind), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        let isWritten =
            handle >= 0
            && (try? FileHandle(fileDescriptor: handle, closeOnDealloc: true)
                .write(contentsOf: data)) != nil
        guard isWritten else { throw JobDirectory.cannotWrite(file(kind)) }
    }
}
