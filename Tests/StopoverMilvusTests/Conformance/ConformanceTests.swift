import Foundation
import StopoverTesting
import Synchronization
import Testing

/// Our own server and two real ones, asked the same: what other tests learn from ours holds for them.
@Suite("Servers that are asked the same")
struct ConformanceTests {
    private typealias Answers = [ConformanceKind: [String: String]]

    @Test("answer the same, or as the table of known differences says")
    func answers() async throws {
        let cases = ConformanceCase.all
        #expect(Set(cases.map(\.name)).count == cases.count)
        let answers = try await withThrowingTaskGroup(of: Answers.self) { group in
            for kind in ConformanceKind.allCases {
                group.addTask { [kind: try await Self.answers(of: kind, to: cases)] }
            }
            return try await group.reduce(into: Answers()) { $0.merge($1) { $1 } }
        }
        Self.log(cases, answers)
        for one in cases { Self.judge(one.name, answers.compactMapValues { $0[one.name] }) }
        for known in KnownDifference.all
        where !cases.contains(where: { $0.name == known.behaviour }) {
            Issue.record("the table names no behaviour of the suite: \(known.behaviour)")
        }
    }

    /// `STOPOVER_WRITE_CONFORMANCE=1` writes it there.
    @Test("differ as Docs/conformance.md says")
    func page() throws {
        let page = try ConformancePage()
        guard ProcessInfo.processInfo.environment["STOPOVER_WRITE_CONFORMANCE"] == nil else {
            return try page.write(ConformancePage.section)
        }
        #expect(page.section == ConformancePage.section)
    }

    /// The answer that most servers give is the one that others differ from; where no two agree, ours is.
    private static func judge(_ name: String, _ answers: [ConformanceKind: String]) {
        let known = KnownDifference.all.filter { $0.behaviour == name }
        let others = answers.filter { kind, _ in !known.contains { $0.server == kind } }
        guard Set(others.values).count == 1, let common = others.values.first else {
            Issue.record("\(name): \(words(answers)), and the table does not say why")
            return
        }
        for difference in known {
            let answer = answers[difference.server] ?? "none"
            #expect(answer == difference.answer, "\(name) on \(difference.server.rawValue)")
            #expect(
                answer != common, "\(name): \(difference.server.rawValue) no longer differs")
        }
    }

    private static func words(_ answers: [ConformanceKind: String]) -> String {
        ConformanceKind.allCases.map { "\($0.rawValue): \(answers[$0] ?? "none")" }
            .joined(separator: "; ")
    }

    /// Where `STOPOVER_CONFORMANCE_LOG` says, what every server answered.
    private static func log(_ cases: [ConformanceCase], _ answers: Answers) {
        guard let path = ProcessInfo.processInfo.environment["STOPOVER_CONFORMANCE_LOG"] else {
            return
        }
        let lines = cases.map { one in
            ([one.name] + ConformanceKind.allCases.map { answers[$0]?[one.name] ?? "none" })
                .joined(separator: "\t")
        }
        try? lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    // MARK: Asking

    private static func answers(
        of kind: ConformanceKind, to cases: [ConformanceCase]
    ) async throws -> [String: String] {
        switch kind {
        case .twin:
            return try await MilvusTwin.with { twin in
                try await answers(host: "127.0.0.1", port: twin.port, cases, atOnce: 1)
            }
        case .lite3:
            return try await RealServer.with(.lite3) { server in
                try await answers(host: server.host, port: server.port, cases, atOnce: 1)
            }
        case .standalone:
            // Most of what it does is waiting.
            return try await RealServer.with(.standalone) { server in
                try await answers(host: server.host, port: server.port, cases, atOnce: 6)
            }
        }
    }

    private static func answers(
        host: String, port: Int, _ cases: [ConformanceCase], atOnce: Int
    ) async throws -> [String: String] {
        let queue = Queue(count: cases.count)
        return try await withThrowingTaskGroup(of: [String: String].self) { group in
            for _ in 0..<atOnce {
                group.addTask {
                    var answers: [String: String] = [:]
                    while let index = queue.next() {
                        answers[cases[index].name] = try await RawMilvus.with(
                            host: host, port: port
                        ) { milvus in
                            await answer(
                                to: cases[index],
                                ConformanceServer(milvus: milvus, prefix: "case_\(index)"))
                        }
                    }
                    return answers
                }
            }
            return try await group.reduce(into: [:]) { $0.merge($1) { $1 } }
        }
    }

    /// Whoever is free takes the next one.
    private final class Queue: Sendable {
        private let taken = Atomic(0)
        private let count: Int

        init(count: Int) { self.count = count }

        func next() -> Int? {
            let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
            return index < count ? index : nil
        }
    }

    /// A step on the way to a question that a server refuses is an answer, too.
    private static func answer(
        to one: ConformanceCase, _ server: ConformanceServer
    ) async -> String {
        do {
            return try await one.script(server)
        } catch let refused as ConformanceServer.Refused {
            return "on the way: \(refused.words)"
        } catch {
            return "no answer: \(error)"
        }
    }
}
