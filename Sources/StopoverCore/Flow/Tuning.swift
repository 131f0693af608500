import Synchronization

/// What a running job finds out about how to run: shared by its stages, and changed by the user while
/// it runs (``LiveLimits``).
final class Tuning: Sendable {
    let cursors: Workers
    let sealers: Workers
    let inserts: Workers
    let verifiers: Workers
    private let pages: Mutex<ByteTarget>

    /// Of a page, from the question to the answer; of a write, as a part of its deadline.
    static let slowPage = Duration.seconds(15)
    static let slowWrite = 0.25

    init(_ limits: EngineLimits) {
        cursors = Workers(most: limits.cursors, start: limits.cursorsAtFirst)
        sealers = Workers(most: limits.spoolWorkers)
        inserts = Workers(most: limits.insertRequests, start: limits.insertRequestsAtFirst)
        verifiers = Workers(most: limits.cursors)
        pages = Mutex(ByteTarget(limits.pageBytes))
    }

    var pageBytes: Int { pages.withLock { $0.bytes } }

    func pageTook(_ duration: Duration) { page(isFine: duration < Tuning.slowPage) }

    func writeTook(_ duration: Duration, of deadline: Duration) {
        page(isFine: duration < deadline * Tuning.slowWrite)
    }

    func wasTooLarge() { page(isFine: false) }

    private func page(isFine: Bool) {
        pages.withLock { isFine ? $0.wasFine() : $0.wasTooMuch() }
    }

    /// A ``WorkerCount`` on the machine's clock.
    final class Workers: Sendable {
        private let count: Mutex<WorkerCount>
        private let start = ContinuousClock.now

        init(most: Int, start: Int = EngineLimits.workersAtFirst) {
            count = Mutex(WorkerCount(most: most, start: start))
        }

        /// How many are to work now.
        var now: Int { count.withLock { $0.count } }

        func bound(to most: Int) { count.withLock { $0.bound(to: most) } }

        func did(_ bytes: Int) {
            count.withLock { $0.did(bytes, now: ContinuousClock.now - start) }
        }

        func ended(_ error: StopoverError?) {
            guard error?.code == .clusterRateLimited || error?.code == .clusterMemoryQuota else {
                return
            }
            count.withLock { $0.refused() }
        }
    }
}

/// Workers of a stage, of which as many work at a time as are useful. The others wait.
final class Crew: Sendable {
    private let workers: Tuning.Workers
    private let places: BoundedChannel<Void>
    /// Places that are taken or free.
    private let given = Mutex(0)

    /// - Parameter most: workers that will ever come.
    init(_ workers: Tuning.Workers, most: Int) {
        self.workers = workers
        places = BoundedChannel(capacity: max(most, 1)) { _ in 1 }
    }

    /// Waits for a place.
    func enter() async throws {
        try await fill()
        guard try await places.next() != nil else { throw CancellationError() }
    }

    func leave() async throws {
        let isOver = given.withLock { given in
            guard given > workers.now else { return false }
            given -= 1
            return true
        }
        if !isOver { try await places.send(()) }
    }

    /// One unit of work is done: makes room for others when too many work.
    func did(_ bytes: Int) async throws {
        workers.did(bytes)
        try await fill()
        guard given.withLock({ $0 }) > workers.now else { return }
        try await leave()
        try await enter()
    }

    private func fill() async throws {
        let wanted = min(workers.now, places.capacity)
        let missing = given.withLock { given in
            let missing = max(wanted - given, 0)
            given += missing
            return missing
        }
        for _ in 0..<missing { try await places.send(()) }
    }
}
