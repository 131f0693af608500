import Foundation
import StopoverTesting
import Testing

@Suite("An interrupted migration")
struct InterruptionTests {
    /// Small pages make many chunks of few rows, so that every moment of the pipeline is met.
    private func migration(
        _ source: RealServer, _ target: RealServer, _ name: String, autoID: String = "keep"
    ) -> String {
        """
        source: {uri: "\(source.uri)"}
        target: {uri: "\(target.uri)"}
        collections:
          - source: packages
            target: \(name).packages
            auto_id: \(autoID)
        limits: {page: 128KiB, write_timeout_seconds: 2}
        """
    }

    @Test(
        "loses and doubles nothing over many kill -9 at random moments",
        arguments: [("keep", 50), ("regenerate", 10)])
    func killed(_ autoID: String, _ most: Int) async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let seed = UInt64.random(in: 0 ..< .max)
        var generator = SeededRandom(seed: seed)
        var kills = 0
        var round = 0
        var phases: [String: Int] = [:]
        while kills < most {
            round += 1
            let name = "round\(round)"
            let file = try tool.migration(
                migration(source, target, name, autoID: autoID), named: "\(name).yaml")
            var killsOfRound = 0
            while true {
                let run = try tool.start(["run", file, "--job", name])
                // Short lives meet the beginning often, long ones the end sometimes.
                let exponent = Double.random(in: 0...1, using: &generator)
                try await Task.sleep(for: .milliseconds(Int(50 * pow(180, exponent))))
                if kills < most, killsOfRound < 8, run.isRunning {
                    run.signal(SIGKILL)
                    _ = try await run.ended()
                    kills += 1
                    killsOfRound += 1
                    phases[try await phase(of: name, tool), default: 0] += 1
                    continue
                }
                let ended = try await run.ended()
                #expect(ended.status == 0, "seed \(seed), kill \(kills): \(ended)")
                break
            }
            let compared = try await tool.compare(
                source, ("default", "packages"), target, (name, "packages"),
                ["--by-partition"], autoID: autoID)
            #expect(compared.status == 0, "seed \(seed), round \(round): \(compared)")
            if compared.status != 0 { break }
        }
        let met = phases.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        print(
            "kill -9, auto_id: \(autoID): \(kills) kills in \(round) migrations (\(met.joined(separator: ", "))), "
                + "seed \(seed)")
    }

    /// Where the ledger of a killed job says that it stands.
    private func phase(of job: String, _ tool: Tool) async throws -> String {
        let ended = try await tool.run(["status", job, "--json"])
        guard ended.status == 0 else { return "before the job began" }
        let report = try JSONDecoder().decode(StatusReport.self, from: Data(ended.output.utf8))
        return report.jobs.first?.transfers.first?.phase ?? "unknown"
    }

    private struct StatusReport: Decodable {
        struct Job: Decodable {
            var transfers: [Transfer]
        }
        struct Transfer: Decodable {
            var phase: String
        }
        var jobs: [Job]
    }

    @Test("stops at Ctrl-C with exit code 130 and carries on with the same command")
    func interrupted() async throws {
        let tool = try Tool()
        let source = try await SharedSource.packages.server()
        let target = try await RealServer(.lite3)
        let file = try tool.migration(migration(source, target, "stopped"))
        let run = try tool.start(["run", file])
        // Not before the process can take a signal.
        while run.isRunning, run.errors.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        run.signal(SIGINT)
        let first = try await run.ended()
        #expect(first.status == 130, "\(first)")
        let second = try await tool.run(["run", file])
        #expect(second.status == 0, "\(second)")
    }
}
