import Yams

/// Reads the tree of a migration.yaml by the table of keys: names, shapes, what is not done yet.
/// What the values mean together is not its business.
struct ConfigReader {
    let file: String
    private(set) var problems: [ConfigProblem] = []

    /// What nodes have that were written without a tag.
    private static let plainTags: Set<String> = [
        "", Tag.Name.str.rawValue, Tag.Name.map.rawValue, Tag.Name.seq.rawValue,
    ]

    init(file: String) { self.file = file }

    mutating func report(
        _ code: StopoverError.Code, at position: ConfigPosition, _ message: String, remedy: String
    ) {
        problems.append(
            ConfigProblem(
                code: code, file: file.singleLine, position: position, message: message,
                remedy: remedy))
    }

    /// The file as a mapping; nil when it is none.
    mutating func read(root: Node?) -> ConfigNode? {
        guard let root else {
            report(
                .configYaml, at: .start, "the file is empty",
                remedy: "Write `source:` and `target:` with a `uri:` each.")
            return nil
        }
        let file = ConfigKey("", .mapping, "The file.")
        return read(root, as: .mapping, of: file, path: "", position: root.position)
    }

    private mutating func read(
        _ node: Node, as shape: ConfigKey.Shape, of key: ConfigKey, path: String,
        position: ConfigPosition
    ) -> ConfigNode {
        let invalid = ConfigNode(position: position, content: .invalid)
        guard isPlainYaml(node, at: position) else { return invalid }
        switch (shape, node) {
        case (.either(let first, let second), _):
            let fits = first.takesScalar == (node.scalar != nil)
            return read(node, as: fits ? first : second, of: key, path: path, position: position)
        case (.mapping, .mapping(let mapping)):
            return ConfigNode(
                position: position, content: .mapping(entries(of: mapping, path: path, position)))
        case (.entries, .sequence(let sequence)):
            let entry = ConfigKey("\(path)[]", .mapping, key.summary)
            let list = sequence.map { element in
                read(
                    element, as: .mapping, of: entry, path: "\(path)[]", position: element.position)
            }
            return ConfigNode(position: position, content: .list(list))
        case (.texts, .sequence(let sequence)):
            let list = sequence.map { element in
                read(element, as: .text, of: key, path: path, position: element.position)
            }
            return ConfigNode(position: position, content: .list(list))
        case (_, .scalar(let scalar)) where shape.takesScalar:
            if scalar.isNull {
                report(
                    .configValue, at: position, "\(key.shown) has no value",
                    remedy: "It wants \(key.shape); or remove the line.")
                return invalid
            }
            let content = content(of: scalar, as: shape, of: key, at: position)
            return ConfigNode(position: position, content: content ?? .invalid)
        default:
            report(
                .configValue, at: position,
                "\(key.shown) wants \(key.shape), and this is \(node.kind)",
                remedy: path.hasSuffix("[]")
                    ? "Write `- source: NAME`." : "Correct the value of \(key.shown).")
            return invalid
        }
    }

    private mutating func entries(
        of mapping: Node.Mapping, path: String, _ position: ConfigPosition
    ) -> [ConfigNode.Entry] {
        let known = ConfigKey.children(of: path)
        var entries: [ConfigNode.Entry] = []
        var written: Set<String> = []
        for (name, value) in mapping {
            guard let scalar = name.scalar, isPlainYaml(name, at: name.position) else {
                report(
                    .configValue, at: name.position, "a key must be a word",
                    remedy: "Write `name: value`.")
                continue
            }
            written.insert(scalar.string)
            var entry = ConfigNode.Entry(
                key: scalar.string, keyPosition: name.position,
                value: ConfigNode(position: value.position, content: .invalid))
            defer { entries.append(entry) }
            guard let key = known.first(where: { $0.name == scalar.string || $0.name == "*" })
            else {
                // A required key that is misspelt is not missing as well.
                unknown(scalar.string, among: known, path: path, at: name.position)
                    .map { _ = written.insert($0) }
                continue
            }
            if let refusal = NotYet.refusal(of: key) {
                notYet(key.shown, refusal, at: name.position)
            } else {
                entry.value = read(
                    value, as: key.shape, of: key, path: key.path, position: value.position)
            }
        }
        for key in known where key.isRequired && !written.contains(key.name) {
            if let substitute = key.substitute, written.contains(substitute) { continue }
            let place = path.isEmpty ? "the file" : "`\(path.shownPath)`"
            report(
                .configMissingKey, at: position, "\(place) lacks `\(key.name)`",
                remedy: "Add `\(key.name):` with \(key.shape).")
        }
        return entries
    }

    /// Aliases would make one line stand in two places, and tags are quotes forgotten around a `!`.
    private mutating func isPlainYaml(_ node: Node, at position: ConfigPosition) -> Bool {
        if node.anchor != nil {
            report(
                .configYaml, at: position, "anchors (&) and aliases (*) are not read here",
                remedy: "Write the value out; put quotes around a pattern that begins with *.")
            return false
        }
        let tag = node.tag.rawValue
        if !ConfigReader.plainTags.contains(tag) {
            report(
                .configYaml, at: position,
                "an unquoted ! begins a YAML tag, and tags are not read here",
                remedy: "Put quotes around it: `- source: \"!shop.tmp_*\"`.")
            return false
        }
        return true
    }

    /// - Returns: the key that was meant, if one is near.
    private mutating func unknown(
        _ name: String, among known: [ConfigKey], path: String, at position: ConfigPosition
    ) -> String? {
        let names = known.map(\.name)
        let near = NearestName.of(name, among: names)
        let elsewhere = ConfigKey.all.first { $0.name == name && !$0.path.contains("*") }
        let remedy: String
        if let near {
            remedy = "Did you mean `\(near)`?"
        } else if let elsewhere {
            let place =
                elsewhere.parent.isEmpty ? "the file itself" : "`\(elsewhere.parent.shownPath)`"
            remedy = "It belongs to \(place)."
        } else {
            remedy = "Known here: \(names.joined(separator: ", "))."
        }
        let place = path.isEmpty ? "the file" : "`\(path.shownPath)`"
        report(
            .configUnknownKey, at: position, "\(place) has no key \(name.quotedForMessage)",
            remedy: remedy)
        return near
    }

    mutating func notYet(_ what: String, _ refusal: NotYet, at position: ConfigPosition) {
        report(
            .configNotYet, at: position, "this version does not carry out \(what)",
            remedy: refusal.instead)
    }
}

extension Node {
    var position: ConfigPosition {
        mark.map { ConfigPosition(line: $0.line, column: $0.column) } ?? .start
    }

    fileprivate var kind: String {
        switch self {
        case .scalar(let scalar): scalar.isNull ? "empty" : "a single value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}

extension Node.Scalar {
    /// As YAML 1.2 writes null. Quoted, each of these is text.
    fileprivate var isNull: Bool {
        style == .plain && ["", "~", "null", "Null", "NULL"].contains(string)
    }
}

extension ConfigKey {
    /// As messages name it.
    var shown: String { path.isEmpty ? "the file" : "`\(path.shownPath)`" }
}

extension ConfigKey.Shape {
    fileprivate var takesScalar: Bool {
        switch self {
        case .mapping, .entries, .texts: false
        case .either(let first, let second): first.takesScalar || second.takesScalar
        default: true
        }
    }
}

extension String {
    /// `collections[].fields.*` → `collections.fields.NAME`.
    fileprivate var shownPath: String {
        replacing("[]", with: "").replacing("*", with: "NAME")
    }
}
