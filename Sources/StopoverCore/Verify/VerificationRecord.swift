import Foundation

/// What is wrong with a row of the target.
public struct RowProblem: Hashable, Sendable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// It was sent, and is not there.
        case missing
        /// It is there, and was not sent; or it is there more often than it was sent.
        case extra
        /// A field says something else than what was sent.
        case differ
        /// It differs or is missing, and the source no longer gives what was sent, so that it cannot be
        /// said which row it is.
        case unreadable
    }

    public var kind: Kind
    /// nil of a row that no chunk has.
    public var chunk: ChunkID?
    /// 0-based, within its chunk.
    public var row: Int?
    /// Its key on the target, or what it would be; nil where the row cannot be named.
    public var key: PrimaryKey?
    /// Its key on the source.
    public var sourceKey: PrimaryKey?
    public var fields: [String]
    /// A clause for people, where the kind does not say it all.
    public var note: String?

    public init(
        _ kind: Kind, chunk: ChunkID? = nil, row: Int? = nil, key: PrimaryKey? = nil,
        sourceKey: PrimaryKey? = nil, fields: [String] = [], note: String? = nil
    ) {
        self.kind = kind
        self.chunk = chunk
        self.row = row
        self.key = key
        self.sourceKey = sourceKey
        self.fields = fields
        self.note = note
    }
}

/// What a verification found of one chunk.
public struct ProofRecord: Hashable, Sendable, Codable {
    public var chunk: ChunkID
    public var transfer: TransferID
    /// The verification that it is of: an earlier one's says nothing.
    public var verification: Int64
    /// Rows that were compared.
    public var rows: Int
    /// Bytes of rows that the target gave back.
    public var bytes: Int
    /// Empty when all that was compared is equal.
    public var problems: [RowProblem]

    /// Rows that the chunk has on the target, each key once, beyond those that were sent.
    var surplus: Int {
        problems.count { $0.kind == .extra && $0.row == nil }
            - problems.count { $0.kind == .missing }
    }
}

/// One verification of a transfer: of the run itself, or one that was asked for later.
public struct VerificationRecord: Hashable, Sendable, Codable {
    /// From 1 within the job.
    public var id: Int64
    public var transfer: TransferID
    public var level: Migration.Verification
    public var begun: Date
    /// nil while it is under way, or was interrupted.
    public var summary: VerificationSummary?
}

/// How a verification ended.
public struct VerificationSummary: Hashable, Sendable, Codable {
    public var level: Migration.Verification
    public var ended: Date
    public var chunks: Int64 = 0
    /// Of which all that was compared is equal.
    public var equalChunks: Int64 = 0
    /// Rows that were compared, and all rows of the chunks.
    public var comparedRows: Int64 = 0
    public var rows: Int64 = 0
    public var fields: Int = 0
    public var missing: Int64 = 0
    public var extra: Int64 = 0
    public var differ: Int64 = 0
    public var unreadable: Int64 = 0
    /// Rows that no chunk has, the first ``mostStrays`` of them.
    public var strays: [RowProblem] = []
    /// Bytes of rows that the target gave back.
    public var bytes: Int64 = 0
    /// From the beginning of the last run of it, or of the repair that followed.
    public var seconds: Double = 0
    /// What kept it from comparing what was asked for, a sentence; nil when nothing did.
    public var limitation: String?

    public static let mostStrays = 10_000

    public init(level: Migration.Verification, ended: Date) {
        self.level = level
        self.ended = ended
    }

    public var isClean: Bool {
        missing == 0 && extra == 0 && differ == 0 && unreadable == 0 && chunks == equalChunks
    }

    /// - Parameter proof: nil of a chunk that nothing was found of, which is not proved then.
    mutating func add(_ proof: ProofRecord?) {
        chunks += 1
        guard let proof else { return }
        if proof.problems.isEmpty { equalChunks += 1 }
        comparedRows += Int64(proof.rows)
        bytes += Int64(proof.bytes)
        for problem in proof.problems { count(problem) }
    }

    mutating func count(_ problem: RowProblem) {
        switch problem.kind {
        case .missing: missing += 1
        case .extra: extra += 1
        case .differ: differ += 1
        case .unreadable: unreadable += 1
        }
    }
}

extension VerificationSummary {
    /// What it proves, in a sentence.
    public var proof: String {
        switch level {
        case .counts: "the target counts as many rows as were read and loaded"
        case .sample:
            "\(Figures.grouped(comparedRows)) rows of \(Figures.grouped(chunks)) chunks, the first, "
                + "the last and some between, are on the target as they were sent, in all "
                + "\(fields) fields"
        case .digest:
            "each of \(Figures.grouped(rows)) rows was read back from the target, and is there as it "
                + "was sent, in all \(fields) fields"
        case .full:
            "each of \(Figures.grouped(rows)) rows was read back from the target and once more from "
                + "the source, and is there as the source has it, in all \(fields) fields"
        }
    }

    /// What it does not prove, in a sentence.
    public var noProof: String {
        switch level {
        case .counts: "the content of rows"
        case .sample: "the rows between; a fault in one of a hundred thousand rows may be missed"
        case .digest:
            "that the source gave its rows rightly when they were read (`full` asks it again)"
        case .full: "what was written to the source after the migration began"
        }
    }
}
