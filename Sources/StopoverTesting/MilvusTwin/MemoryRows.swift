import StopoverCore
import Synchronization

/// Rows by key, in memory.
final class MemoryRows: RowKeeper {
    struct Row: Sendable {
        /// Which of two copies in two partitions is the later one.
        var number: UInt64
        var bytes: [UInt8]
    }

    /// How a key of a partition was before something changed it.
    struct Undo: Sendable {
        var key: PrimaryKey
        var row: Row?
        var further: Int64?
    }

    struct Partition: Sendable {
        /// The latest copy of each key.
        var rows: [PrimaryKey: Row] = [:]
        /// How many earlier copies there are of a key that has any. Nobody can read them.
        var further: [PrimaryKey: Int64] = [:]
        private var sorted: [PrimaryKey] = []
        private var unsorted: [PrimaryKey] = []

        mutating func add(_ key: PrimaryKey, _ row: Row) {
            if rows.updateValue(row, forKey: key) == nil {
                unsorted.append(key)
            } else {
                let copies = (further[key] ?? 0) + 1
                further[key] = copies == 0 ? nil : copies
            }
        }

        /// Makes way for rows of these keys, which follow: the first of each takes the place of all
        /// earlier copies.
        /// - Returns: how many copies those were.
        mutating func giveUp(_ keys: [PrimaryKey]) -> Int64 {
            var copies: Int64 = 0
            for key in keys where rows[key] != nil && further[key] != -1 {
                copies += 1 + (further[key] ?? 0)
                further[key] = -1
            }
            return copies
        }

        /// - Returns: how many copies there were.
        mutating func remove(_ keys: [PrimaryKey]) -> Int64 {
            var removed: Int64 = 0
            for key in keys where rows.removeValue(forKey: key) != nil {
                removed += 1 + (further.removeValue(forKey: key) ?? 0)
            }
            if removed > 0 {
                sorted.removeAll { rows[$0] == nil }
                unsorted.removeAll { rows[$0] == nil }
            }
            return removed
        }

        /// What undoes the next change of this key.
        func undo(_ key: PrimaryKey) -> Undo {
            Undo(key: key, row: rows[key], further: further[key])
        }

        mutating func restore(_ undo: Undo) {
            rows[undo.key] = undo.row
            further[undo.key] = undo.further
        }

        /// After keys came and went by ``restore(_:)``.
        mutating func forgetOrder() {
            sorted = []
            unsorted = Array(rows.keys)
        }

        var copies: Int64 { further.values.reduce(Int64(rows.count), +) }

        /// All keys, ascending. What was added since the last question is sorted now.
        mutating func keys() -> [PrimaryKey] {
            if !unsorted.isEmpty {
                unsorted.sort()
                let inOrder = sorted.last.map { $0 < unsorted[0] } ?? true
                sorted += unsorted
                unsorted = []
                if !inOrder { sorted.sort() }
            }
            return sorted
        }

        /// Those that the filter lets through.
        mutating func keys(_ filter: KeyFilter) -> ArraySlice<PrimaryKey> {
            guard filter.alternatives.isEmpty else {
                var found: Set<PrimaryKey> = []
                for range in filter.alternatives { found.formUnion(keys(range)) }
                return found.sorted()[...]
            }
            if let listed = filter.keys {
                return listed.filter { filter.contains($0) && rows[$0] != nil }[...]
            }
            let keys = keys()
            let start = filter.lower.map { edge in
                keys.firstIndex(rising: { edge.isIncluded ? $0 >= edge.key : $0 > edge.key })
            }
            let end = filter.upper.map { edge in
                keys.firstIndex(rising: { edge.isIncluded ? $0 > edge.key : $0 >= edge.key })
            }
            let first = start ?? 0
            return keys[first..<max(end ?? keys.count, first)]
        }
    }

    private let schema: TwinSchema
    private let existingKeys: MilvusTwin.ExistingKeys
    private struct State: Sendable {
        var partitions: [String: Partition] = [:]
        var nextNumber: UInt64 = 0
        /// Since the last flush, the oldest first.
        var journal: [(partition: String, undo: Undo)] = []

        mutating func note(_ keys: [PrimaryKey], in partition: String) {
            guard let held = partitions[partition] else {
                journal += keys.map { (partition, Undo(key: $0)) }
                return
            }
            journal += keys.map { (partition, held.undo($0)) }
        }
    }
    private let state = Mutex(State())

    init(_ schema: TwinSchema, _ existingKeys: MilvusTwin.ExistingKeys = .doubled) {
        self.schema = schema
        self.existingKeys = existingKeys
    }

    func write(
        _ rows: IncomingRows, _ bytes: UnsafeRawBufferPointer, partition: String, replacing: Bool
    ) throws -> Int64 {
        // Whatever is wrong with the rows is found before one of them is kept.
        var (keys, encoded) = try encode(rows, bytes)
        if rows.onlyFirstShard {
            let kept = keys.indices.filter { IncomingRows.isInFirstShard(keys[$0]) }
            (keys, encoded) = (kept.map { keys[$0] }, kept.map { encoded[$0] })
        }
        return state.withLock { state in
            guard existingKeys == .doubled else {
                return overwrite(keys, encoded, partition: partition, in: &state)
            }
            state.note(keys, in: partition)
            var held = state.partitions.removeValue(forKey: partition) ?? Partition()
            let replaced = replacing ? held.giveUp(keys) : 0
            for (key, row) in zip(keys, encoded) {
                held.add(key, Row(number: state.nextNumber, bytes: row))
                state.nextNumber += 1
            }
            state.partitions[partition] = held
            return replaced
        }
    }

