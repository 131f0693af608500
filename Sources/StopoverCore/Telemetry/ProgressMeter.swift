/// Adds speeds and times to come to the snapshots of one job, taken one after the other.
public struct ProgressMeter: Sendable, Hashable {
    private struct Meters: Sendable, Hashable {
        var rows = RateMeter()
        var bytes = RateMeter()
    }

    private var meters: [CollectionName: Meters] = [:]

    public init() {}

    /// Returns the snapshot with `rowsPerSecond`, `bytesPerSecond` and `etaSeconds` filled in for
    /// the transfers whose rows move.
    public mutating func measure(_ snapshot: ProgressSnapshot) -> ProgressSnapshot {
        var measured = snapshot
        let instant = Duration.seconds(snapshot.elapsedSeconds)
        for index in measured.transfers.indices {
            let transfer = measured.transfers[index]
            guard transfer.phase == .moving else {
                meters[transfer.target] = nil
                continue
            }
            // Targets are unique within a plan, sources need not be.
            var meter = meters[transfer.target] ?? Meters()
            meter.rows.record(transfer.rowsLoaded, at: instant)
            meter.bytes.record(transfer.bytesLoaded, at: instant)
            meters[transfer.target] = meter
            measured.transfers[index].rowsPerSecond = meter.rows.perSecond
            measured.transfers[index].bytesPerSecond = meter.bytes.perSecond
            measured.transfers[index].etaSeconds = meter.rows.secondsUntilDone(
                remaining: transfer.rowsExpected - transfer.rowsLoaded)
        }
        return measured
    }
}
