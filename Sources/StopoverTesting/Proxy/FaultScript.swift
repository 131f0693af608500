import Foundation

/// Faults of every kind by a seed: what comes next, and how long after the one before.
public struct FaultScript: Sendable {
    public var kinds: [Fault.Kind]
    /// From one fault to the next, at least and at most.
    public var pauses: ClosedRange<Double>
    private var random: SeededRandom

    /// - Parameter pauseSeconds: from one fault to the next.
    public init(
        seed: UInt64, kinds: [Fault.Kind] = Fault.Kind.allCases,
        pauseSeconds: ClosedRange<Double> = 0.1...1.5
    ) {
        self.kinds = kinds
        pauses = pauseSeconds
        random = SeededRandom(seed: seed)
    }

    mutating func next() -> (after: Duration, FaultOrder) {
        let pause = Duration.seconds(Double.random(in: pauses, using: &random))
        let kind = kinds.randomElement(using: &random) ?? .reset
        // Half of them wait for a message of rows, which is what may be lost or doubled.
        let requestBytes = Bool.random(using: &random) ? 16_384 : 0
        return (pause, FaultOrder(fault: fault(kind), requestBytes: requestBytes))
    }

    private mutating func fault(_ kind: Fault.Kind) -> Fault {
        switch kind {
        case .dropAnswer: .dropAnswer
        case .hold: .hold(for: seconds(0.02...5))
        case .deliverTwice: .deliverTwice(after: seconds(0.01...4))
        case .reset: .reset
        case .halfOpen: .halfOpen(for: seconds(0.2...4))
        case .stall: .stall(for: seconds(0.1...4))
        case .throttle:
            .throttle(bytesPerSecond: bytes(50_000...2_000_000), for: seconds(0.3...2))
        case .refuse: .refuse(for: seconds(0.05...2))
        case .cut:
            .cut(afterBytes: bytes(1...400_000), Bool.random(using: &random) ? .requests : .answers)
        }
    }

    /// Evenly over the orders of magnitude: short ones matter as much as long ones.
    private mutating func even(_ range: ClosedRange<Double>) -> Double {
        let exponent = Double.random(in: 0...1, using: &random)
        return range.lowerBound * pow(range.upperBound / range.lowerBound, exponent)
    }

    private mutating func seconds(_ range: ClosedRange<Double>) -> Duration {
        .seconds(even(range))
    }

    private mutating func bytes(_ range: ClosedRange<Double>) -> Int { Int(even(range)) }
}
