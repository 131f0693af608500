import Foundation
import Testing

@testable import StopoverCore

@Suite("Runs of keys")
struct IDRunsTests {
    @Test(
        "give back the keys in their order",
        arguments: [
            [], [5], [1, 2, 3], [1, 2, 4, 5, 9], [3, 2, 1], [7, 7, 7, 8], [-1, 0, 1],
            [.max], [.max - 1, .max], [.max, .min], [.max - 1, .max, .min, .min + 1],
            [.min, .max], [.min, .min + 1, 0],
        ] as [[Int64]])
    func int64(keys: [Int64]) throws {
        let runs = IDRuns(.int64(keys))
        #expect(runs.ids == .int64(keys))
        let stored = try JSONEncoder().encode(runs)
        #expect(try JSONDecoder().decode(IDRuns.self, from: stored).ids == .int64(keys))
    }

    @Test("of a contiguous block are one run")
    func contiguous() {
        let keys = Array(Int64(459_000_000_000_000_000)..<459_000_000_000_010_000)
        #expect(IDRuns(.int64(keys)) == .int64([IDRuns.Run(first: keys[0], count: 10_000)]))
    }

    @Test("with gaps are a run for each block")
    func gaps() {
        let runs = IDRuns(.int64([1, 2, 3, 10, 11, 5]))
        #expect(
            runs
                == .int64([
                    IDRuns.Run(first: 1, count: 3), IDRuns.Run(first: 10, count: 2),
                    IDRuns.Run(first: 5, count: 1),
                ]))
    }

    @Test("of text are the texts", arguments: [[], ["a"], ["b", "a", "a", "", "ü\u{0}"]])
    func varchar(keys: [String]) throws {
        let stored = try JSONEncoder().encode(IDRuns(.varchar(keys)))
        #expect(try JSONDecoder().decode(IDRuns.self, from: stored).ids == .varchar(keys))
    }
}
