import StopoverCore
import Synchronization

/// Keeps no rows, only what they sum up to: the target of a run of a thousand million rows.
///
/// It cannot know whether a key came before, so an Upsert counts as an Insert; and of a range
/// of keys it can count only what lies wholly inside or outside.
final class TallyRows: RowKeeper {
    private typealias Parts = [String: MilvusTwin.Tally]
    private let parts = Mutex<Parts>([:])
    /// Those of the last flush.
    private let flushed = Mutex<Parts>([:])

    func write(
        _ rows: IncomingRows, _ bytes: UnsafeRawBufferPointer, partition: String, replacing: Bool
    ) throws -> Int64 {
        guard !rows.onlyFirstShard else {
            throw TwinRefusal.unexpected("a tally takes all rows of a request")
        }
        // Outside the lock: requests are summed up side by side.
        let tally = try rows.tally(bytes)
        parts.withLock { $0[partition, default: .init()] += tally }
        return 0
    }

    func delete(_ filter: KeyFilter, partitions: [String]) throws -> Int64 {
        throw TwinRefusal.unexpected("a tally keeps no rows to delete")
    }

    func count(_ filter: KeyFilter, partitions: [String]) throws -> Int64 {
        var count: Int64 = 0
        for part in parts.withLock({ held in partitions.compactMap { held[$0] } }) {
            guard let least = part.least, let greatest = part.greatest else { continue }
            guard filter.keys == nil, filter.alternatives.isEmpty else {
                throw TwinRefusal.unexpected("a tally keeps no rows to look among")
            }
            switch (filter.contains(least), filter.contains(greatest)) {
            case (true, true): count += part.rows
            case (false, false) where !filter.lies(within: least...greatest): break
            default: throw TwinRefusal.unexpected("a tally cannot count part of its keys")
            }
        }
        return count
    }

    func page(
        _ filter: KeyFilter, partitions: [String], fields: [Int], limit: Int
    ) throws -> [PageColumn] {
        throw TwinRefusal.unexpected("a tally keeps no rows to read")
    }

    func flush() {
        let now = parts.withLock { $0 }
        flushed.withLock { $0 = now }
    }

    func loseUnflushed() -> Int64 {
        let last = flushed.withLock { $0 }
        return parts.withLock { parts in
            defer { parts = last }
            return parts.values.reduce(0) { $0 + $1.rows } - last.values.reduce(0) { $0 + $1.rows }
        }
    }

    func tally(partitions: [String]) -> MilvusTwin.Tally {
        parts.withLock { held in
            partitions.reduce(into: MilvusTwin.Tally()) { $0 += held[$1] ?? .init() }
        }
    }
}

extension KeyFilter {
    /// Whether it asks for keys between these two.
    fileprivate func lies(within keys: ClosedRange<PrimaryKey>) -> Bool {
        let isBelow = upper.map { $0.key < keys.lowerBound || ($0.key == keys.lowerBound) } ?? false
        let isAbove = lower.map { $0.key > keys.upperBound || ($0.key == keys.upperBound) } ?? false
        return !isBelow && !isAbove
    }
}
