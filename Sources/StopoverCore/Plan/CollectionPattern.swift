/// Collections by name: `shop.items`, `shop.*`, `*.log_?`; a name without a database is of `default`.
///
/// `*` stands for any characters, also none; `?` for one. Neither crosses the dot: names of
/// databases and collections hold none.
public struct CollectionPattern: Hashable, Sendable, Codable, CustomStringConvertible {
    public var database: String
    public var collection: String

    public static let everything = CollectionPattern(database: "*", collection: "*")

    public init(database: String, collection: String) {
        self.database = database
        self.collection = collection
    }

    /// nil when `text` is empty, has an empty side, more than one dot, or characters that no name
    /// and no pattern has.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }),
            text.unicodeScalars.allSatisfy({ scalar in
                !scalar.properties.isWhitespace && scalar.value >= 0x20 && scalar.value != 0x7F
                    && !"[]{}!,/\\\"'".unicodeScalars.contains(scalar)
            })
        else { return nil }
        database = parts.count == 2 ? parts[0] : "default"
        collection = parts[parts.count - 1]
    }

    public var isGlob: Bool { Self.isGlob(database) || Self.isGlob(collection) }
    static func isGlob(_ text: String) -> Bool { text.contains { $0 == "*" || $0 == "?" } }

    public func matches(_ name: CollectionName) -> Bool {
        Self.matches(Array(name.database.unicodeScalars), Array(database.unicodeScalars))
            && Self.matches(Array(name.collection.unicodeScalars), Array(collection.unicodeScalars))
    }

    public var description: String { "\(database).\(collection)" }

    /// Greedy with one point to go back to: time is at most the product of the lengths, whatever
    /// the pattern.
    private static func matches(_ text: [Unicode.Scalar], _ pattern: [Unicode.Scalar]) -> Bool {
        var at = 0
        var inPattern = 0
        var star: (pattern: Int, text: Int)?
        while at < text.count {
            if inPattern < pattern.count, pattern[inPattern] == "*" {
                star = (inPattern, at)
                inPattern += 1
            } else if inPattern < pattern.count,
                pattern[inPattern] == "?" || pattern[inPattern] == text[at]
            {
                at += 1
                inPattern += 1
            } else if let last = star {
                at = last.text + 1
                star = (last.pattern, at)
                inPattern = last.pattern + 1
            } else {
                return false
            }
        }
        return pattern[inPattern...].allSatisfy { $0 == "*" }
    }
}
