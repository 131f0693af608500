import ArgumentParser
import Foundation
import StopoverCore
import StopoverMilvus

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the source alone, the target alone, and both; say which side limits.",
        discussion: """
            Rows are read from the source and inserted into collections of its own on the target, \
            stopover_bench_…, which are dropped at the end. Nothing else is written anywhere.
            """)

    @Argument(help: "The migration file.")
    var file: String

    @Option(help: "The source collection to measure with (default: the largest).")
    var collection: String?

    @Option(help: "Seconds of each measurement.")
    var seconds = 5.0

    @Option(help: "Measure only this; may be repeated. (default: all three)")
    var side: [BenchSample.Side] = []

    @Option(help: "Requests at once to try on either side, with commas between.")
    var requests = "1,2,4,8"

    @Option(help: "Also write a page with plots there, for a browser.")
    var html: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (0.2...3600).contains(seconds) else {
            throw ValidationError("--seconds is 0.2 to 3600")
        }
        guard parallelism != nil else {
            throw ValidationError("--requests is a list as 1,2,4,8, each 1 to 64")
        }
    }

    private var parallelism: [Int]? {
        let numbers = requests.split(separator: ",").map { Int($0) }
        let known = numbers.compactMap(\.self).filter {
            (1...MigrationLimits.mostWorkers).contains($0)
        }
        return known.count == numbers.count && !known.isEmpty ? known.sorted() : nil
    }

    func run() async throws {
        try await output.reportingErrors { console in
            let migration = try Migration(contentsOf: file)
            let scratch = NSTemporaryDirectory() + "stopover-bench-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let stop = StopSignal()
            let signals = Signals(stop) { console.note($0) }
            defer { withExtendedLifetime(signals) {} }
            try await Clusters.withClusters(of: migration) { source, target in
                let plan = try await Planner.plan(migration, source: source, target: target)
                guard plan.refusals.isEmpty else { throw RefusedPlan(plan).error }
                let transfer = try chosen(from: plan)
                var options = Bench.Options(directory: scratch)
                options.seconds = seconds
                if !side.isEmpty { options.sides = Set(side) }
                options.requestsAtOnce = parallelism ?? options.requestsAtOnce
                options.limits = EngineLimits(migration.limits)
                let bench = Bench(
                    transfer, source: source, target: target, options: options, stop: stop)
                let samples = try await bench.run { console.note(BenchReport.line($0)) }
                let report = BenchReport(
                    collection: transfer.source.name, samples: samples,
                    verdict: BenchVerdict(
                        samples, cores: ProcessInfo.processInfo.activeProcessorCount,
                        current: (options.limits.cursors, options.limits.insertRequests)))
                if let html { try BenchPage(report).write(to: html) }
                try console.result("bench", report, lines: report.lines)
            }
        }
    }

    private func chosen(from plan: MigrationPlan) throws(StopoverError) -> TransferPlan {
        let transfers = plan.transfers.filter { transfer in
            collection.map {
                "\(transfer.source.name)" == $0 || transfer.source.name.collection == $0
            }
                ?? true
        }
        guard let largest = transfers.max(by: { $0.sourceRows < $1.sourceRows }) else {
            throw StopoverError(
                .benchCollection,
                "the migration has no collection \(collection ?? "at all")",
                remedy: "Name one of: "
                    + plan.transfers.map { "\($0.source.name)" }.joined(separator: ", "))
        }
        return largest
    }
}

extension BenchSample.Side: ExpressibleByArgument {}

/// What was measured, for people and for programs.
struct BenchReport: Encodable {
    var collection: CollectionName
    var samples: [BenchSample]
    var verdict: BenchVerdict

    static func line(_ sample: BenchSample) -> String {
        var parts = [
            "\(sample.side.rawValue), \(sample.requestsAtOnce) at once:",
            "\(Figures.grouped(Int64(sample.rowsPerSecond))) rows/s",
            "\(ByteCount(Int64(sample.bytesPerSecond)))/s",
        ]
        if let p50 = sample.p50Milliseconds, let p99 = sample.p99Milliseconds {
            parts.append("p50 \(Int(p50.rounded())) ms, p99 \(Int(p99.rounded())) ms")
        }
        if let cpu = sample.cpuSecondsPerGigabyte {
            parts.append("\(Double(Int(cpu * 100)) / 100) s of CPU per GB")
        }
        return parts.joined(separator: "  ")
    }

    var lines: [String] {
        var table = TextTable([
            .init("side"), .init("at once", .right), .init("rows/s", .right),
            .init("bytes/s", .right), .init("p50 ms", .right), .init("p99 ms", .right),
            .init("CPU s/GB", .right), .init("cores", .right),
        ])
        func tenths(_ number: Double?) -> String {
            number.map { "\(Double(Int(($0 * 10).rounded())) / 10)" } ?? "–"
        }
        for sample in samples {
            table.add([
                sample.side.rawValue, "\(sample.requestsAtOnce)",
                Figures.grouped(Int64(sample.rowsPerSecond)),
                "\(ByteCount(Int64(sample.bytesPerSecond)))",
                tenths(sample.p50Milliseconds), tenths(sample.p99Milliseconds),
                tenths(sample.cpuSecondsPerGigabyte), tenths(sample.cores),
            ])
        }
        return ["\(collection)"] + table.lines(width: nil) + [""] + verdict.sentences
    }
}

extension StopoverError.Code {
    static let benchCollection = Self("STO-BENCH-COLLECTION", exit: .usage)
}
