/// `Docs/configuration.md`: what a user can write into migration.yaml. The tables are made of the
/// table of keys, and the answer to a mistake is the parser's own.
public enum ConfigurationPage {
    /// Markdown, with a line break at the end.
    public static let text =
        ([introduction, example] + sections.map(\.text) + [ending]).joined(separator: "\n\n") + "\n"

    /// A part of the page: the keys that stand together in the file.
    struct Section: Sendable {
        var title: String
        /// As ``ConfigKey/parent``.
        var parent: String
        var text: String

        init(_ title: String, keysOf parent: String, _ prose: String, after: String = "") {
            self.title = title
            self.parent = parent
            text = ["## \(title)", prose, ConfigurationPage.table(of: parent), after]
                .filter { !$0.isEmpty }.joined(separator: "\n\n")
        }
    }

    private static let introduction = """
        <!-- Made by `stopover schema --markdown`: edit ConfigKey.all or ConfigurationPage. -->

        # migration.yaml

        One file says what to move and where. Two addresses are enough: then every collection of
        every database is migrated as it is.

            source: {uri: "http://old.example.org:19530", token: "${SOURCE_TOKEN}"}
            target: {uri: "http://new.example.org:19530", token: "${TARGET_TOKEN}"}

        `stopover plan migration.yaml` reads it, asks both clusters, and says what would happen and
        what cannot; it changes nothing. `stopover run migration.yaml` does it.

        **Nothing is ignored.** A key that is not known, a value that does not fit, two keys that
        contradict each other: each is answered with its place in the file, all of them at once,
        and nothing is begun (exit code 2). A file with the line
        `\(mistake.line)` gets

            \(mistake.answer.joined(separator: "\n    "))

        **Secrets are references.** `${NAME}` is an environment variable, `file:PATH` a file that
        holds nothing else, `fd:N` a file descriptor that was opened by whoever started Stopover. A
        secret that stands in the file itself is refused. None is ever stored or printed.

        **Relative paths** begin where the file lies, wherever the command is started.

        **What may change while a job lives:** `limits`, `verify`, `load`, `on_bad_row`, credentials,
        `tls` and `plan`. Anything else makes it another migration, and the job is refused with the
        difference; under another job name (`--job`) it begins anew.

        **In an editor:** `stopover schema > migration.schema.json`, and as the first line of the
        file

            # yaml-language-server: $schema=migration.schema.json

        shows the keys, their values and their meaning while you write.
        """

    private static let example =
        "## All keys in one file\n\n"
        + ConfigurationExample.text.split(separator: "\n").map { "    \($0)" }
        .joined(separator: "\n")

    static let sections = [
        Section("The file", keysOf: "", ""),
        Section(
            "source", keysOf: "source",
            "`target` takes the same keys. A cluster without access control needs `uri` alone."),
        Section("source.tls, target.tls", keysOf: "source.tls", ""),
        Section(
            "target.new", keysOf: "target.new", "In `target`, instead of `uri`."),
        Section("target.new.zilliz", keysOf: "target.new.zilliz", ""),
        Section(
            "collections", keysOf: "collections[]",
            """
            A list. Each entry names a collection, or many by a pattern: `*` stands for any
            characters, `?` for one, and neither crosses the dot between database and collection.
            The first entry that matches a collection decides what becomes of it. Entries that
            begin with `!` take no other key than `source`.
            """,
            after: """
                What a schema has to be asked for (a field that is not there, a type that cannot be
                a partition key) is found by the plan. These contradict each other, whatever the
                source holds:

                * `keep_key_as` without `auto_id: regenerate`, or with the name of a field that is
                  dropped or renamed;
                * a `partition_key` that is dropped, or nullable (a promoted key needs
                  `nullable: false`);
                * two fields of the target with one name, by `rename`, `promote` or `keep_key_as`.
                """),
        Section(
            "collections.fields.NAME", keysOf: "collections[].fields.*",
            "What is asked of a field; the rest stays as it is. `NAME: drop` leaves the field out."),
        Section(
            "collections.promote.NAME", keysOf: "collections[].promote.*",
            """
            A key of the dynamic field becomes a field of its own, by the same name; all other keys
            stay dynamic. A row whose value is of another type, or too long, is a row that does not
            fit: see `on_bad_row`.
            """),
        Section(
            "limits", keysOf: "limits",
            """
            Sizes are written `512MiB`, `20GB` or as a number of bytes. Rows on their way take no
            more memory and no more disk than this, however many there are.
            """),
    ]

    private static let ending = """
        *Not in this version* marks what is known, checked and refused by name; it is never ignored.
        """

    // MARK: Tables

    private static func table(of parent: String) -> String {
        let keys = ConfigKey.children(of: parent).filter { $0.name != "*" }
        let rows = keys.map { key in
            "| `\(key.name)` | \(key.shape.values) | \(standard(of: key)) | \(meaning(of: key)) |"
        }
        return (["| key | value | default | meaning |", "|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }

    private static func standard(of key: ConfigKey) -> String {
        if key.isRequired {
            return key.substitute.map { "**required**, or `\($0)`" } ?? "**required**"
        }
        guard let text = key.defaultText else { return "" }
        return key.defaultLiteral == nil ? text : "`\(text)`"
    }

    private static func meaning(of key: ConfigKey) -> String {
        key.summary + (key.restriction.map { " *\($0)*" } ?? "")
    }

    // MARK: A mistake

    /// A line with a mistake, and what the parser answers.
    private static let mistake: (line: String, answer: [String]) = {
        let line = "- {source: articles, auto_id: kep}"
        let (_, problems) = Migration.read(
            yaml: """
                source: {uri: http://a}
                target: {uri: http://b}
                collections:
                  \(line)
                """, file: "migration.yaml")
        return (
            line,
            problems.first.flatMap { StopoverError([$0]) }
                .map { "\($0)".split(separator: "\n").map(String.init) } ?? []
        )
    }()
}

extension ConfigKey.Shape {
    /// For a cell of a table.
    fileprivate var values: String {
        switch self {
        case .mapping: "keys, below"
        case .entries: "a list, below"
        case .text: "text"
        case .texts: "a list, `[a, b]`"
        case .choice(let values): values.map { "`\($0)`" }.joined(separator: ", ")
        case .flag: "`true`, `false`"
        case .count(let range):
            range.upperBound == .max
                ? "a number from \(range.lowerBound)"
                : "\(range.lowerBound) to \(range.upperBound)"
        case .bytes(let least): "a size, at least \(least)"
        case .address: "an address"
        case .secret: "a reference"
        case .path: "a path"
        case .anyScalar: "text, a number, `true` or `false`"
        case .either(let first, let second): "\(first.values), or \(second.values)"
        }
    }
}
