/// Primary keys that the target made, as runs: one insert's keys are mostly one contiguous block,
/// so a chunk of ten thousand rows is a few numbers. VARCHAR keys are kept as they are.
public enum IDRuns: Hashable, Sendable, Codable {
    case int64([Run])
    case varchar([String])

    public struct Run: Hashable, Sendable, Codable {
        public var first: Int64
        public var count: Int64
    }

    public init(_ ids: WrittenIDs) {
        switch ids {
        case .int64(let numbers):
            var runs: [Run] = []
            for number in numbers {
                if let last = runs.last, last.first &+ last.count == number {
                    runs[runs.count - 1].count += 1
                } else {
                    runs.append(Run(first: number, count: 1))
                }
            }
            self = .int64(runs)
        case .varchar(let texts): self = .varchar(texts)
        }
    }

    /// The keys, in row order.
    public var ids: WrittenIDs {
        switch self {
        case .int64(let runs):
            .int64(runs.flatMap { run in (0..<run.count).map { run.first &+ $0 } })
        case .varchar(let texts): .varchar(texts)
        }
    }

    init(first: Int64, count: Int64) { self = .int64([Run(first: first, count: count)]) }

    /// Keys of one type, in row order.
    init(keys: [PrimaryKey]) {
        var numbers: [Int64] = []
        var texts: [String] = []
        for key in keys {
            switch key {
            case .int64(let number): numbers.append(number)
            case .varchar(let bytes): texts.append(String(decoding: bytes, as: UTF8.self))
            }
        }
        self.init(texts.isEmpty ? .int64(numbers) : .varchar(texts))
    }

    /// The keys, in row order.
    var keys: [PrimaryKey] {
        switch ids {
        case .int64(let numbers): numbers.map { .int64($0) }
        case .varchar(let texts): texts.map { .varchar($0) }
        }
    }
}
