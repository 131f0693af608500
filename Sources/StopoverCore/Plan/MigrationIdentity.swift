import Crypto

/// What of a migration may not change while its job lives: the two clusters, and which collection
/// becomes what. Limits, verification, credentials, TLS files and `load` may.
///
/// Flat, name → value, so that two of them can be compared line by line; stored with the job. What
/// the first version did not know is there only when it is asked for: the jobs of that version keep
/// their fingerprints.
public struct MigrationIdentity: Hashable, Sendable, Codable {
    /// `collections[1].target` → `library.articles`.
    public let values: [String: String]

    public init(_ migration: Migration) {
        var values = [
            "source.uri": "\(migration.source.address)",
            "target.uri": "\(migration.target.address)",
            // The order of excludes has no meaning.
            "collections.excluded": Set(migration.excluded).map { "!\($0)" }.sorted()
                .joined(separator: ", "),
        ]
        for (index, rule) in migration.rules.enumerated() {
            let name = "collections[\(index + 1)]"
            values["\(name).source"] = "\(rule.source)"
            values["\(name).target"] =
                switch rule.destination {
                case .sameName: "\(rule.source)"
                case .database(let database): "\(database).*"
                case .collection(let target): "\(target)"
                }
            for (key, value) in rule.mapping.identity { values["\(name).\(key)"] = value }
        }
        self.values = values
    }

    /// SHA-256 of the values as JSON with sorted keys, in hex.
    public var fingerprint: String {
        let members = values.sorted { $0.key < $1.key }.map { "\($0.jsonQuoted):\($1.jsonQuoted)" }
        let json = Array("{\(members.joined(separator: ","))}".utf8)
        return SHA256.hash(data: json).hex
    }

    /// What differs, a line each, for the error that refuses a job with another plan.
    public static func differences(
        from old: MigrationIdentity, to new: MigrationIdentity
    ) -> [String] {
        Set(old.values.keys).union(new.values.keys).sorted().compactMap { key in
            let (before, after) = (old.values[key], new.values[key])
            guard before != after else { return nil }
            return "\(key): was \(before.shown), is \(after.shown)"
        }
    }
}

extension String? {
    fileprivate var shown: String {
        guard let text = self else { return "absent" }
        return text.isEmpty ? "empty" : text
    }
}

extension Migration {
    public var identity: MigrationIdentity { MigrationIdentity(self) }

    /// The name of the job when the user gives none: the same file finds its job again.
    public var defaultJobName: String {
        "\(Migration.jobStem(of: file))-\(identity.fingerprint.prefix(8))"
    }

    /// 1–55 of a–z, 0–9, `-`, `_`: with `-` and 8 digits it is within the 64 of a job's name.
    static func jobStem(of file: String) -> String {
        let name = file.split(separator: "/").last.map(String.init) ?? ""
        let stem = name.lastIndex(of: ".").flatMap { $0 == name.startIndex ? nil : name[..<$0] }
        var text = ""
        for scalar in (stem.map(String.init) ?? name).lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9", "_": text.unicodeScalars.append(scalar)
            default: if !text.hasSuffix("-") { text.append("-") }
            }
        }
        let trimmed = text.drop { $0 == "-" }.prefix(55)
        let end = trimmed.lastIndex { $0 != "-" }
        return end.map { String(trimmed[...$0]) } ?? "migration"
    }
}
