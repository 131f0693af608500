import ArgumentParser
import Foundation

@main
struct PartsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark-parts",
        abstract: "What each part of the way of a row costs, beside copying its bytes once.",
        discussion: """
            Every round measures each part and a plain copy of the same bytes; what counts is the median \
            of their ratio, which holds on a busy machine as on a quiet one. With --baseline the ratios \
            are compared with saved ones, and one that is much larger is an error.
            """)

    @Option(help: "Rounds of all parts.")
    var rounds = 7

    @Option(help: "Seconds of each measurement.")
    var seconds = 0.4

    @Option(help: "Ratios of an earlier run, as JSON; missing ones are let be.")
    var baseline: String?

    @Flag(help: "Write the ratios of this run to the baseline.")
    var save = false

    /// From this multiple of the saved ratio on, a part has become slower.
    static let slower = 2.0

    func run() async throws {
        let parts = try await Part.all()
        var measured: [String: [Sample]] = [:]
        for _ in 0..<rounds {
            for part in parts {
                measured[part.name, default: []].append(try await part.sample(seconds))
            }
        }
        let ratios = measured.mapValues { $0.map(\.ratio).median }
        print("| part | s of CPU a GB | of a copy | rows a second of one core |")
        print("|---|---|---|---|")
        for part in parts {
            let samples = measured[part.name] ?? []
            let cost = samples.map(\.secondsPerGB).median
            let rows = part.rows == 0 ? "–" : "\(Int(samples.map(\.rowsPerSecond).median / 1000)) k"
            print(
                "| \(part.name) | \(cost.short) | \((ratios[part.name] ?? 0).short)× | \(rows) |")
        }
        guard let baseline else { return }
        if save {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            try encoder.encode(ratios.mapValues { ($0 * 1000).rounded() / 1000 })
                .write(to: URL(filePath: baseline))
            return
        }
        let saved = try JSONDecoder().decode(
            [String: Double].self, from: Data(contentsOf: URL(filePath: baseline)))
        let worse = ratios.filter { name, ratio in
            saved[name].map { ratio > $0 * PartsCommand.slower } ?? false
        }
        for (name, ratio) in worse {
            print("slower: \(name): \(ratio.short)× a copy, \((saved[name] ?? 0).short)× before")
        }
        if !worse.isEmpty { throw ExitCode.failure }
    }
}

extension [Double] {
    var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}

extension Double {
    var short: String { String(format: self < 10 ? "%.3f" : "%.0f", self) }
}
