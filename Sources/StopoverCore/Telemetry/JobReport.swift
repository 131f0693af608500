/// The last thing that a run prints: how it ended, in figures that can be checked, and what to do
/// next. It claims no more than was counted.
public struct JobReport: Sendable {
    public enum Verdict: String, Sendable, Codable {
        /// Every count of every transfer agrees.
        case complete = "COMPLETE"
        /// Finished, and something differs.
        case mismatch = "MISMATCH"

        public var exitStatus: ExitStatus { self == .complete ? .complete : .mismatch }
    }

    /// Collections for which the line that loads them is printed; the others are only counted.
    static let mostLoadLines = 5
    /// Dynamic keys that are named; all of them are in the JSON.
    static let mostDroppedKeys = 10

    public var job: String
    public var results: [TransferResult]
    public var elapsedSeconds: Double
    /// The target's address, for the line that loads a collection.
    public var targetAddress: String
    public var targetNeedsToken: Bool
    /// Where what was found is kept.
    public var evidence: Evidence?

    /// Paths in the job's directory.
    public struct Evidence: Sendable, Codable {
        public var receipt: String
        /// That closes the receipt's chain.
        public var seal: String
        public var report: String
        public var mismatches: [String]

        public init(receipt: String, seal: String, report: String, mismatches: [String]) {
            self.receipt = receipt
            self.seal = seal
            self.report = report
            self.mismatches = mismatches
        }

        var lines: [String] {
            mismatches.map { "  differences, row by row: \(TerminalText.escaped($0))" } + [
                "  receipt: \(TerminalText.escaped(receipt)), seal \(seal.prefix(16))…",
                "  report for people: \(TerminalText.escaped(report))",
            ]
        }
    }

    public init(
        job: String, results: [TransferResult], elapsedSeconds: Double, targetAddress: String,
        targetNeedsToken: Bool = false
    ) {
        self.job = job
        self.results = results
        self.elapsedSeconds = elapsedSeconds
        self.targetAddress = targetAddress
        self.targetNeedsToken = targetNeedsToken
    }

    public var verdict: Verdict { results.allSatisfy(\.isComplete) ? .complete : .mismatch }

    /// Lines for stdout. The last one loads a collection, where one was published.
    public func lines(style: OutputStyle = .plain) -> [String] {
        let verdict = verdict
        var lines = [
            style.paint(verdict.rawValue, verdict == .complete ? .green : .red)
                + "  job \(TerminalText.escaped(job))  in \(Figures.clock(elapsedSeconds))"
        ]
        for result in results { lines += self.lines(of: result, style) }
        return lines + (evidence?.lines ?? []) + loadLines
    }

    private func lines(of result: TransferResult, _ style: OutputStyle) -> [String] {
        let counts = result.counts
        let target = counts.target.map(Figures.grouped) ?? "not counted (it has no index)"
        var lines = [
            "  \(TerminalText.escaped("\(result.source) → \(result.target)"))",
            "    rows: source \(Figures.grouped(counts.sourceAtEnd)), distinct "
                + "\(Figures.grouped(counts.read)) · read \(Figures.grouped(counts.read)) · loaded "
                + "\(Figures.grouped(counts.loaded)) · target \(target)"
                + (counts.before.map { ", before \(Figures.grouped($0))" } ?? ""),
        ]
        if let overwritten = counts.overwritten, overwritten > 0 {
            lines.append(
                "    rows that took the place of one with their key: \(Figures.grouped(overwritten))"
            )
        }
        lines += (counts.differences + result.drift + result.unreadable).map {
            "    \(style.paint("differs:", .red)) \(TerminalText.escaped($0))"
        }
        if result.rewrittenRows > 0 {
            lines.append(
                "    rows acknowledged, in doubt before they were durable, and written again: "
                    + Figures.grouped(result.rewrittenRows)
                    + (result.lostRows.map { " (the target had lost \(Figures.grouped($0)))" } ?? "")
            )
        }
        if let swept = result.sweptRows, swept > 0 {
            lines.append(
                "    rows that no acknowledgement names, found and deleted: "
                    + Figures.grouped(swept))
        }
        lines += verification(result, style)
        if !result.droppedKeys.isEmpty {
            lines.append("    not sent, by dynamic key: " + droppedKeys(result.droppedKeys))
        }
        lines += result.notes.map { "    \(TerminalText.escaped($0))" }
        if let staging = result.leftAs {
            lines.append("    not published: its rows are in \(TerminalText.escaped("\(staging)"))")
            if result.verification != nil {
                lines.append(
                    result.isWhole
                        ? "    it is repaired: `stopover run` publishes it"
                        : "    `stopover repair \(TerminalText.escaped(job))` sends again what differs"
                )
            }
        }
        return lines
    }

    /// What was compared, what it proves and what not, and what it cost.
    private func verification(_ result: TransferResult, _ style: OutputStyle) -> [String] {
        guard let summary = result.verification else {
            return [
                "    proven (counts): the target counts what was loaded. Not proven: the content of rows"
            ]
        }
        return summary.lines(style).map { "    " + $0 }
    }

    /// The most frequent first.
    private func droppedKeys(_ rows: [String: Int64]) -> String {
        let sorted = rows.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shown = sorted.prefix(Self.mostDroppedKeys).map { key, count in
            "\(TerminalText.escaped(key)) in \(Figures.grouped(count)) rows"
        }
        let left = sorted.count - shown.count
        return shown.joined(separator: ", ") + (left > 0 ? ", and \(left) more" : "")
    }

    private var loadLines: [String] {
        let published = results.filter { $0.leftAs == nil && !$0.isLoaded }.map(\.target)
        guard !published.isEmpty else { return [] }
        var lines = ["Not loaded yet, so not searchable. Load with pymilvus:"]
        if published.count > Self.mostLoadLines {
            lines[0] =
                "Not loaded yet, so not searchable (\(published.count) collections). Load each "
                + "with pymilvus:"
        }
        let token = targetNeedsToken ? ", token=TOKEN" : ""
        return lines
            + published.prefix(Self.mostLoadLines).map { name in
                "  MilvusClient(\(targetAddress.quotedForPython)\(token), "
                    + "db_name=\(name.database.quotedForPython))"
                    + ".load_collection(\(name.collection.quotedForPython))"
            }
    }
}

extension JobReport: Encodable {
    private enum Key: CodingKey {
        case job
        case verdict
        case elapsedSeconds
        case transfers
        case exitStatus
        case evidence
    }

    /// The payload of a JSON line of type `result`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(job, forKey: .job)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(elapsedSeconds, forKey: .elapsedSeconds)
        try container.encode(results, forKey: .transfers)
        try container.encode(verdict.exitStatus.rawValue, forKey: .exitStatus)
        try container.encodeIfPresent(evidence, forKey: .evidence)
    }
}

extension String {
    /// A Python literal: names come from servers, and the line is meant to be pasted.
    fileprivate var quotedForPython: String {
        let text = replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(TerminalText.escaped(text))\""
    }
}
