/// The keys that a target made for the rows of a transfer, as acknowledgements name them. What else
/// is in the collection is nobody's (exactly-once.md, 2.1: exclusive ownership makes it a difference
/// of sets).
public enum OwnedKeys: Sendable, Equatable {
    /// Runs ascending and apart from each other.
    case int64([ClosedRange<Int64>])
    case varchar(Set<[UInt8]>)

    /// Ranges in one expression.
    static let rangesPerQuestion = 100
    /// Keys in one question or one delete.
    static let keysPerQuestion = 1_000

    /// Throws `STO-TARGET-KEYS-TWICE` when two acknowledgements name one key: then the keys tell
    /// nothing, and no row may be deleted by them.
    public init(_ acknowledged: [IDRuns]) throws(StopoverError) {
        var ranges: [ClosedRange<Int64>] = []
        var texts: Set<[UInt8]> = []
        for runs in acknowledged {
            switch runs {
            case .int64(let runs):
                for run in runs { ranges.append(run.first...run.first + (run.count - 1)) }
            case .varchar(let keys):
                for key in keys where !texts.insert(Array(key.utf8)).inserted {
                    throw .keysTwice(key)
                }
            }
        }
        guard texts.isEmpty else {
            self = .varchar(texts)
            return
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var joined: [ClosedRange<Int64>] = []
        for range in ranges {
            guard let last = joined.last else {
                joined.append(range)
                continue
            }
            guard last.upperBound < range.lowerBound else {
                throw .keysTwice("\(range.lowerBound)")
            }
            if last.upperBound + 1 == range.lowerBound {
                joined[joined.count - 1] = last.lowerBound...range.upperBound
            } else {
                joined.append(range)
            }
        }
        self = .int64(joined)
    }

    public var count: Int64 {
        switch self {
        case .int64(let runs):
            runs.reduce(0) { $0 + Int64($1.count) }
        case .varchar(let keys): Int64(keys.count)
        }
    }

    public func contains(_ key: PrimaryKey) -> Bool {
        switch (self, key) {
        case (.varchar(let keys), .varchar(let bytes)): return keys.contains(bytes)
        case (.int64(let runs), .int64(let number)):
            var (low, high) = (0, runs.count)
            while low < high {
                let middle = (low + high) / 2
                if runs[middle].upperBound < number { low = middle + 1 } else { high = middle }
            }
            return low < runs.count && runs[low].contains(number)
        default: return false
        }
    }

    /// The rows of `rows` that have these keys, question by question.
    public func selections(of rows: RowSelection) -> [RowSelection] {
        var asked = rows
        switch self {
        case .int64(let runs):
            let ranges = runs.map { run in
                KeyRange(
                    after: run.lowerBound > .min ? .int64(run.lowerBound - 1) : nil,
                    through: .int64(run.upperBound))
            }
            return ranges.chunked(by: OwnedKeys.rangesPerQuestion).map { ranges in
                asked.anyOf = ranges
                return asked
            }
        case .varchar(let keys):
            return keys.map(PrimaryKey.varchar).sorted().chunked(by: OwnedKeys.keysPerQuestion).map
            {
                asked.keys = $0
                return asked
            }
        }
    }

    /// Every place where a row that is nobody's can be. Between VARCHAR keys there is always room:
    /// one range, in which each key has to be looked at.
    public var gaps: [KeyRange] {
        guard case .int64(let runs) = self, let first = runs.first, let last = runs.last else {
            return [.all]
        }
        var gaps: [KeyRange] = []
        if first.lowerBound > .min {
            gaps.append(KeyRange(through: .int64(first.lowerBound - 1)))
        }
        for (run, next) in zip(runs, runs.dropFirst()) {
            gaps.append(
                KeyRange(after: .int64(run.upperBound), through: .int64(next.lowerBound - 1)))
        }
        if last.upperBound < .max { gaps.append(KeyRange(after: .int64(last.upperBound))) }
        return gaps
    }
}

extension Array {
    func chunked(by size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension StopoverError {
    fileprivate static func keysTwice(_ key: String) -> StopoverError {
        StopoverError(
            .keysTwice, "the target gave the key \(key) to two rows of this migration",
            remedy: "Its Auto ID does not work: look at the target's log. Drop the half-made copy "
                + "with `stopover cancel JOB --drop`, then run the migration again.")
    }
}

extension StopoverError.Code {
    public static let keysTwice = Self("STO-TARGET-KEYS-TWICE", exit: .failed)
}
