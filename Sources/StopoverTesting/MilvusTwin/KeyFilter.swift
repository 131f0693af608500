import StopoverCore

/// Which keys an expression asks for: a range, a list, or what any of several of these asks for.
struct KeyFilter: Sendable {
    struct Edge: Sendable {
        var key: PrimaryKey
        var isIncluded: Bool
    }

    var lower: Edge?
    var upper: Edge?
    /// Sorted, each once; nil where no list was given.
    var keys: [PrimaryKey]?
    /// Two or more, joined by `or`; the rest says nothing then.
    var alternatives: [KeyFilter] = []

    func contains(_ key: PrimaryKey) -> Bool {
        guard alternatives.isEmpty else {
            return alternatives.contains { $0.contains(key) && $0.keys?.contains(key) != false }
        }
        if let lower, key < lower.key || (key == lower.key && !lower.isIncluded) { return false }
        if let upper, key > upper.key || (key == upper.key && !upper.isIncluded) { return false }
        return true
    }

    mutating func raise(to edge: Edge) {
        if let lower, lower.key > edge.key || (lower.key == edge.key && !lower.isIncluded) {
            return
        }
        lower = edge
    }

    mutating func cut(at edge: Edge) {
        if let upper, upper.key < edge.key || (upper.key == edge.key && !upper.isIncluded) {
            return
        }
        upper = edge
    }

    /// - Throws: what 2.3.5 says of an expression that it cannot read.
    init(_ expression: String, key field: TwinField) throws {
        var parser = KeyFilterParser(expression, field)
        let alternatives = parser.isAtEnd ? [KeyFilter()] : try parser.disjunction()
        guard parser.isAtEnd else { throw parser.failure("unexpected end of a term") }
        if alternatives.count == 1 {
            self = alternatives[0]
        } else {
            self.alternatives = alternatives
        }
    }

    /// What both ask for; neither has alternatives.
    func narrowed(by other: KeyFilter) -> KeyFilter {
        var both = self
        if let lower = other.lower { both.raise(to: lower) }
        if let upper = other.upper { both.cut(at: upper) }
        guard let listed = other.keys else { return both }
        let wanted = Set(listed)
        both.keys = both.keys.map { $0.filter(wanted.contains) } ?? listed
        return both
    }

    init() {}
}

/// Reads `key op literal` and `key in [literals]`, joined by `and` and `or`: what a reader and a deleter
/// of whole collections need, and nothing that would have to look at rows.
private struct KeyFilterParser {
    private let text: [UInt8]
    private var position = 0
    private let field: TwinField
    private let expression: String

    init(_ expression: String, _ field: TwinField) {
        text = Array(expression.utf8)
        self.expression = expression
        self.field = field
        skipSpace()
    }

    var isAtEnd: Bool { position == text.count }

    func failure(_ why: String) -> TwinRefusal {
        .unexpected("cannot parse expression: \(expression.prefix(200)), error: \(why)")
    }

    /// The alternatives that the expression comes down to.
    mutating func disjunction() throws -> [KeyFilter] {
        var alternatives: [KeyFilter] = []
        repeat { alternatives += try conjunction() } while take("or") || take("||")
        return alternatives
    }

    private mutating func conjunction() throws -> [KeyFilter] {
        var held = [KeyFilter()]
        repeat {
            let terms = try term()
            held = held.flatMap { left in terms.map { left.narrowed(by: $0) } }
        } while take("and") || take("&&")
        return held
    }

    private mutating func term() throws -> [KeyFilter] {
        if take("(") {
            let inner = try disjunction()
            guard take(")") else { throw failure("missing )") }
            return inner
        }
        var filter = KeyFilter()
        guard take(field.name) else { throw failure("not the primary key") }
        if take("in") {
            filter.keys = Set(try list()).sorted()
            return [filter]
        }
        // Longer ones first: ">=" begins with ">".
        guard let sign = ["<=", ">=", "==", "<", ">"].first(where: { take($0) }) else {
            throw failure("no comparison")
        }
        let edge = KeyFilter.Edge(key: try literal(), isIncluded: sign.count == 2)
        if sign != "<", sign != "<=" { filter.raise(to: edge) }
        if sign != ">", sign != ">=" { filter.cut(at: edge) }
        return [filter]
    }

    private mutating func list() throws -> [PrimaryKey] {
        guard take("[") else { throw failure("missing [") }
        var keys: [PrimaryKey] = []
        while !take("]") {
            keys.append(try literal())
            guard take(",") || (position < text.count && text[position] == UInt8(ascii: "]"))
            else { throw failure("missing ]") }
        }
        return keys
    }

    private mutating func literal() throws -> PrimaryKey {
        guard position < text.count else { throw failure("no literal") }
        let quote = text[position]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            guard field.type == .varchar else { throw failure("comparison of two types") }
            position += 1
            return .varchar(try quoted(quote))
        }
        guard field.type == .int64 else { throw failure("comparison of two types") }
        let isNegative = take("-")
        var digits = 0
        var value: Int64 = 0
        while position < text.count, (48...57).contains(text[position]) {
            // Read as a positive number and negated, as 2.3.5 does: INT64_MIN does not survive it.
            let (scaled, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int64(text[position] - 48))
            guard !over, !carry else { throw failure("value out of range") }
            value = sum
            digits += 1
            position += 1
        }
        guard digits > 0 else { throw failure("no literal") }
        skipSpace()
        return .int64(isNegative ? -value : value)
    }

    private mutating func quoted(_ quote: UInt8) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte == quote {
                skipSpace()
                return bytes
            }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard position < text.count else { break }
            switch text[position] {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"):
                bytes.append(text[position])
            default: throw failure("unknown escape")
            }
            position += 1
        }
        throw failure("a literal that does not end")
    }

    /// Takes a word or sign and the space behind it; a word only where it ends.
    private mutating func take(_ word: String) -> Bool {
        let end = position + word.utf8.count
        guard end <= text.count, text[position..<end].elementsEqual(word.utf8) else { return false }
        if let last = word.utf8.last, isName(last), end < text.count, isName(text[end]) {
            return false
        }
        position = end
        skipSpace()
        return true
    }

    private func isName(_ byte: UInt8) -> Bool {
        byte == 95 || (48...57).contains(byte) || (65...90).contains(byte)
            || (97...122).contains(byte) || byte >= 128
    }

    private mutating func skipSpace() {
        while position < text.count, [32, 9, 10, 13].contains(text[position]) { position += 1 }
    }
}
