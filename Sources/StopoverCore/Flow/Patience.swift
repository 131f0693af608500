/// How long to wait before the next try: doubling from a first delay up to a longest one, back to
/// the first after a success. It never gives up: an overnight job outlasts a restart of a cluster.
public struct Patience: Sendable, Hashable {
    public static let firstDelay = Duration.milliseconds(250)
    public static let longestDelay = Duration.seconds(15)

    private(set) var failures = 0

    public init() {}

    public mutating func failed() -> Duration {
        let doublings = min(failures, 16)
        failures += 1
        return min(Patience.firstDelay * (1 << doublings), Patience.longestDelay)
    }

    public mutating func succeeded() { failures = 0 }
}
