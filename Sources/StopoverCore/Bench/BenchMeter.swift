import Foundation
import Histogram
import Synchronization

/// What one side does while it is measured: counts, and how long each request took.
final class BenchMeter: Sendable {
    /// Microseconds of the slowest request that is told apart from slower ones.
    private static let slowest: UInt64 = 600_000_000

    private struct State: Sendable {
        var rows: Int64 = 0
        var bytes: Int64 = 0
        var requests: Int64 = 0
        var latencies = Histogram<UInt32>(highestTrackableValue: BenchMeter.slowest)
    }
    private let state = Mutex(State())
    private let begun = ContinuousClock.now
    private let cpuBegun = ProcessTime.now

    func add(rows: Int, bytes: Int, took: Duration) {
        let microseconds = UInt64(max(took / .microseconds(1), 0))
        state.withLock { state in
            state.rows += Int64(rows)
            state.bytes += Int64(bytes)
            state.requests += 1
            state.latencies.record(min(microseconds, BenchMeter.slowest))
        }
    }

    /// What was measured from the beginning until now.
    func sample(_ side: BenchSample.Side, requestsAtOnce: Int) -> BenchSample {
        let seconds = (ContinuousClock.now - begun).inSeconds
        let cpuSeconds = (ProcessTime.now - cpuBegun).inSeconds
        return state.withLock { state in
            func milliseconds(_ percentile: Double) -> Double? {
                state.requests > 0
                    ? Double(state.latencies.valueAtPercentile(percentile)) / 1000 : nil
            }
            return BenchSample(
                side: side, requestsAtOnce: requestsAtOnce, seconds: seconds,
                cpuSeconds: cpuSeconds, rows: state.rows, bytes: state.bytes,
                requests: state.requests, p50Milliseconds: milliseconds(50),
                p99Milliseconds: milliseconds(99), slowestMilliseconds: milliseconds(100))
        }
    }
}

/// CPU time of this process, all its threads.
enum ProcessTime {
    static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
