import Foundation

/// JSON as a value, for tests that look into it.
enum JSONValue: Hashable, Sendable, Decodable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var list: [JSONValue] { if case .list(let list) = self { list } else { [] } }

    /// As text. Keys are sorted.
    var json: String {
        switch self {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .number(let number):
            number == number.rounded() ? "\(Int64(number))" : "\(number)"
        case .text(let text): text.debugDescription
        case .list(let list): "[\(list.map(\.json).joined(separator: ", "))]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { "\($0.key.debugDescription): \($0.value.json)" }.joined(separator: ", ")
                + "}"
        }
    }

    // MARK: Paths

    /// Every place in it but the root; an entry of a list has its number as a part.
    func paths() -> [[String]] {
        children.flatMap { name, value in [[name]] + value.paths().map { [name] + $0 } }
    }

    private var children: [(String, JSONValue)] {
        switch self {
        case .list(let list): list.enumerated().map { ("\($0.offset)", $0.element) }
        case .object(let members): members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        default: []
        }
    }

    func value(at path: [String]) -> JSONValue? {
        path.reduce(Optional(self)) { value, name in
            value?.children.first { $0.0 == name }?.1
        }
    }

    /// nil takes the place away.
    func replacing(_ path: [String], with value: JSONValue?) -> JSONValue {
        guard let name = path.first else { return value ?? .null }
        let edited = children.compactMap { child -> (String, JSONValue)? in
            guard child.0 == name else { return child }
            if path.count == 1 { return value.map { (name, $0) } }
            return (name, child.1.replacing(Array(path.dropFirst()), with: value))
        }
        if case .list = self { return .list(edited.map(\.1)) }
        return .object(Dictionary(uniqueKeysWithValues: edited))
    }
}

/// What of JSON Schema (draft 2020-12) our schema uses.
extension JSONValue {
    private static let keywords: Set<String> = [
        "$schema", "title", "description", "default", "type", "enum", "pattern", "minimum",
        "maximum", "items", "minItems", "uniqueItems", "properties", "required",
        "additionalProperties", "anyOf",
    ]

    /// What this schema finds wrong with `value`; empty when it is valid.
    func faults(in value: JSONValue, at place: String = "") -> [String] {
        guard case .object(let members) = self else {
            return self == .flag(false) ? ["\(place) is not known"] : []
        }
        var faults = members.keys.filter { !Self.keywords.contains($0) }
            .map { "the schema has a keyword that the checker does not know: \($0)" }
        if let type = self["type"] {
            let types = type.list.isEmpty ? [type] : type.list
            if !types.contains(where: value.isOf) {
                return faults + ["\(place) is no \(type.json)"]
            }
        }
        if let values = self["enum"], !values.list.contains(value) {
            faults.append("\(place) is none of \(values.json)")
        }
        if let schemas = self["anyOf"],
            schemas.list.allSatisfy({ !$0.faults(in: value).isEmpty })
        {
            faults.append("\(place) fits none of \(schemas.json)")
        }
        switch value {
        case .text(let text):
            if case .text(let pattern) = self["pattern"],
                text.range(of: pattern, options: .regularExpression) == nil
            {
                faults.append("\(place) does not match \(pattern)")
            }
        case .number(let number):
            if case .number(let least) = self["minimum"], number < least {
                faults.append("\(place) is too small")
            }
            if case .number(let most) = self["maximum"], number > most {
                faults.append("\(place) is too large")
            }
        case .list(let list):
            if case .number(let least) = self["minItems"], Double(list.count) < least {
                faults.append("\(place) is too short")
            }
            if self["uniqueItems"] == .flag(true), Set(list).count < list.count {
                faults.append("\(place) has an entry twice")
            }
            if let items = self["items"] {
                faults += list.flatMap { items.faults(in: $0, at: "\(place)[]") }
            }
        case .object(let members):
            for name in self["required"]?.list ?? [] {
                if case .text(let name) = name, members[name] == nil {
                    faults.append("\(place) lacks \(name)")
                }
            }
            for (name, member) in members {
                let schema = self["properties"]?[name] ?? self["additionalProperties"]
                faults += schema?.faults(in: member, at: "\(place).\(name)") ?? []
            }
        case .null, .flag: break
        }
        return faults
    }

    private func isOf(_ type: JSONValue) -> Bool {
        switch (self, type) {
        case (.null, .text("null")), (.flag, .text("boolean")), (.text, .text("string")),
            (.list, .text("array")), (.object, .text("object")), (.number, .text("number")):
            true
        case (.number(let number), .text("integer")): number == number.rounded()
        default: false
        }
    }

    /// The part of this schema that is for a ``ConfigKey/path``.
    func schema(at path: String) -> JSONValue? {
        path.split(separator: ".").reduce(Optional(self)) { schema, part in
            let name = String(part).replacing("[]", with: "")
            // A value that may also be a mapping: its keys are in one of the alternatives.
            let holder =
                schema?["anyOf"]?.list.first { $0["type"] == .text("object") } ?? schema
            let found = name == "*" ? holder?["additionalProperties"] : holder?["properties"]?[name]
            return part.hasSuffix("[]") ? found?["items"] : found
        }
    }
}

enum ConfigKeyPath {
    /// Whether a place in a document is that of a key: `collections`, `0`, `load` is that of
    /// `collections[].load`.
    static func matches(_ place: [String], _ path: String) -> Bool {
        let parts = path.replacing("[]", with: ".#").split(separator: ".").map(String.init)
        return parts.count == place.count
            && zip(parts, place).allSatisfy { part, name in
                part == name || part == "*" || (part == "#" && Int(name) != nil)
            }
    }
}
