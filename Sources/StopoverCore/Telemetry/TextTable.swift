/// Rows in aligned columns, for `inspect`, `plan`, `status`. Cells are escaped, and the widest
/// columns give way when a line is too long.
public struct TextTable: Hashable, Sendable {
    public enum Alignment: Hashable, Sendable {
        case left
        case right
    }

    public struct Column: Hashable, Sendable {
        public var title: String
        public var alignment: Alignment

        public init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    static let gap = 2
    /// A column gives way down to this.
    static let leastColumn = 8

    public var columns: [Column]
    public private(set) var rows: [[String]] = []

    public init(_ columns: [Column]) { self.columns = columns }

    /// Cells that are missing are empty, surplus ones are not shown.
    public mutating func add(_ cells: [String]) {
        let padding = Array(repeating: "", count: max(columns.count - cells.count, 0))
        rows.append((cells.prefix(columns.count) + padding).map(TerminalText.escaped))
    }

    /// - Parameter width: nil for a pipe: nothing is cut there.
    public func lines(width: Int? = nil, style: OutputStyle = .plain) -> [String] {
        let titles = columns.map { TerminalText.escaped($0.title) }
        var widths = columns.indices.map { index in
            ([titles] + rows).map { TerminalText.width($0[index]) }.max() ?? 0
        }
        if let width {
            let gaps = Self.gap * (columns.count - 1)
            while widths.reduce(gaps, +) > width,
                let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > Self.leastColumn
            {
                widths[widest] -= 1
            }
        }
        let body = rows.map { line($0, widths) }
        return titles.allSatisfy(\.isEmpty)
            ? body : [style.paint(line(titles, widths), .dim)] + body
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let text = columns.indices.map { index in
            TerminalText.padded(
                cells[index], to: widths[index], right: columns[index].alignment == .right)
        }.joined(separator: String(repeating: " ", count: Self.gap))
        return String(text.reversed().drop { $0 == " " }.reversed())
    }
}