    /// One row a key, wherever it was before.
    private func overwrite(
        _ keys: [PrimaryKey], _ encoded: [[UInt8]], partition: String, in state: inout State
    ) -> Int64 {
        var replaced: Int64 = 0
        for name in state.partitions.keys {
            state.note(keys, in: name)
            replaced += state.partitions[name]?.remove(keys) ?? 0
        }
        if state.partitions[partition] == nil { state.note(keys, in: partition) }
        var held = state.partitions.removeValue(forKey: partition) ?? Partition()
        var last: [PrimaryKey: [UInt8]] = [:]
        for (key, row) in zip(keys, encoded) { last[key] = row }
        for (key, row) in last {
            held.add(key, Row(number: state.nextNumber, bytes: row))
            state.nextNumber += 1
        }
        state.partitions[partition] = held
        return replaced
    }

    func flush() { state.withLock { $0.journal = [] } }

    func loseUnflushed() -> Int64 {
        state.withLock { state in
            let copies = { (state: State) in state.partitions.values.reduce(0) { $0 + $1.copies } }
            let before = copies(state)
            for (partition, undo) in state.journal.reversed() {
                state.partitions[partition, default: Partition()].restore(undo)
            }
            state.journal = []
            for name in state.partitions.keys { state.partitions[name]?.forgetOrder() }
            return before - copies(state)
        }
    }

    private func encode(
        _ rows: IncomingRows, _ bytes: UnsafeRawBufferPointer
    ) throws -> ([PrimaryKey], [[UInt8]]) {
        var encoded = [[UInt8]](repeating: [], count: rows.rowCount)
        var keys: [PrimaryKey] = []
        keys.reserveCapacity(rows.rowCount)
        let estimate = rows.columns.reduce(0) { $0 + ($1.values?.count ?? 0) } / rows.rowCount
        for row in encoded.indices {
            encoded[row].reserveCapacity(estimate + 2 * schema.fields.count)
        }
        var columns = rows.columns[...]
        for field in schema.fields {
            if field.isAutoKey, let ids = rows.autoKeys {
                for (row, id) in ids.enumerated() {
                    AutoKey.cell(id, field.type).withUnsafeBytes {
                        RowBytes.add($0, to: &encoded[row])
                    }
                    keys.append(AutoKey.key(id, field.type))
                }
            } else if field.schema.isFunctionOutput {
                for row in encoded.indices { RowBytes.add(nil, to: &encoded[row]) }
            } else if let column = columns.popFirst() {
                try column.forEach(bytes, rowCount: rows.rowCount) { row, cell in
                    RowBytes.add(cell, to: &encoded[row])
                    guard field.schema.isPrimaryKey else { return }
                    keys.append(
                        field.type == .int64
                            ? .int64(try RowBytes.int64(cell))
                            : .varchar(cell.map { Array($0) } ?? []))
                }
            }
        }
        return (keys, encoded)
    }

    func delete(_ filter: KeyFilter, partitions: [String]) -> Int64 {
        state.withLock { state in
            var removed: Int64 = 0
            for name in partitions {
                guard let found = state.partitions[name]?.keys(filter) else { continue }
                let keys = Array(found)
                state.note(keys, in: name)
                removed += state.partitions[name]?.remove(keys) ?? 0
            }
            return removed
        }
    }

    func count(_ filter: KeyFilter, partitions: [String]) -> Int64 {
        state.withLock { state in
            var count: Int64 = 0
            for name in partitions {
                guard let keys = state.partitions[name]?.keys(filter) else { continue }
                count += Int64(keys.count)
                guard let further = state.partitions[name]?.further, !further.isEmpty else {
                    continue
                }
                count += keys.reduce(0) { $0 + (further[$1] ?? 0) }
            }
            return count
        }
    }

    func page(
        _ filter: KeyFilter, partitions: [String], fields: [Int], limit: Int
    ) -> [PageColumn] {
        let rows = state.withLock { state in
            var found: [(key: PrimaryKey, row: Row)] = []
            for name in partitions {
                guard let keys = state.partitions[name]?.keys(filter).prefix(limit) else {
                    continue
                }
                for key in keys {
                    if let row = state.partitions[name]?.rows[key] { found.append((key, row)) }
                }
            }
            if partitions.count > 1 {
                found.sort { $0.key == $1.key ? $0.row.number > $1.row.number : $0.key < $1.key }
            }
            return found
        }
        var columns = fields.map { PageColumn(schema.fields[$0]) }
        var last: PrimaryKey?
        var taken = 0
        for (key, row) in rows where key != last && taken < limit {
            let cells = RowBytes.cells(row.bytes)
            for index in columns.indices { columns[index].add(cells[fields[index]]) }
            last = key
            taken += 1
        }
        return columns
    }

    /// Of the rows that can be read: one for each key of each partition.
    func tally(partitions: [String]) throws -> MilvusTwin.Tally {
        let held = state.withLock { $0.partitions }
        var tally = MilvusTwin.Tally()
        for name in partitions {
            for (key, row) in held[name]?.rows ?? [:] {
                tally.rows += 1
                tally.widen(key)
                let seed =
                    switch key {
                    case .int64(let value): Checksum.key(value)
                    case .varchar(let text): text.withUnsafeBytes { Checksum.key($0) }
                    }
                for (field, cell) in zip(schema.fields, RowBytes.cells(row.bytes)) {
                    if field.isAutoKey || field.schema.isFunctionOutput { continue }
                    let hash =
                        cell?.withUnsafeBytes { Checksum.value(seed, $0) } ?? Checksum.null(seed)
                    tally.columns[field.name, default: 0] &+= hash
                }
            }
        }
        return tally
    }
}

extension Array {
    /// The first element for which the rising condition holds, or the end, by halving.
    fileprivate func firstIndex(rising condition: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
