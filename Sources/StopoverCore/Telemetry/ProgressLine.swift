/// A job in one line, for pipes and log files.
public enum ProgressLine {
    public static func text(_ snapshot: ProgressSnapshot) -> String {
        let total = snapshot.total
        let done = snapshot.transfers.count { $0.phase == .published }
        var parts = [
            "\(Figures.percent(total.fractionLoaded)) "
                + "\(Figures.grouped(total.rowsLoaded)) of \(Figures.grouped(total.rowsExpected)) rows"
        ]
        if snapshot.transfers.count > 1 {
            parts.append("\(done) of \(snapshot.transfers.count) collections done")
        }
        if total.rowsVerified > 0 {
            parts.append("\(Figures.grouped(total.rowsVerified)) rows verified")
        }
        if let rate = total.rowsPerSecond { parts.append("\(Figures.short(rate)) rows/s") }
        if let rate = total.bytesPerSecond { parts.append("\(ByteCount.decimal(rate))/s") }
        if let left = total.etaSeconds { parts.append("\(Figures.clock(left)) left") }
        parts += [limit(snapshot)].compactMap { $0 } + machine(snapshot)
        parts += snapshot.waits.map(wait)
        return "\(TerminalText.escaped(snapshot.job)): " + parts.joined(separator: " · ")
    }

    /// What limits; nil where a wait says it, with its reason.
    static func limit(_ snapshot: ProgressSnapshot) -> String? {
        snapshot.waits.isEmpty ? snapshot.limitingStage?.sentence : nil
    }

    /// The state of this machine's part: the spool, and what was tried again.
    static func machine(_ snapshot: ProgressSnapshot) -> [String] {
        var parts: [String] = []
        if snapshot.spoolLimitBytes > 0 {
            parts.append(
                "spool \(ByteCount(snapshot.spoolUsedBytes)) of \(ByteCount(snapshot.spoolLimitBytes))"
            )
        }
        if snapshot.retries > 0 {
            parts.append(
                snapshot.retries == 1 ? "1 retry" : "\(Figures.grouped(snapshot.retries)) retries")
        }
        return parts
    }

    static func wait(_ wait: Wait) -> String {
        "waiting for the \(wait.side.rawValue) since \(Figures.clock(wait.seconds)): "
            + TerminalText.escaped(wait.reason)
    }
}
