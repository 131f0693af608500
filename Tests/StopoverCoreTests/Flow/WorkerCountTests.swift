import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The number of workers")
struct WorkerCountTests {
    /// A cluster that gets faster by each of `useful` requests at once and no more, and by noise; run
    /// for so many seconds.
    private func run(
        _ count: inout WorkerCount, useful: Int, seconds: Int, from start: Int = 0,
        slowerBeyond: Double = 0
    ) -> [Int] {
        var random = SeededRandom(seed: UInt64(useful))
        var counts: [Int] = []
        for second in start..<(start + seconds) {
            let working = Double(min(count.count, useful))
            let penalty = 1 - slowerBeyond * Double(max(count.count - useful, 0))
            let rate =
                working * max(penalty, 0.1) * 10 * Double.random(in: 0.97...1.03, using: &random)
            let units = max(WorkerCount.unitsPerWorker * count.count, 1)
            for unit in 1...units {
                count.did(
                    Int(rate * 1000 / Double(units)),
                    now: .seconds(second) + .seconds(1) * (Double(unit) / Double(units)))
            }
            counts.append(count.count)
        }
        return counts
    }

    @Test("comes to what is useful, and stays near it", arguments: [1, 2, 3, 6, 12, 16])
    func finds(_ useful: Int) {
        var count = WorkerCount(most: 16, start: 2)
        let counts = run(&count, useful: useful, seconds: 120)
        let settled = counts.suffix(80)
        let mean = Double(settled.reduce(0, +)) / Double(settled.count)
        #expect(abs(mean - Double(useful)) <= 1.5, "\(counts)")
        #expect(settled.max() ?? 0 <= useful + 2, "\(counts)")
    }

    @Test("gets there fast, by doubling")
    func doubles() {
        var count = WorkerCount(most: 16, start: 2)
        let counts = run(&count, useful: 16, seconds: 8)
        #expect(counts.last == 16, "\(counts)")
    }

    @Test("goes down where more do harm, and up again when they help")
    func follows() {
        var count = WorkerCount(most: 16, start: 16)
        _ = run(&count, useful: 4, seconds: 600, slowerBeyond: 0.1)
        #expect(count.count <= 6)
        _ = run(&count, useful: 12, seconds: 900, from: 600)
        #expect(count.count >= 9)
    }

    @Test("is halved by what the other side refuses, and stays within its bounds")
    func refused() {
        var count = WorkerCount(most: 16, start: 8)
        count.refused(now: .seconds(1))
        #expect(count.count == 4)
        count.bound(to: 3)
        #expect(count.count == 3)
        for second in 2..<6 { count.refused(now: .seconds(second)) }
        #expect(count.count == 1)
        let counts = run(&count, useful: 16, seconds: 200, from: 10)
        #expect(counts.max() == 3 && counts.min() ?? 0 >= 1)
    }

    @Test("of a crew is never passed, and everybody gets a place in the end")
    func crew() async throws {
        let workers = Tuning.Workers(most: 3)
        let crew = Crew(workers, most: 20)
        let working = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await crew.enter()
                    for _ in 0..<50 {
                        await working.change(1)
                        await Task.yield()
                        await working.change(-1)
                        try await crew.did(1)
                    }
                    try await crew.leave()
                }
            }
            try await group.waitForAll()
        }
        #expect(await working.most <= 3)
        #expect(await working.most >= 1)
    }

    private actor Counter {
        private var now = 0
        private(set) var most = 0

        func change(_ by: Int) {
            now += by
            most = max(most, now)
        }
    }

    @Test("leaves a crew when it is lowered while all of it works")
    func lowered() async throws {
        let workers = Tuning.Workers(most: 2)
        let crew = Crew(workers, most: 2)
        try await crew.enter()
        try await crew.enter()
        workers.bound(to: 1)
        try await crew.leave()
        let third = Task { try await crew.enter() }
        try await Task.sleep(for: .milliseconds(20))
        // The place of the one that left is gone: the third waits for the second.
        try await crew.leave()
        try await third.value
    }
}

@Suite("The size of pages")
struct ByteTargetTests {
    @Test("is halved by what is too much and comes back in steps, never above what was asked for")
    func adapts() {
        var target = ByteTarget(16 << 20)
        target.wasFine()
        #expect(target.bytes == 16 << 20)
        target.wasTooMuch()
        target.wasTooMuch()
        #expect(target.bytes == 4 << 20)
        target.wasFine()
        #expect(target.bytes == 5 << 20)
        for _ in 0..<100 { target.wasTooMuch() }
        #expect(target.bytes == ByteTarget.least)
        for _ in 0..<100 { target.wasFine() }
        #expect(target.bytes == 16 << 20)
        var small = ByteTarget(1000)
        small.wasTooMuch()
        #expect(small.bytes == 1000)
    }
}
