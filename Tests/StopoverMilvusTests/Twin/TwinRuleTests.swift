import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@testable import StopoverTesting

@Suite("Twin: a rule")
struct TwinRuleTests {
    private typealias Rule = MilvusTwin.FaultRule

    private func met(_ text: String, of calls: Int, seed: UInt64 = 1) throws -> [Int] {
        let behaviour = MilvusTwin.Behaviour([try Rule(text)], seed: seed)
        return (1...calls).filter {
            !behaviour.decide(.init(method: "Insert", number: $0)).isEmpty
        }
    }

    @Test("meets the calls that it names")
    func turns() throws {
        #expect(try met("Insert always fail unavailable", of: 3) == [1, 2, 3])
        #expect(try met("* call 2 fail unavailable", of: 5) == [2])
        #expect(try met("Insert calls 2-4 delay 0.5", of: 9) == [2, 3, 4])
        #expect(try met("Insert every 7 part-then-fail unavailable", of: 22) == [7, 14, 21])
        #expect(try met("Query always truncate 3", of: 9) == [])
    }

    @Test("that is left to chance meets the same calls for the same seed")
    func chance() throws {
        let text = "Insert chance 0.2 apply-then-fail deadline-exceeded"
        let first = try met(text, of: 1000, seed: 7)
        #expect(first == (try met(text, of: 1000, seed: 7)))
        #expect(first != (try met(text, of: 1000, seed: 8)))
        #expect((140...260).contains(first.count))
    }

    @Test("joins others on a call that several meet")
    func combined() throws {
        let behaviour = MilvusTwin.Behaviour([
            try Rule("Insert every 2 delay 0.1"),
            try Rule("Insert every 3 apply-then-fail unknown"),
        ])
        let names = (1...6).map { number in
            behaviour.decide(.init(method: "Insert", number: number)).map(\.name)
        }
        #expect(
            names == [
                [], ["delay"], ["apply-then-fail"], ["delay"], [], ["delay", "apply-then-fail"],
            ])
    }

    @Test(
        "that cannot be read is refused with the word that is wrong",
        arguments: [
            ("Insrt always fail unavailable", "Insrt"), ("Insert sometimes delay 1", "sometimes"),
            ("Insert every seven delay 1", "seven"), ("Insert every 0 delay 1", "0th"),
            ("Insert calls 9-3 delay 1", "range"), ("Insert always explode", "explode"),
            ("Insert always fail badly", "badly"), ("Insert always distort all", "all"),
            ("Insert call 3", "a fault"),
        ])
    func unreadable(text: String, word: String) {
        let error = #expect(throws: Rule.Unreadable.self) { try Rule(text) }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }

    @Test("of rate lets a second's worth through, lends for one request, and is paid off")
    func bucket() {
        var bucket = TokenBucket(perSecond: 100)
        func take(_ amount: Int, at seconds: Double) -> Bool {
            guard bucket.isOpen(at: .seconds(seconds)) else { return false }
            bucket.spend(amount)
            return true
        }
        #expect(take(60, at: 0) && take(300, at: 0))
        #expect(!take(1, at: 0) && !take(1, at: 2.5))
        #expect(take(1, at: 2.7))
        // What is not used is not kept for longer than a second.
        #expect(take(100, at: 100) && !take(1, at: 100))
    }
}
