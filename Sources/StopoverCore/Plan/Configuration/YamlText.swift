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
            let position = ConfigPosition(line: mark.line, column: mark.column)
            return Fault(
                position: position, message: "malformed YAML: \(problem)",
                remedy: hint(scalar(at: position, in: text)))
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

    private static func hint(_ scalar: Unicode.Scalar?) -> String {
        switch scalar {
        case "\t": "Indent with spaces: YAML takes no tabs."
        case "*", "&", "!", "@", "`", "%":
            "Put quotes around values that begin with one of * & ! @ ` %: `source: \"*.articles\"`."
        default: "Check the indentation, the quotes and the colons of this line and the one before."
        }
    }

    private static func scalar(at position: ConfigPosition, in text: String) -> Unicode.Scalar? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(position.line - 1) else { return nil }
        return lines[position.line - 1].unicodeScalars.dropFirst(position.column - 1).first
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
