/// "Did you mean": the known name that a misspelt one is nearest to.
enum NearestName {
    /// A name differs from its misspelling in at most this many letters, and in less than half.
    static let mostEdits = 2

    static func of(_ name: String, among known: [String]) -> String? {
        let typed = Array(name.lowercased().replacing("-", with: "_").unicodeScalars.prefix(64))
        let ranked = known.filter { $0 != "*" }
            .map { (name: $0, edits: edits(typed, Array($0.unicodeScalars))) }
        guard let best = ranked.min(by: { $0.edits < $1.edits }),
            best.edits <= mostEdits, best.edits * 2 < max(typed.count, 2)
        else { return nil }
        return best.name
    }

    /// Insertions, removals, replacements and swaps of neighbours that turn one into the other.
    private static func edits(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                let replaced = last[j] + (left[i] == right[j] ? 0 : 1)
                var best = min(replaced, last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}
