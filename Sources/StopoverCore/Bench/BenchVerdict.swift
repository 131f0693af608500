/// What the measurements say: which side limits, and what to try. Pure.
public struct BenchVerdict: Hashable, Sendable, Codable {
    /// More requests at once that gain less than this are not worth it.
    static let worthwhileGain = 1.1
    /// Both together at this part of the slower side alone have nothing to gain here.
    static let asFastAsTheSlower = 0.9
    /// Of all cores; above it the machine is busy.
    static let busy = 0.85

    public enum Limit: String, Sendable, Codable {
        case source
        case target
        /// This machine's processors.
        case processor
        /// Neither alone: its disk, or the two sides sharing a machine or a network.
        case between
    }

    /// nil where a side was not measured alone.
    public var limit: Limit?
    /// What to write under `limits:`; empty where the defaults are best.
    public var settings: [String: Int]
    public var sentences: [String]

    /// - Parameters:
    ///   - cores: processors of this machine.
    ///   - current: requests at once that a run would have, of the source and of the target.
    public init(_ samples: [BenchSample], cores: Int, current: (cursors: Int, workers: Int)) {
        let source = BenchVerdict.best(of: samples, .source)
        let target = BenchVerdict.best(of: samples, .target)
        settings = [:]
        sentences = []
        if let source, source.requestsAtOnce != current.cursors {
            settings["cursors"] = source.requestsAtOnce
        }
        if let target, target.requestsAtOnce != current.workers {
            settings["workers"] = target.requestsAtOnce
        }
        let both = samples.last { $0.side == .both }
        if let source, let target {
            let isSource = source.rowsPerSecond < target.rowsPerSecond
            limit = isSource ? .source : .target
            let slower = isSource ? source : target
            if let both,
                both.rowsPerSecond < slower.rowsPerSecond * BenchVerdict.asFastAsTheSlower
            {
                limit = both.cores > Double(cores) * BenchVerdict.busy ? .processor : .between
            }
        }
        sentences = words(source, target, both)
    }

    /// The fewest requests at once from which more gain little.
    static func best(of samples: [BenchSample], _ side: BenchSample.Side) -> BenchSample? {
        let measured = samples.filter { $0.side == side }
            .sorted { $0.requestsAtOnce < $1.requestsAtOnce }
        let most = measured.map(\.rowsPerSecond).max() ?? 0
        return measured.first { $0.rowsPerSecond * worthwhileGain >= most }
    }

    private func words(
        _ source: BenchSample?, _ target: BenchSample?, _ both: BenchSample?
    ) -> [String] {
        func rate(_ sample: BenchSample?) -> String {
            sample.map { Figures.short($0.rowsPerSecond) + " rows/s" } ?? "?"
        }
        var lines: [String] = []
        switch limit {
        case nil: lines.append("which side limits is told where both are measured alone")
        case .source:
            lines.append(
                "the source limits: it gives \(rate(source)), the target takes \(rate(target))")
        case .target:
            lines.append(
                "the target limits: it takes \(rate(target)), the source gives \(rate(source))")
        case .processor:
            lines.append(
                "this machine limits: both together make \(rate(both)) with all its processors busy, "
                    + "the source alone \(rate(source)), the target alone \(rate(target))")
        case .between:
            lines.append(
                "neither side limits alone: both together make \(rate(both)), the source alone "
                    + "\(rate(source)), the target alone \(rate(target)). Clusters that share a "
                    + "machine or a network do that, and a slow disk of the spool")
        }
        let asked = settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        lines.append(
            asked.isEmpty
                ? "the settings are right as they are"
                : "try `limits: {\(asked.joined(separator: ", "))}`")
        return lines
    }
}
