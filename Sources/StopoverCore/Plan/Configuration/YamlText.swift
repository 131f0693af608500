import Yams

/// The step from text to a tree of YAML nodes, and the translation of what can go wrong in it.
/// No message repeats any of the text: a malformed line may be the one with the secret.
enum YamlText {
    /// More than any list of collections; a wrong file name must not be read into memory whole.
    static let longestBytes = 1 << 20

    struct Fault: Error {
        var position: ConfigPosition
        var message: String
        var remedy: String
    }

    /// The root, or nil for a file without content.
    static func parse<Value>(
        _ text: String, _ read: (Node?) throws(Fault) -> Value
    ) throws(Fault) -> Value {
        try refuseControlCharacters(text)
        let parser: Parser
        let root: Node?
        do {
            // The basic resolver leaves scalars as text: their type is decided by their key.
            parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            root = try parser.singleRoot()
        } catch {
            throw fault(error as? YamlError, in: text)
        }
        // Nodes refer to their anchors weakly: the parser keeps them.
        return try withExtendedLifetime(parser) { () throws(Fault) in try read(root) }
    }

    private static func fault(_ error: YamlError?, in text: String) -> Fault {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            var position = ConfigPosition(line: mark.line, column: mark.column)
            if position.line > lines.count, let last = lines.last {
                // libYAML finds what is missing at the end behind a line break that is not there.
                position = ConfigPosition(line: lines.count, column: last.unicodeScalars.count + 1)
            }
            return Fault(
                position: position, message: "malformed YAML: \(problem)",
                remedy: hint(lines[position.line - 1].unicodeScalars, column: position.column))
        case .duplicatedKeysInMapping(let names, let context):
            let name = (names.first ?? "").quotedForMessage
            return Fault(
                position: ConfigPosition(line: context.mark.line, column: context.mark.column),
                message: "\(name) is written twice in one mapping, here for the first time",
                remedy: "Keep one of the two.")
        default:
            return Fault(
                position: .start, message: "the file cannot be read as YAML",
                remedy: "Save it as UTF-8 text.")
        }
    }

    private static func hint(_ line: Substring.UnicodeScalarView, column: Int) -> String {
        if line.dropFirst(column - 1).first == "\t" {
            return "Indent with spaces: YAML takes no tabs."
        }
        // The fault is often found far behind the character that caused it.
        let special = zip(line, line.dropFirst()).contains { before, scalar in
            " [{,".unicodeScalars.contains(before) && "*&!@`%".unicodeScalars.contains(scalar)
        }
        return special
            ? "Put quotes around a value that begins with one of * & ! @ ` %: `source: \"*.a\"`."
            : "Check the indentation, the quotes and the colons of this line and the one before."
    }

    /// libYAML refuses them as well, but cannot say where.
    private static func refuseControlCharacters(_ text: String) throws(Fault) {
        var position = ConfigPosition.start
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A:
                position = ConfigPosition(line: position.line + 1, column: 1)
                continue
            case 0x09, 0x0D, 0x85, 0x20...0x7E: break
            case ..<0x20, 0x7F..<0xA0, 0xFFFE, 0xFFFF:
                throw Fault(
                    position: position,
                    message: "the control character U+\(String(scalar.value, radix: 16)) is not "
                        + "allowed in YAML",
                    remedy: "Remove it; was the file saved as UTF-8 text?")
            default: break
            }
            position.column += 1
        }
    }
}
