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
            "target.new", instead: "Start or create the cluster, and give its address as `uri:`.")
    ]

    /// The row that forbids `key`, whatever its value.
    static func refusal(of key: ConfigKey) -> NotYet? {
        all.first { $0.path == key.path && $0.values == nil }
    }

    static func refusal(of key: ConfigKey, value: String) -> NotYet? {
        all.first { $0.path == key.path && $0.values?.contains(value) == true }
    }
}
