/// The speed of a counter over the last moments, from readings of its total.
///
/// A window rather than an average since the beginning: after a server's restart the number must
/// be what happens now. A total that a resumed job starts with is the base, so it is no speed.
public struct RateMeter: Sendable, Hashable {
    public static let window = Duration.seconds(15)
    /// Readings closer than this replace the last one: bounds what is kept to 60 or so.
    static let resolution = Duration.milliseconds(250)
    /// Less time than this between the first and the last reading tells nothing.
    static let shortest = Duration.milliseconds(500)

    private struct Reading: Sendable, Hashable {
        var total: Int64
        var instant: Duration
    }

    private let window: Duration
    private var readings: [Reading] = []

    public init(window: Duration = RateMeter.window) {
        self.window = window
    }

    /// - Parameter instant: on any clock that only moves forward; an earlier one is not heard.
    public mutating func record(_ total: Int64, at instant: Duration) {
        if let last = readings.last {
            if instant < last.instant { return }
            // A counter that falls was begun anew: so is its speed.
            if total < last.total { readings = [] }
        }
        if readings.count > 1, instant - readings[readings.count - 2].instant < Self.resolution {
            readings.removeLast()
        }
        readings.append(Reading(total: total, instant: instant))
        // One reading from before the window stays: the window begins inside its interval.
        while readings.count > 2, instant - readings[1].instant >= window {
            readings.removeFirst()
        }
    }

    /// Units per second over the window, nil until two readings are far enough apart.
    public var perSecond: Double? {
        guard let first = readings.first, let last = readings.last,
            last.instant - first.instant >= Self.shortest
        else { return nil }
        return Double(last.total - first.total) / (last.instant - first.instant).inSeconds
    }

    /// Seconds until `remaining` more units are done at this speed; nil when it stands still.
    public func secondsUntilDone(remaining: Int64) -> Double? {
        if remaining <= 0 { return 0 }
        guard let rate = perSecond, rate > 0 else { return nil }
        return Double(remaining) / rate
    }
}
