/// Counts rows by their keys. Rows of a collection mostly have the same keys in the same order, so
/// the key that followed the last time is tried first, and nothing is allocated for it.
struct KeyTally {
    private struct Entry {
        let key: [UInt8]
        var rows = 0
        var lastRow = -1
        /// The entry that followed this one last.
        var next = 0
    }

    private var entries: [Entry] = []
    private var places: [[UInt8]: Int] = [:]
    /// Entries of the row that is being walked.
    private var noted: [Int] = []
    private var unescaped: [UInt8] = []
    private var previous: Int?

    /// Notes a key of the row.
    mutating func note(_ key: UnsafeBufferPointer<UInt8>, hasEscapes: Bool) {
        let guess = previous.map { entries[$0].next } ?? 0
        let place: Int
        if hasEscapes {
            unescaped.removeAll(keepingCapacity: true)
            _ = JSONText.append(unescaped: key, to: &unescaped)
            place = self.place(of: unescaped)
        } else if guess < entries.count, entries[guess].key.elementsEqual(key) {
            place = guess
        } else {
            place = self.place(of: Array(key))
        }
        if let previous { entries[previous].next = place }
        previous = place
        noted.append(place)
    }

    mutating func endRow(_ row: Int) {
        for place in noted where entries[place].lastRow != row {
            entries[place].lastRow = row
            entries[place].rows += 1
        }
        dropRow()
    }

    /// Forgets what was noted of the row.
    mutating func dropRow() {
        noted.removeAll(keepingCapacity: true)
        previous = nil
    }

    var counts: [String: Int] {
        var counts: [String: Int] = [:]
        for entry in entries where entry.rows > 0 {
            counts[String(decoding: entry.key, as: UTF8.self), default: 0] += entry.rows
        }
        return counts
    }

    private mutating func place(of key: [UInt8]) -> Int {
        if let place = places[key] { return place }
        places[key] = entries.count
        entries.append(Entry(key: key))
        return entries.count - 1
    }
}
