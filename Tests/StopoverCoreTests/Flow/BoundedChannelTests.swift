import StopoverCore
import Synchronization
import Testing

private final class Received: Sendable {
    private let state = Mutex<(elements: [Int], peak: Int)>(([], 0))
    var elements: [Int] { state.withLock { $0.elements } }
    var peak: Int { state.withLock { $0.peak } }

    func take(_ element: Int, weight: Int) {
        state.withLock { state in
            state.elements.append(element)
            state.peak = max(state.peak, weight)
        }
    }
}

@Suite("A bounded channel")
struct BoundedChannelTests {
    @Test("passes every element once between many producers and consumers, within its bound")
    func manyToMany() async throws {
        let channel = BoundedChannel<Int>(capacity: 100) { $0 % 40 + 1 }
        let received = Received()
        try await withThrowingTaskGroup(of: Void.self) { consumers in
            for _ in 0..<4 {
                consumers.addTask {
                    while let element = try await channel.next() {
                        received.take(element, weight: channel.weight)
                    }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { producers in
                for producer in 0..<4 {
                    producers.addTask {
                        for index in 0..<500 { try await channel.send(producer * 500 + index) }
                    }
                }
                try await producers.waitForAll()
            }
            channel.finish()
            try await consumers.waitForAll()
        }
        #expect(received.elements.sorted() == Array(0..<2000))
        #expect(received.peak <= 100)
    }

    /// A producer that was woken for the room, and gives its element to a consumer that waits, leaves the
    /// room to the next: that one waited for good once.
    @Test(
        "forgets no producer when another hands over what there would be room for",
        .timeLimit(.minutes(1)))
    func handOver() async throws {
        for _ in 0..<2000 {
            let channel = BoundedChannel<Int>(capacity: 10) { _ in 6 }
            let received = Received()
            try await withThrowingTaskGroup(of: Void.self) { consumers in
                try await withThrowingTaskGroup(of: Void.self) { producers in
                    for element in 0..<6 {
                        producers.addTask { try await channel.send(element) }
                    }
                    for _ in 0..<4 {
                        consumers.addTask {
                            while let element = try await channel.next() {
                                received.take(element, weight: channel.weight)
                            }
                        }
                    }
                    try await producers.waitForAll()
                }
                channel.finish()
                try await consumers.waitForAll()
            }
            #expect(received.elements.sorted() == Array(0..<6))
        }
    }

    @Test("lets an element pass that is heavier than the whole channel")
    func heavy() async throws {
        let channel = BoundedChannel<Int>(capacity: 10) { $0 }
        try await channel.send(1000)
        #expect(try await channel.next() == 1000)
        try await channel.send(5)
        #expect(try await channel.next() == 5)
    }

    @Test("drains after finish, then ends")
    func finish() async throws {
        let channel = BoundedChannel<Int>(capacity: 10) { _ in 1 }
        try await channel.send(1)
        channel.finish()
        #expect(try await channel.next() == 1)
        #expect(try await channel.next() == nil)
        await #expect(throws: CancellationError.self) { try await channel.send(2) }
    }

    @Test("wakes everybody when it fails")
    func fail() async throws {
        let channel = BoundedChannel<Int>(capacity: 1) { _ in 1 }
        try await channel.send(1)
        let producer = Task { try await channel.send(2) }
        let other = BoundedChannel<Int>(capacity: 1) { _ in 1 }
        let consumer = Task { try await other.next() }
        channel.fail()
        other.fail()
        await #expect(throws: CancellationError.self) { try await producer.value }
        await #expect(throws: CancellationError.self) { _ = try await consumer.value }
    }

    @Test("lets a cancelled task go and keeps its element for others")
    func cancellation() async throws {
        let channel = BoundedChannel<Int>(capacity: 1) { _ in 1 }
        let consumer = Task { try await channel.next() }
        consumer.cancel()
        await #expect(throws: CancellationError.self) { _ = try await consumer.value }
        try await channel.send(7)
        #expect(try await channel.next() == 7)
    }
}
