/// The stage that sets the pace of the others: where a faster machine, or a bigger cluster, would help.
public enum LimitingStage: String, Hashable, Sendable, Codable, CaseIterable {
    case extract
    /// Edits and compression share their workers, so they are told as one.
    case spool
    case load
    case finalise
    /// Nothing moves before the other side answers again.
    case sourceWaiting
    case targetWaiting
    /// Nothing moves before the disk has room.
    case spoolWaiting

    /// As the last line of the live display says it.
    public var sentence: String {
        switch self {
        case .extract: "limited by extract (the source)"
        case .spool: "limited by spool (this machine)"
        case .load: "limited by load (the target)"
        case .finalise: "finalising"
        case .sourceWaiting: "waiting for the source"
        case .targetWaiting: "waiting for the target"
        case .spoolWaiting: "waiting for the spool"
        }
    }

    /// What a judgement is made of.
    public struct Signs: Hashable, Sendable {
        public var waitingSides: Set<WaitingSide> = []
        public var phases: [TransferPhase] = []
        public var isExtractionFinished = false
        /// How full the spool is, 0…1.
        public var spoolFill = 0.0
        /// How full the memory between extract and spool is, 0…1.
        public var channelFill = 0.0
        /// Rows that rest in the spool, not yet acknowledged.
        public var restingRows: Int64 = 0
        /// Rows of one chunk, roughly: what may rest there while load keeps pace.
        public var rowsInFlight: Int64 = 0

        public init() {}
    }

    /// Fullness of a bounded buffer from which its reader is the slower side.
    static let fullFrom = 0.75

    /// Reads the buffers as a plumber would: a full one blames what is behind it, an empty one
    /// what is before it. Where the spool is full everything before it waits, so it is asked first.
    public static func judge(_ signs: Signs) -> LimitingStage? {
        if signs.waitingSides.contains(.spool) { return .spoolWaiting }
        if signs.waitingSides.contains(.target) { return .targetWaiting }
        if signs.waitingSides.contains(.source) { return .sourceWaiting }
        guard signs.phases.contains(.moving) else {
            return signs.phases.contains(.checking) ? .finalise : nil
        }
        if signs.isExtractionFinished || signs.spoolFill >= fullFrom { return .load }
        if signs.channelFill >= fullFrom { return .spool }
        return signs.restingRows > signs.rowsInFlight ? .load : .extract
    }
}
