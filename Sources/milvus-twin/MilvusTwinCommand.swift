import ArgumentParser
import Dispatch
import Foundation
import StopoverCore
import StopoverTesting

extension MilvusTwin.Store: ExpressibleByArgument {}
extension MilvusTwin.ExistingKeys: ExpressibleByArgument {}
extension MilvusTwin.Generated.Keys: ExpressibleByArgument {}

@main
enum Main {
    @MainActor static func main() async {
        Allocator.keepLargeBuffers()
        await MilvusTwinCommand.main()
    }
}

struct MilvusTwinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "milvus-twin",
        abstract: "Stopover's own Milvus server in memory, for its tests; ends on SIGTERM.",
        discussion: """
            Prints its address as JSON. Then each line of its input is answered by a line of JSON with \
            what it did so far, or with what is wrong with the line:

            rule METHOD WHEN FAULT: one more rule, as --rule has it; calls are counted anew
            calm: no rule any more
            restart SECONDS: everything that no Flush covered is lost, and nothing listens so long
            limit writes|reads N|off: bytes of inserts, or rows of queries, a second
            tally DATABASE.COLLECTION: what its rows sum up to, too
            counts: changes nothing

            WHEN is always, call N, calls N-M, every N or chance P. FAULT is one of: refuse CODE \
            REASON, fail STATUS, apply-then-fail STATUS, part-then-fail STATUS, delay SECONDS, truncate \
            ROWS, restart SECONDS, distort \(MilvusTwin.Distortion.allCases.map(\.rawValue)
                .joined(separator: "|")). STATUS is gRPC's: unavailable, unimplemented, and so on.
            """)

    @Option(help: "The loopback port; 0 takes any free one.")
    var port = 0

    @Option(
        help: "A collection whose rows are computed: database.collection=rows. May be repeated.")
    var generate: [GeneratedName] = []

    @Option(help: "Dimension of the generated vectors.")
    var dim = 8

    @Option(help: "Type of the generated primary keys.")
    var keys = MilvusTwin.Generated.Keys.int64

    @Option(help: "Whether created collections keep their rows, or only sum them up.")
    var store = MilvusTwin.Store.memory

    @Option(help: "What an Insert does with a key that is there.")
    var existingKeys = MilvusTwin.ExistingKeys.doubled

    @Option(help: "The version that it says it is of.")
    var version = MilvusTwin.Options().version

    @Option(help: "A method that it shall not know. May be repeated.")
    var unknown: [String] = []

    @Option(help: "A fault: METHOD WHEN FAULT, as `Insert every 7 part-then-fail unavailable`.")
    var rule: [String] = []

    @Option(help: "Decides what rules leave to chance.")
    var seed: UInt64 = 0

    @Option(help: "Bytes of inserts a second; more is refused.")
    var writeBytesPerSecond: Double?

    @Option(help: "Rows of queries a second; more is refused.")
    var readRowsPerSecond: Double?

    func validate() throws {
        do { _ = try rule.map { try MilvusTwin.FaultRule($0) } } catch {
            throw ValidationError("\(error)")
        }
        guard (0...65_535).contains(port) else { throw ValidationError("--port is 0 to 65535") }
        guard (1...32_768).contains(dim) else { throw ValidationError("--dim is 1 to 32768") }
    }

    func run() async throws {
        var options = MilvusTwin.Options()
        options.port = port
        options.store = store
        options.existingKeys = existingKeys
        options.version = version
        options.unknownMethods = Set(unknown)
        for generated in generate {
            options.generated[generated.name] = .init(
                rows: generated.rows, dimension: dim, keys: keys)
        }
        let twin = try MilvusTwin(options)
        twin.limit(.writes, to: writeBytesPerSecond)
        twin.limit(.reads, to: readRowsPerSecond)
        let console = TwinConsole(
            twin, rules: try rule.map { try MilvusTwin.FaultRule($0) }, seed: seed)
        let ended = AsyncStream.makeStream(of: Void.self)
        let signals = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { ended.continuation.finish() }
            source.resume()
            return source
        }
        defer { signals.forEach { $0.cancel() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await twin.run() }
            defer { group.cancelAll() }
            try await twin.ready()
            print("{\"uri\":\"\(twin.uri)\"}")
            // Whoever started us reads this through a pipe.
            fflush(nil)
            console.listen()
            for await _ in ended.stream {}
        }
    }
}

/// `default.rows=2000000`
struct GeneratedName: ExpressibleByArgument {
    var name: CollectionName
    var rows: Int64

    init?(argument: String) {
        let sides = argument.split(separator: "=")
        guard sides.count == 2, let rows = Int64(sides[1]), (0...1_000_000_000_000).contains(rows)
        else { return nil }
        let names = sides[0].split(separator: ".").map(String.init)
        guard names.count == 2 else { return nil }
        name = CollectionName(database: names[0], collection: names[1])
        self.rows = rows
    }
}
