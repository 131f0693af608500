/// One key of migration.yaml: what it is called, what it takes, what it means. The parser, the
/// JSON Schema and the documentation are all made from the table of these (``all``).
public struct ConfigKey: Hashable, Sendable {
    /// What a key takes.
    public enum Shape: Hashable, Sendable {
        /// The keys whose path begins with this one's.
        case mapping
        /// Entries that each take the keys below `path[]`.
        case entries
        case text
        case texts
        case choice([String])
        case flag
        case count(ClosedRange<Int>)
        case bytes(atLeast: ByteCount)
        /// The address of a cluster, without credentials.
        case address
        /// A reference to a secret, never the secret.
        case secret
        /// A path; a relative one is taken from the directory of the file.
        case path
        /// Text, a number or a flag, by the type of the field that it is for.
        case anyScalar
        indirect case either(Shape, Shape)
    }

    /// `collections[].fields.*.nullable`: `[]` is each entry of a list, `*` any name.
    public var path: String
    public var shape: Shape
    /// As the file would write it; nil where there is none.
    public var defaultText: String?
    public var isRequired: Bool
    /// The key beside it that may be given instead of a required one.
    public var substitute: String?
    /// For the documentation and for editors: one or two sentences.
    public var summary: String

    init(
        _ path: String, _ shape: Shape, default defaultText: String? = nil,
        required isRequired: Bool = false, unless substitute: String? = nil, _ summary: String
    ) {
        self.path = path
        self.shape = shape
        self.defaultText = defaultText
        self.isRequired = isRequired
        self.substitute = substitute
        self.summary = summary
    }

    /// The last part of the path: what is written before the colon.
    public var name: String {
        path.lastIndex(of: ".").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// The path of the mapping that the key is in; "" is the file.
    public var parent: String { path.lastIndex(of: ".").map { String(path[..<$0]) } ?? "" }

    public static func children(of path: String) -> [ConfigKey] { all.filter { $0.parent == path } }
}

extension ConfigKey.Shape {
    /// The spellings of an enumeration, in its order.
    static func choice<Value: CaseIterable & RawRepresentable<String>>(of type: Value.Type) -> Self
    {
        .choice(Value.allCases.map(\.rawValue))
    }
}

extension ConfigKey.Shape: CustomStringConvertible {
    /// What is wanted, to follow "wants": `a size such as 512MiB`.
    public var description: String {
        switch self {
        case .mapping: "a mapping (`name: value` lines, indented)"
        case .entries: "a list of entries that begin with `- source:`"
        case .text: "text"
        case .texts: "a list such as [a, b]"
        case .choice(let values): values.joined(separator: " or ")
        case .flag: "true or false"
        case .count(let range):
            range.upperBound == .max
                ? "a whole number from \(range.lowerBound)"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .bytes(let least): "a size of at least \(least), such as 512MiB"
        case .address: "an address such as http://127.0.0.1:19530"
        case .secret: "a reference: ${NAME}, file:PATH or fd:N"
        case .path: "a path"
        case .anyScalar: "one value"
        case .either(let first, let second): "\(first) or \(second)"
        }
    }
}
