/// JSON that is printed in the order in which it was made, so that a schema reads like its table.
indirect enum OrderedJSON: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var name: String
        var value: OrderedJSON

        init(_ name: String, _ value: OrderedJSON) {
            self.name = name
            self.value = value
        }
    }

    case text(String)
    case number(Int)
    case flag(Bool)
    case list([OrderedJSON])
    case object([Member])

    /// What is longer goes over several lines.
    static let longestLine = 100

    /// Without a line break at the end.
    /// - Parameter indent: how far the lines after the first are moved to the right.
    /// - Parameter lead: what stands before it in its first line.
    func text(indent: Int = 0, lead: Int = 0) -> String {
        let line = singleLine
        if indent + lead + line.unicodeScalars.count < Self.longestLine { return line }
        let inner = indent + 2
        let parts: [String]
        let brackets: (open: String, close: String)
        switch self {
        case .text, .number, .flag: return line
        case .list(let values):
            brackets = ("[", "]")
            parts = values.map { $0.text(indent: inner) }
        case .object(let members):
            brackets = ("{", "}")
            parts = members.map { member in
                let name = member.name.jsonQuoted + ": "
                return name + member.value.text(indent: inner, lead: name.unicodeScalars.count)
            }
        }
        let margin = String(repeating: " ", count: inner)
        return brackets.open + "\n" + parts.map { margin + $0 }.joined(separator: ",\n") + "\n"
            + String(repeating: " ", count: indent) + brackets.close
    }

    private var singleLine: String {
        switch self {
        case .text(let text): text.jsonQuoted
        case .number(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .list(let values): "[\(values.map(\.singleLine).joined(separator: ", "))]"
        case .object(let members):
            "{"
                + members.map { "\($0.name.jsonQuoted): \($0.value.singleLine)" }
                .joined(separator: ", ") + "}"
        }
    }
}
