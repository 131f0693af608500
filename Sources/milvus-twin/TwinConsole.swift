import Foundation
import StopoverCore
import StopoverTesting
import Synchronization

/// What is said to a twin that runs: a line in, a line of JSON out.
final class TwinConsole: Sendable {
    private let twin: MilvusTwin
    private let rules: Mutex<[MilvusTwin.FaultRule]>
    private let seed: UInt64

    init(_ twin: MilvusTwin, rules: [MilvusTwin.FaultRule], seed: UInt64) {
        self.twin = twin
        self.rules = Mutex(rules)
        self.seed = seed
        twin.behave(.init(rules, seed: seed))
    }

    /// On a thread of its own until the input ends, which ends nothing else: most who start a twin
    /// never speak to it.
    func listen() {
        Thread.detachNewThread { [self] in
            while let line = readLine() {
                var answer: [String: Any]
                do {
                    answer = try obey(line)
                } catch {
                    answer = ["error": "\(error)"]
                }
                guard
                    let data = try? JSONSerialization.data(
                        withJSONObject: answer, options: [.sortedKeys])
                else { continue }
                FileHandle.standardOutput.write(data + Data("\n".utf8))
            }
        }
    }

    struct Misunderstood: Error, CustomStringConvertible {
        var description: String
    }

    private func obey(_ line: String) throws -> [String: Any] {
        let words = line.split(separator: " ").map(String.init)
        switch words.first {
        case "counts": break
        case "rule":
            let rule = try MilvusTwin.FaultRule(words.dropFirst().joined(separator: " "))
            let all = rules.withLock { rules in
                rules.append(rule)
                return rules
            }
            twin.behave(.init(all, seed: seed))
        case "calm":
            rules.withLock { $0 = [] }
            twin.behave(.normal)
        case "restart":
            guard words.count == 2, let seconds = Double(words[1]), seconds >= 0 else {
                throw Misunderstood(description: "restart SECONDS, not `\(line)`")
            }
            twin.restart(down: .seconds(seconds))
        case "limit":
            guard words.count == 3, let rate = MilvusTwin.Rate(rawValue: words[1]),
                words[2] == "off" || (Double(words[2]) ?? 0) > 0
            else { throw Misunderstood(description: "limit writes|reads N|off, not `\(line)`") }
            twin.limit(rate, to: Double(words[2]))
        case "tally":
            let names = words.dropFirst().joined().split(separator: ".").map(String.init)
            guard names.count == 2 else {
                throw Misunderstood(description: "tally DATABASE.COLLECTION, not `\(line)`")
            }
            let tally = try twin.tally(of: .init(database: names[0], collection: names[1]))
            return counts.merging(["tally": TwinConsole.record(of: tally)]) { $1 }
        default: throw Misunderstood(description: "`\(line)` is no command")
        }
        return counts
    }

    private var counts: [String: Any] {
        let counts = twin.counts
        return [
            "calls": counts.calls, "faults": counts.faults, "restarts": twin.restartCount,
            "lostRows": twin.lostRowCount, "rateRefusals": twin.rateRefusalCount,
        ]
    }

    private static func record(of tally: MilvusTwin.Tally) -> [String: Any] {
        var record: [String: Any] = [
            "rows": tally.rows, "columns": tally.columns.mapValues { String($0, radix: 16) },
        ]
        if let least = tally.least { record["least"] = "\(least)" }
        if let greatest = tally.greatest { record["greatest"] = "\(greatest)" }
        return record
    }
}
