/// One job, and what happens to it: faults for each life of the process, the first life's first, and a
/// seed that draws what a power cut takes and how late a late request is.
public struct CrashCase: Sendable, Hashable {
    public enum Keys: String, Sendable, CaseIterable {
        /// The target keeps the source's.
        case kept
        /// The target makes them.
        case made
    }

    public var keys: Keys
    public var seed: UInt64
    public var lives: [[PlannedFault]]
    /// After the first life the volume is what it was after this sync of the ledger, from 0.
    public var rollback: Int?

    public init(
        _ keys: Keys, seed: UInt64 = 0, _ lives: [[PlannedFault]] = [], rollback: Int? = nil
    ) {
        self.keys = keys
        self.seed = seed
        self.lives = lives
        self.rollback = rollback
    }

    /// The arguments by which `crash-points replay` runs it: faults as `place:point:fault`, a `/`
    /// between lives.
    public var arguments: String {
        let faults = lives.map { $0.map(\.description).joined(separator: ",") }
            .joined(separator: "/")
        let back = rollback.map { " --rollback \($0)" } ?? ""
        return "\(keys.rawValue) \(faults) --seed \(seed)\(back)"
    }

    /// - Parameter faults: as in ``arguments``. nil where they are no such thing.
    public init?(_ keys: Keys, seed: UInt64, faults: String, rollback: Int? = nil) {
        self.init(keys, seed: seed, rollback: rollback)
        for life in faults.split(separator: "/", omittingEmptySubsequences: false) {
            var planned: [PlannedFault] = []
            for fault in life.split(separator: ",") {
                let parts = fault.split(separator: ":").map(String.init)
                guard parts.count == 3, let place = PlannedFault.Place(rawValue: parts[0]),
                    let point = Int(parts[1]), let fault = PointFault(rawValue: parts[2])
                else { return nil }
                planned.append(PlannedFault(place, point, fault))
            }
            lives.append(planned)
        }
    }
}

extension PointFault {
    /// Where the keys are the source's, what is delivered twice behind our back shows in the counts alone: it
    /// is told, and not swept.
    public static func ofTarget(_ keys: CrashCase.Keys) -> [PointFault] {
        [.crashBefore, .unanswered, .late, .crashAfter, .half, .serverLost]
            + (keys == .made ? [.twice] : [])
    }
}

/// How a case ended.
public struct CrashOutcome: Sendable {
    public enum End: String, Sendable {
        /// Complete, and the target has exactly the source's rows.
        case exact
        /// The job said itself that its rows do not add up.
        case told
        /// The job stopped with an error of ours.
        case stopped
    }

    public var end = End.exact
    /// What must not be, a sentence each; empty for a good case.
    public var problems: [String] = []
    public var lost = 0
    public var doubled = 0
    /// The calls that faults struck.
    public var struck: [String] = []
    /// Codes of the errors that lives ended with.
    public var errors: [String] = []
    public var lives = 0
    /// Points of the first life.
    public var points: [PlannedFault.Place: Int] = [:]
    public var trace: [String] = []

    public var isGood: Bool { problems.isEmpty }
}
