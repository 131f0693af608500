/// Many cases, several at once, for much of one is waiting; and what became of them.
public struct CrashCampaign: Sendable {
    /// Sums over cases.
    public struct Tally: Sendable, CustomStringConvertible {
        public var runs = 0
        /// Cases whose fault was reached; the number of calls differs a little from run to run.
        public var struck = 0
        public var lives = 0
        public var ends: [CrashOutcome.End: Int] = [:]
        public var errors: [String: Int] = [:]
        public var lost = 0
        public var doubled = 0
        public var bad: [(CrashCase, CrashOutcome)] = []

        public var description: String {
            let ends = ends.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key.rawValue)" }
            let errors = errors.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
            return "\(runs) runs (\(struck) struck, \(lives) lives): \(lost) rows lost, "
                + "\(doubled) doubled, \(bad.count) bad; " + ends.joined(separator: ", ")
                + (errors.isEmpty ? "" : "; lives ended with " + errors.joined(separator: ", "))
        }

        mutating func add(_ crash: CrashCase, _ outcome: CrashOutcome) {
            runs += 1
            if !outcome.struck.isEmpty { struck += 1 }
            lives += outcome.lives
            ends[outcome.end, default: 0] += 1
            for code in outcome.errors { errors[code, default: 0] += 1 }
            lost += outcome.lost
            doubled += outcome.doubled
            if !outcome.isGood { bad.append((crash, outcome)) }
        }
    }

    private let job: CrashJob
    public let keys: CrashCase.Keys
    private let width: Int

    /// - Parameter width: cases at once.
    public init(_ keys: CrashCase.Keys, width: Int = 8) async throws {
        self.keys = keys
        self.width = width
        job = try await CrashJob(keys)
    }

    /// How many points a life without a fault has, of each place.
    public func points() async throws -> [PlannedFault.Place: Int] {
        try await job.run(CrashCase(keys)).points
    }

    public func run(
        _ cases: some Sequence<CrashCase>, until limit: Duration? = nil,
        isStopped: (Tally) -> Bool = { _ in false }
    ) async throws -> Tally {
        let end = limit.map { ContinuousClock.now + $0 }
        var tally = Tally()
        var waiting = cases.makeIterator()
        try await withThrowingTaskGroup(of: (CrashCase, CrashOutcome).self) { group in
            func begin() -> Bool {
                if let end, ContinuousClock.now > end { return false }
                guard let next = waiting.next() else { return false }
                group.addTask { [job] in (next, try await job.run(next)) }
                return true
            }
            for _ in 0..<width where !begin() { break }
            while let (crash, outcome) = try await group.next() {
                tally.add(crash, outcome)
                if !isStopped(tally) { _ = begin() }
            }
        }
        return tally
    }

    // MARK: Cases

    /// Every point of a place in steps of `stride`, with the faults that `faults` gives for it.
    public func cases(
        _ place: PlannedFault.Place, points: Int, stride: Int = 1, from: Int = 0,
        _ faults: @escaping @Sendable (Int) -> [PointFault]
    ) -> [CrashCase] {
        Swift.stride(from: from, to: points, by: stride).flatMap { point in
            faults(point).enumerated().map { index, fault in
                CrashCase(
                    keys, seed: UInt64(point * 16 + index), [[PlannedFault(place, point, fault)]])
            }
        }
    }

    /// Each point of the target behind a fault of it, with the fault that `next` gives for it; and the call
    /// that the first fault struck.
    public func cases(
        behind first: PlannedFault, _ next: (Int) -> PointFault
    ) async throws -> (struck: String, cases: [CrashCase]) {
        let outcome = try await job.run(CrashCase(keys, [[first]]))
        let cases = (first.point + 1..<(outcome.points[.target] ?? 0)).map { point in
            CrashCase(
                keys, seed: UInt64(point), [[first, PlannedFault(.target, point, next(point))]])
        }
        return (outcome.struck.first ?? "", cases)
    }

    /// Two faults by seed: of the same life or of two, of either place.
    public func pair(_ seed: UInt64, points: [PlannedFault.Place: Int]) -> CrashCase {
        var random = SeededRandom(seed: seed)
        func fault() -> PlannedFault {
            let place = Bool.random(using: &random) ? PlannedFault.Place.disk : .target
            let faults = place == .disk ? PointFault.ofDisk : PointFault.ofTarget(keys)
            return PlannedFault(
                place, Int.random(in: 0..<max(points[place] ?? 1, 1), using: &random),
                faults[Int.random(in: 0..<faults.count, using: &random)])
        }
        let (first, second) = (fault(), fault())
        let lives = Bool.random(using: &random) ? [[first, second]] : [[first], [second]]
        return CrashCase(keys, seed: seed, lives)
    }

    /// A crash by seed, after which the volume is as it was at an earlier sync of the ledger.
    public func rollback(_ seed: UInt64, points: [PlannedFault.Place: Int]) -> CrashCase {
        var random = SeededRandom(seed: seed)
        let place = Bool.random(using: &random) ? PlannedFault.Place.disk : .target
        let point = Int.random(in: 0..<max(points[place] ?? 1, 1), using: &random)
        return CrashCase(
            keys, seed: seed,
            [[PlannedFault(place, point, place == .disk ? .crashBefore : .late)]],
            rollback: Int.random(in: 0..<150, using: &random))
    }
}
