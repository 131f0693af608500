/// A JSON Schema (draft 2020-12) of migration.yaml, for editors. Made of the table of keys.
///
/// It knows keys, types and values. What keys mean together, names of collections and references to
/// secrets that lead nowhere are found by `stopover plan`.
public enum JSONSchema {
    /// With a line break at the end.
    public static let text =
        OrderedJSON.object(
            [
                Member("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
                Member("title", .text("migration.yaml of Stopover")),
            ] + mapping(of: "")
        ).text() + "\n"

    private typealias Member = OrderedJSON.Member

    // MARK: Keys

    private static func schema(of key: ConfigKey) -> OrderedJSON {
        var members = [Member("description", .text(description(of: key)))]
        if let value = key.defaultLiteral { members.append(Member("default", value)) }
        return .object(members + constraints(on: key, key.shape))
    }

    private static func description(of key: ConfigKey) -> String {
        var sentences = [key.summary.replacing("`", with: "")]
        if let text = key.defaultText, key.defaultLiteral == nil {
            sentences.append("Default: \(text).")
        }
        if let restriction = key.restriction {
            sentences.append(restriction.replacing("`", with: ""))
        }
        return sentences.joined(separator: " ")
    }

    // MARK: Shapes

    private static func constraints(
        on key: ConfigKey, _ shape: ConfigKey.Shape
    ) -> [Member] {
        switch shape {
        case .mapping: mapping(of: key.path)
        case .entries:
            [
                type("array"), Member("minItems", .number(1)),
                Member("items", .object(mapping(of: key.path + "[]"))),
            ]
        case .text: [type("string"), pattern(#"\S"#)]
        case .texts:
            [
                type("array"), Member("items", .object([type("string"), pattern(#"\S"#)])),
                Member("minItems", .number(1)), Member("uniqueItems", .flag(true)),
            ]
        case .choice(let values):
            [
                Member(
                    "enum",
                    .list(
                        values.filter { NotYet.refusal(of: key, value: $0) == nil }
                            .map { .text($0) }))
            ]
        case .flag: [type("boolean")]
        case .count(let range):
            [type("integer"), Member("minimum", .number(range.lowerBound))]
                + (range.upperBound == .max ? [] : [Member("maximum", .number(range.upperBound))])
        case .bytes(let least):
            anyOf(
                [type("integer"), Member("minimum", .number(Int(least.bytes)))],
                [
                    type("string"),
                    pattern("^[0-9]+([.][0-9]+)? *([KkMmGgTtPpEe][Ii]?)?[Bb]$"),
                ])
        case .address: [type("string"), pattern("^[Hh][Tt][Tt][Pp][Ss]?://[^@/?#]+/?$")]
        case .secret:
            [
                type("string"),
                pattern(#"^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:[^~].*|fd:[0-9]+)$"#),
            ]
        case .path: [type("string"), pattern("^[^~]")]
        case .anyScalar:
            [Member("type", .list([.text("string"), .text("number"), .text("boolean")]))]
        case .either(let first, let second):
            anyOf(constraints(on: key, first), constraints(on: key, second))
        }
    }

    private static func mapping(of path: String) -> [Member] {
        let keys = ConfigKey.children(of: path)
        let named = keys.filter { $0.name != "*" }
        let others = keys.first { $0.name == "*" }
        var members = [type("object")]
        if !named.isEmpty {
            members.append(
                Member("properties", .object(named.map { Member($0.name, schema(of: $0)) })))
        }
        let required = named.filter { $0.isRequired && $0.substitute == nil }
        if !required.isEmpty { members.append(list("required", required.map(\.name))) }
        for key in named where key.isRequired {
            guard let substitute = key.substitute else { continue }
            members += anyOf([list("required", [key.name])], [list("required", [substitute])])
        }
        members.append(Member("additionalProperties", others.map(schema) ?? .flag(false)))
        return members
    }

    private static func type(_ name: String) -> Member { Member("type", .text(name)) }
    private static func pattern(_ text: String) -> Member { Member("pattern", .text(text)) }
    private static func list(_ name: String, _ texts: [String]) -> Member {
        Member(name, .list(texts.map { .text($0) }))
    }
    private static func anyOf(_ first: [Member], _ second: [Member]) -> [Member] {
        [Member("anyOf", .list([.object(first), .object(second)]))]
    }
}

extension ConfigKey {
    /// The default as a value of the file; nil where there is none, or where it depends on
    /// something and ``defaultText`` says on what.
    var defaultLiteral: OrderedJSON? {
        defaultText.flatMap { ConfigKey.literal($0, shape) }
    }

    private static func literal(_ text: String, _ shape: Shape) -> OrderedJSON? {
        switch shape {
        case .choice(let values): values.contains(text) ? .text(text) : nil
        case .flag: Bool(text).map { .flag($0) }
        case .count: Int(text).map { .number($0) }
        case .bytes: ByteCount(text).map { _ in .text(text) }
        case .either(let first, let second): literal(text, first) ?? literal(text, second)
        case .mapping, .entries, .text, .texts, .address, .secret, .path, .anyScalar: nil
        }
    }

    /// What of the key this version refuses, as a sentence; nil when it does all of it.
    var restriction: String? {
        let refused = NotYet.all.first { path == $0.path || path.hasPrefix($0.path + ".") }
        guard let refused else { return nil }
        guard let values = refused.values else { return "Not in this version." }
        let ordered =
            if case .choice(let all) = shape { all.filter(values.contains) } else {
                values.sorted()
            }
        let names = ordered.map { "`\($0)`" }.joined(separator: ", ")
        return "Not in this version: \(names)."
    }
}
