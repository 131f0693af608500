import Foundation
import StopoverCore

/// The measurements as one page that needs nothing else: bars of rows a second, the table, the verdict.
struct BenchPage {
    private let report: BenchReport

    init(_ report: BenchReport) { self.report = report }

    func write(to path: String) throws(StopoverError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw StopoverError(
                .benchPage, "the page \(path) cannot be written",
                remedy: "Check that its directory is there and may be written to.",
                cause: error.localizedDescription)
        }
    }

    private static let barWidth = 420.0
    private static let rowHeight = 26

    private var text: String {
        let title = "stopover bench: \(HTML.escaped("\(report.collection)"))"
        return """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>\(title)</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>
            :root { color-scheme: light dark; --source: #2a78b8; --target: #b8602a; --both: #4a9a5b; }
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
            svg text { font: 13px system-ui, sans-serif; fill: CanvasText; }
            table { border-collapse: collapse; margin-top: 1.5rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #8884; }
            th:first-child, td:first-child { text-align: left; }
            .source { fill: var(--source); } .target { fill: var(--target); } .both { fill: var(--both); }
            </style>
            <h1>\(title)</h1>
            <p>\(report.verdict.sentences.map(HTML.escaped).joined(separator: "<br>"))</p>
            \(bars)
            \(table)
            </html>

            """
    }

    private var bars: String {
        let most = max(report.samples.map(\.rowsPerSecond).max() ?? 1, 1)
        let height = report.samples.count * BenchPage.rowHeight + 10
        let rows = report.samples.enumerated().map { index, sample in
            let top = index * BenchPage.rowHeight + 6
            let width = max(Int(sample.rowsPerSecond / most * BenchPage.barWidth), 1)
            return """
                <text x="0" y="\(top + 13)">\(sample.side.rawValue), \(sample.requestsAtOnce) at once</text>
                <rect class="\(sample.side.rawValue)" x="150" y="\(top)" width="\(width)" height="17" rx="2"/>
                <text x="\(158 + width)" y="\(top + 13)">\(Figures.grouped(Int64(sample.rowsPerSecond))) rows/s</text>
                """
        }
        return """
            <svg width="720" height="\(height)" role="img" aria-label="rows a second of each measurement">
            \(rows.joined(separator: "\n"))
            </svg>
            """
    }

    private var table: String {
        func number(_ value: Double?) -> String {
            value.map { "\(Double(Int(($0 * 100).rounded())) / 100)" } ?? "–"
        }
        let rows = report.samples.map { sample in
            let cells = [
                "\(sample.side.rawValue), \(sample.requestsAtOnce) at once",
                Figures.grouped(Int64(sample.rowsPerSecond)),
                "\(ByteCount(Int64(sample.bytesPerSecond)))", number(sample.p50Milliseconds),
                number(sample.p99Milliseconds), number(sample.slowestMilliseconds),
                number(sample.cpuSecondsPerGigabyte), number(sample.cores),
            ]
            return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        let heads = [
            "measurement", "rows/s", "bytes/s", "p50 ms", "p99 ms", "slowest ms", "CPU s/GB",
            "cores",
        ]
        return "<table><tr>" + heads.map { "<th>\($0)</th>" }.joined() + "</tr>\n"
            + rows.joined(separator: "\n") + "</table>"
    }
}

extension StopoverError.Code {
    static let benchPage = Self("STO-BENCH-PAGE", exit: .failed)
}
