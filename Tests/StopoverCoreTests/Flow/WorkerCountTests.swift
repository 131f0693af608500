import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("The number of workers")
struct WorkerCountTests {
    /// Workers that share a cluster, which does so many units a second for so many of them.
    private struct Cluster {
        /// Of a second's rate, up and down: what is seen of real servers.
        static let noise = 0.15
        var random: SeededRandom
        var rate: (Int) -> Double
        var now = 0.0
        private var left: [Double] = []
        /// Since `forget`.
        private(set) var done = 0.0
        private(set) var counts: [Int] = []

        init(seed: UInt64, rate: @escaping (Int) -> Double) {
            random = SeededRandom(seed: seed)
            self.rate = rate
        }

        mutating func forget() { (done, counts) = (0, []) }

        mutating func run(_ count: inout WorkerCount, seconds: Int) {
            let step = 0.02
            for _ in 0..<seconds {
                let luck =
                    1 + Double.random(in: -1...1, using: &random) * Cluster.noise * 3.0.squareRoot()
                counts.append(count.count)
                for _ in 0..<Int(1 / step) {
                    while left.count < count.count {
                        left.append(Double.random(in: 0.8...1.2, using: &random))
                    }
                    let each = rate(left.count) * luck * step / Double(left.count)
                    done += each * Double(left.count)
                    now += step
                    for index in left.indices { left[index] -= each }
                    let ended = left.count { $0 <= 0 }
                    left.removeAll { $0 <= 0 }
                    for _ in 0..<ended { count.did(1_000_000, now: .seconds(1) * now) }
                }
            }
        }
    }

    /// The mean part of the best rate, over many clusters, once it has settled, and of workers.
    private func settled(
        start: Int = EngineLimits.workersAtFirst, _ rate: @escaping (Int) -> Double
    ) -> (part: Double, workers: Double) {
        let (clusters, seconds) = (200, 200)
        let best = (1...16).map(rate).max() ?? 1
        var (part, workers) = (0.0, 0)
        for seed in 0..<UInt64(clusters) {
            var cluster = Cluster(seed: seed, rate: rate)
            var count = WorkerCount(most: 16, start: start)
            cluster.run(&count, seconds: 100)
            cluster.forget()
            cluster.run(&count, seconds: seconds)
            part += cluster.done / Double(seconds) / best / Double(clusters)
            workers += cluster.counts.reduce(0, +)
        }
        return (part, Double(workers) / Double(clusters * seconds))
    }

    @Test("comes to what is useful, and stays near it", arguments: [1, 2, 3, 6, 12, 16])
    func finds(_ useful: Int) {
        let found = settled { Double(min($0, useful)) * 10 }
        #expect(found.part > 0.95, "\(found)")
        // More than are useful do no harm here, and so are not told from them by any rate.
        #expect(found.workers < Double(useful) * 1.5 + 6, "\(found)")
    }

    /// Milvus 2.3.5 with a processor of its own: eight at once take half as much again as one.
    @Test("finds small gains behind the noise")
    func smallGains() {
        let rates = [2.7, 3.0, 3.25, 3.4, 3.6, 3.7, 3.85, 4.0]
        let found = settled { rates[min($0, rates.count) - 1] }
        #expect(found.part > 0.94, "\(found)")
    }

    @Test("leaves a cluster alone that more only slow down")
    func harm() {
        let found = settled { 30 * (1 - 0.04 * Double(max($0 - 2, 0))) }
        #expect(found.part > 0.95 && found.workers < 4, "\(found)")
    }

    /// Milvus Lite 3 with 40,000 rows of 768 dimensions, in pages of 8 MiB; and as a target that takes one
    /// of them a second.
    @Test(
        "costs a short job little where one at once is best",
        arguments: [[3.0, 2.6, 2.3], [1.0, 0.84, 0.7]])
    func oneIsBest(_ rates: [Double]) {
        var done = 0.0
        let (clusters, seconds) = (400, 25)
        for seed in 0..<UInt64(clusters) {
            var cluster = Cluster(seed: seed) { rates[min($0, rates.count) - 1] }
            var count = WorkerCount(most: 16, start: 1)
            cluster.run(&count, seconds: seconds)
            done += cluster.done
        }
        let part = done / Double(clusters * seconds) / rates[0]
        #expect(part > 0.935, "\(part)")
    }

    /// Milvus Lite 3 as a source: two first pages took as long as four, one after the other.
    @Test("gives a try up that is behind even if all that is under way were done")
    func behindAtOnce() {
        var count = WorkerCount(most: 16, start: 1)
        for second in 0...3 { count.did(1_000_000, now: .seconds(second)) }
        #expect(count.count == 2)
        var patient = count
        patient.did(1_000_000, now: .seconds(6))
        #expect(patient.count == 2)
        count.did(1_000_000, now: .seconds(7))
        #expect(count.count == 1)
    }

    @Test("gets there fast, by doubling")
    func doubles() {
        var cluster = Cluster(seed: 1) { Double($0) * 10 }
        var count = WorkerCount(most: 16, start: 2)
        cluster.run(&count, seconds: 12)
        #expect(cluster.counts.contains(16), "\(cluster.counts)")
    }

    @Test("goes down where more do harm, and up again when they help")
    func follows() {
        var count = WorkerCount(most: 16, start: 16)
        var cluster = Cluster(seed: 1) { 40 * max(1 - 0.1 * Double(max($0 - 4, 0)), 0.1) }
        cluster.run(&count, seconds: 600)
        #expect(count.count <= 6, "\(cluster.counts)")
        cluster.rate = { Double(min($0, 12)) * 10 }
        cluster.forget()
        cluster.run(&count, seconds: 600)
        #expect(count.count >= 8, "\(cluster.counts)")
    }

    @Test("is halved by what the other side refuses, and stays within its bounds")
    func refused() {
        var count = WorkerCount(most: 16, start: 8)
        count.refused()
        #expect(count.count == 4)
        count.bound(to: 3)
        #expect(count.count == 3)
        for _ in 2..<6 { count.refused() }
        #expect(count.count == 1)
        var cluster = Cluster(seed: 1) { Double($0) * 10 }
        cluster.run(&count, seconds: 200)
        #expect(cluster.counts.max() == 3 && cluster.counts.min() ?? 0 >= 1)
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
