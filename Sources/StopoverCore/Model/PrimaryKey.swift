/// A primary key: an INT64, or a VARCHAR by its UTF-8 bytes.
///
/// Bytes, not `String`: Milvus orders and tells apart keys by their bytes, Swift by canonical
/// equivalence, and two keys that differ only in normalisation are two rows.
public enum PrimaryKey: Hashable, Sendable, Codable {
    case int64(Int64)
    case varchar([UInt8])

    public static func varchar(_ text: String) -> PrimaryKey { .varchar(Array(text.utf8)) }
}

extension PrimaryKey: Comparable {
    /// The order of the server. Keys of two types are not comparable and never meet.
    public static func < (left: PrimaryKey, right: PrimaryKey) -> Bool {
        switch (left, right) {
        case (.int64(let l), .int64(let r)): l < r
        case (.varchar(let l), .varchar(let r)): l.lexicographicallyPrecedes(r)
        case (.int64, .varchar): true
        case (.varchar, .int64): false
        }
    }
}

extension PrimaryKey: CustomStringConvertible {
    public var description: String {
        switch self {
        case .int64(let value): "\(value)"
        case .varchar(let bytes): String(decoding: bytes, as: UTF8.self).debugDescription
        }
    }
}

/// Keys above `after` up to and including `through`; nil is open. Half-open on this side because
/// a cursor moves by "everything after the last key that I have".
public struct KeyRange: Hashable, Sendable, Codable {
    public var after: PrimaryKey?
    public var through: PrimaryKey?

    public init(after: PrimaryKey? = nil, through: PrimaryKey? = nil) {
        self.after = after
        self.through = through
    }

    public static let all = KeyRange()

    public func contains(_ key: PrimaryKey) -> Bool {
        if let after, key <= after { return false }
        if let through, key > through { return false }
        return true
    }
}
