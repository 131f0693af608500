/// What migration.yaml may ask and this version does not do. The file is refused rather than the
/// key ignored: a filter that is not applied migrates rows that were meant to stay.
///
/// A version that learns one of these deletes its row, and nothing else here.
struct NotYet: Sendable {
    /// A ``ConfigKey/path``.
    let path: String
    /// The values that are not done; nil is all of them.
    let values: Set<String>?
    /// What to write until then.
    let instead: String

    private init(_ path: String, _ values: Set<String>? = nil, instead: String) {
        self.path = path
        self.values = values
        self.instead = instead
    }

    static let all = [
        NotYet(
            "target.new", instead: "Start or create the cluster, and give its address as `uri:`."),
        NotYet("collections[].filter", instead: "Remove it: every row is migrated."),
        NotYet(
            "collections[].keep_key_as",
            instead: "Remove it, or keep the keys with `auto_id: keep`."),
        NotYet("collections[].promote", instead: "Remove it: dynamic keys stay dynamic."),
        NotYet(
            "collections[].partition_key", instead: "Remove it: the source's partition key is kept."
        ),
        NotYet("collections[].shards", instead: "Remove it: the source's number is kept."),
        NotYet("collections[].fields.*.nullable", instead: "Remove it: the field stays as it is."),
        NotYet("collections[].fields.*.default", instead: "Remove it: the field stays as it is."),
        NotYet("collections[].fields.*.rename", instead: "Remove it: the field keeps its name."),
        NotYet(
            "collections[].fields.*.max_length", instead: "Remove it: the field stays as it is."),
        NotYet(
            "collections[].indexes", ["copy"], instead: "Write `indexes: auto` or `indexes: none`."),
        NotYet(
            "collections[].load", ["true"],
            instead: "Remove it; the last line of a run says how to load."),
        NotYet(
            "collections[].on_existing", ["append", "replace"],
            instead: "Remove it, and give another name with `target:` or drop the collection."),
        NotYet(
            "collections[].on_bad_row", ["quarantine"],
            instead: "Remove it: a bad row stops the job."),
        NotYet(
            "limits.read_rows_per_second", instead: "Remove it; `limits.cursors: 1` reads gently."),
        NotYet(
            "limits.write_bytes_per_second",
            instead: "Remove it; `limits.workers: 1` writes gently."),
        NotYet("verify", ["sample", "digest", "full"], instead: "Write `verify: counts`."),
        NotYet("defaults", ["service"], instead: "Write `defaults: faithful`."),
    ]

    /// The row that forbids `key`, whatever its value.
    static func refusal(of key: ConfigKey) -> NotYet? {
        all.first { $0.path == key.path && $0.values == nil }
    }

    static func refusal(of key: ConfigKey, value: String) -> NotYet? {
        all.first { $0.path == key.path && $0.values?.contains(value) == true }
    }
}
