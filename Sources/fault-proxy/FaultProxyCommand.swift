import ArgumentParser
import Foundation
import StopoverTesting

extension Fault.Kind: ExpressibleByArgument {}

@main
struct FaultProxyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fault-proxy",
        abstract: "Stands before a server and does to connections what networks do.",
        discussion: """
            Prints its address as JSON. Then each line of its input is answered by a line of JSON \
            with what it did so far: `faults SEED` begins a script of faults, `calm` ends it, \
            `counts` changes nothing. It ends with its input.
            """)

    @Option(help: "The server's port on 127.0.0.1.")
    var to: Int

    @Option(help: "The kinds of faults of its scripts; all when left out.")
    var kind: [Fault.Kind] = []

    @Option(help: "Seconds from one fault to the next, at most.")
    var pause = 1.5

    func validate() throws {
        guard (1...65_535).contains(to) else { throw ValidationError("--to is 1 to 65535") }
        guard pause > 0.05 else { throw ValidationError("--pause is above 0.05") }
    }

    func run() throws {
        let proxy = try FaultProxy(to: to)
        try say(["uri": proxy.uri])
        while let line = readLine() {
            let words = line.split(separator: " ")
            switch words.first {
            case "faults":
                guard words.count == 2, let seed = UInt64(words[1]) else {
                    throw ValidationError("faults SEED, not `\(line)`")
                }
                proxy.follow(
                    FaultScript(
                        seed: seed, kinds: kind.isEmpty ? Fault.Kind.allCases : kind,
                        pauseSeconds: 0.05...pause))
            case "calm": proxy.calm()
            case "counts": break
            default: throw ValidationError("`\(line)` is no command")
            }
            try say(Self.record(of: proxy.counts))
        }
    }

    private static func record(of counts: FaultCounts) -> [String: Any] {
        var faults: [String: Int] = [:]
        for (kind, count) in counts.faults { faults[kind.rawValue] = count }
        return [
            "connections": counts.connections, "bytes": counts.bytes, "faults": faults,
            "lateAnswers": counts.lateAnswers, "secondAnswers": counts.secondAnswers,
        ]
    }

    private func say(_ object: [String: Any]) throws {
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
        FileHandle.standardOutput.write(data + Data("\n".utf8))
    }
}
