/// The live display of a job: a row per transfer, then what limits and what is waited for. Pure:
/// no line is wider than asked, so that a terminal can draw it again in its place.
public enum ProgressTable {
    /// Narrower terminals get lines of this width, and wrap.
    public static let leastWidth = 50
    /// Lines besides the transfers: header, total, status, a wait of each side.
    static let linesAround = 6

    /// - Parameter height: rows of the terminal; transfers that do not fit are counted in one line.
    public static func lines(
        _ snapshot: ProgressSnapshot, width: Int, height: Int = .max, style: OutputStyle = .plain
    ) -> [String] {
        let layout = Layout(width: max(width, leastWidth))
        var lines = [style.paint(layout.header, .dim)]
        let shown = choose(snapshot.transfers, atMost: max(height - linesAround, 1))
        lines += shown.map { row($0, name: "\($0.target)", layout, style) }
        let hidden = snapshot.transfers.count - shown.count
        if hidden > 0 {
            let done = snapshot.transfers.count { $0.phase == .published }
            lines.append(
                TerminalText.truncated(
                    "… and \(hidden) more; \(done) of \(snapshot.transfers.count) are done",
                    to: layout.width))
        }
        if snapshot.transfers.count > 1 {
            var total = snapshot.total
            total.phase =
                snapshot.transfers.allSatisfy { $0.phase == .published } ? .published : .moving
            lines.append(row(total, name: "total", layout, style))
        }
        lines.append(TerminalText.truncated(status(snapshot), to: layout.width))
        lines += snapshot.waits.map {
            style.paint(TerminalText.truncated(ProgressLine.wait($0), to: layout.width), .yellow)
        }
        return lines
    }

    private static func row(
        _ transfer: TransferProgress, name: String, _ layout: Layout, _ style: OutputStyle
    ) -> String {
        let isMoving = transfer.phase == .moving
        let last =
            switch transfer.phase {
            case .planned: "–"
            case .moving: Figures.clock(transfer.etaSeconds)
            case .checking where transfer.rowsVerified > 0:
                "✓ \(Figures.percent(transfer.fractionVerified))"
            case .checking: "checking"
            case .published: "done"
            case .cancelled: "stopped"
            }
        return layout.line([
            (TerminalText.escaped(name), nil),
            (bar(transfer, columns: layout.bar), transfer.phase == .published ? .green : nil),
            (Figures.percent(transfer.fractionLoaded), nil),
            (Figures.short(Double(transfer.rowsLoaded)), nil),
            (isMoving ? transfer.rowsPerSecond.map { Figures.short($0) + "/s" } ?? "" : "", nil),
            (
                isMoving ? transfer.bytesPerSecond.map { ByteCount.decimal($0) + "/s" } ?? "" : "",
                nil
            ),
            (last, nil),
        ]) { style.paint($0, $1) }
    }

    /// Full where rows are loaded, shaded where they are read and rest in the spool.
    private static func bar(_ transfer: TransferProgress, columns: Int) -> String {
        let loaded = Int((transfer.fractionLoaded * Double(columns)).rounded(.down))
        let read = max(Int((transfer.fractionRead * Double(columns)).rounded(.down)), loaded)
        return String(repeating: "█", count: loaded)
            + String(repeating: "▒", count: read - loaded)
            + String(repeating: "░", count: columns - read)
    }

    private static func status(_ snapshot: ProgressSnapshot) -> String {
        ([ProgressLine.limit(snapshot)] + ProgressLine.machine(snapshot)
            + [Figures.clock(snapshot.elapsedSeconds) + " elapsed"])
            .compactMap { $0 }.joined(separator: " · ")
    }

    /// What moves comes first, then what is yet to come; in the order of the plan.
    private static func choose(
        _ transfers: [TransferProgress], atMost count: Int
    ) -> [TransferProgress] {
        guard transfers.count > count else { return transfers }
        let order: [TransferPhase] = [.moving, .checking, .planned, .published, .cancelled]
        let chosen = transfers.indices.sorted {
            let left = (order.firstIndex(of: transfers[$0].phase) ?? order.count, $0)
            return left < (order.firstIndex(of: transfers[$1].phase) ?? order.count, $1)
        }
        return chosen.prefix(count).sorted().map { transfers[$0] }
    }

    /// The widths of the columns: the name and the bar give way, then the bytes per second go.
    private struct Layout {
        let width: Int
        let name: Int
        let bar: Int
        let gap: String
        let hasBytes: Bool

        static let mostBar = 30
        /// Percent, rows, rows/s, bytes/s, time left.
        static let figures = (percent: 4, rows: 7, rowRate: 9, byteRate: 10, last: 8)

        init(width: Int) {
            self.width = width
            hasBytes = width >= 80
            name = width < 70 ? 16 : width < 100 ? 20 : 32
            gap = String(repeating: " ", count: width < 80 ? 1 : 2)
            let figures = Self.figures
            var used = name + figures.percent + figures.rows + figures.rowRate + figures.last
            used += gap.count * (hasBytes ? 6 : 5) + (hasBytes ? figures.byteRate : 0)
            bar = min(max(width - used, 0), Self.mostBar)
        }

        var header: String {
            line([
                ("collection", nil), ("", nil), ("", nil), ("loaded", nil), ("rows/s", nil),
                ("bytes/s", nil), ("left", nil),
            ]) { text, _ in text }
        }

        func line(
            _ cells: [(String, OutputStyle.Colour?)],
            paint: (String, OutputStyle.Colour?) -> String
        ) -> String {
            let figures = Self.figures
            let widths = [
                name, bar, figures.percent, figures.rows, figures.rowRate,
                hasBytes ? figures.byteRate : 0, figures.last,
            ]
            return zip(cells, widths).enumerated().filter { $0.element.1 > 0 }.map { index, cell in
                paint(
                    TerminalText.padded(cell.0.0, to: cell.1, right: index > 1), cell.0.1)
            }.joined(separator: gap)
        }
    }
}
