import StopoverCore

/// Rows a second over the time of a job, loading and verifying, as SVG.
struct ThroughputPlot {
    private struct Point {
        var seconds: Double
        var rate: Double
    }

    private static let width = 900.0
    private static let height = 240.0
    private static let left = 70.0
    private static let bottom = 30.0
    private static let top = 24.0
    /// Points of a line: more would not be seen.
    private static let mostPoints = 240
    /// Between two samples of one run; a longer gap is a time in which the job did not run.
    private static let longestPause = 300.0

    private let samples: [ThroughputSample]

    init(_ samples: [ThroughputSample]) { self.samples = samples }

    /// Empty for a job that was too short to have a shape.
    var section: String {
        guard let first = samples.first, let last = samples.last, last.at > first.at else {
            return ""
        }
        let loaded = lines(\.rowsLoaded)
        let verified = lines(\.rowsVerified)
        let most = (loaded + verified).flatMap { $0 }.map(\.rate).max() ?? 0
        guard most > 0 else { return "" }
        let seconds = last.at - first.at
        func path(_ line: [Point]) -> String {
            line.enumerated().map { index, point in
                let x = Self.left + point.seconds / seconds * (Self.width - Self.left - 10)
                let y =
                    Self.height - Self.bottom
                    - point.rate / most * (Self.height - Self.bottom - Self.top)
                return "\(index == 0 ? "M" : "L")\(rounded(x)) \(rounded(y))"
            }.joined(separator: " ")
        }
        func paths(_ lines: [[Point]], _ name: String) -> String {
            lines.filter { $0.contains { $0.rate > 0 } }
                .map { "<path class=\"\(name)\" d=\"\(path($0))\"/>" }.joined(separator: "\n")
        }
        let base = Self.height - Self.bottom
        return """
            <section><h2>Rows a second</h2>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="rows a second over time, loaded and verified; at most \(Figures.short(most))">
            <line class="axis" x1="\(Self.left)" y1="\(base)" x2="\(Self.width - 10)" y2="\(base)"/>
            <line class="axis" x1="\(Self.left)" y1="\(Self.top)" x2="\(Self.width - 10)" y2="\(Self.top)"/>
            <text x="\(Self.left - 8)" y="\(Self.top + 4)" text-anchor="end">\(Figures.short(most))</text>
            <text x="\(Self.left - 8)" y="\(base + 4)" text-anchor="end">0</text>
            <text x="\(Self.left)" y="\(Self.height - 8)">0:00</text>
            <text x="\(Self.width - 10)" y="\(Self.height - 8)" text-anchor="end">\(Figures.clock(seconds))</text>
            \(paths(loaded, "loaded"))
            \(paths(verified, "verified"))
            <text class="loaded" x="\(Self.left)" y="14">loaded</text>
            <text class="verified" x="\(Self.left + 60)" y="14">verified</text>
            </svg></section>
            """
    }

    /// A line for each run of the job.
    private func lines(_ rows: KeyPath<ThroughputSample, Int64>) -> [[Point]] {
        let start = samples.first?.at ?? 0
        let step = max(samples.count / Self.mostPoints, 1)
        var lines: [[Point]] = [[]]
        var last = samples.first
        for index in stride(from: step, to: samples.count, by: step) {
            let sample = samples[index]
            guard let before = last else { break }
            last = sample
            let elapsed = sample.at - before.at
            let moved = sample[keyPath: rows] - before[keyPath: rows]
            // Another run counts from what earlier ones made durable, and verified rows from none.
            guard elapsed > 0, moved >= 0, elapsed < Self.longestPause * Double(step) else {
                lines.append([])
                continue
            }
            lines[lines.count - 1].append(
                Point(
                    seconds: sample.at - start - elapsed / 2, rate: Double(moved) / elapsed))
        }
        return lines.filter { $0.count > 1 }
    }

    private func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
