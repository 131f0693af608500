import StopoverCore

/// The filter expression of a key range, in the subset that all servers read alike
/// (milvus-protocol.md, section 2): one comparison, or two joined by `and`.
struct KeyExpression {
    let field: String
    let type: DataType

    init(_ key: FieldSchema) {
        field = key.name
        type = key.type
    }

    /// The rows of a selection: its range of keys, and its filter.
    static func text(_ rows: RowSelection) throws(StopoverError) -> String {
        let key = KeyExpression(rows.primaryKey)
        var terms = [try key.text(rows.range)]
        if !rows.anyOf.isEmpty {
            var ranges: [String] = []
            for range in rows.anyOf { ranges.append("(\(try key.text(range)))") }
            terms.insert(ranges.joined(separator: " or "), at: 0)
        }
        if !rows.keys.isEmpty { terms.insert(try key.text(anyOf: rows.keys), at: 0) }
        if let filter = rows.filter { terms.insert(filter, at: 0) }
        guard terms.count > 1 else { return terms[0] }
        return terms.map { "(\($0))" }.joined(separator: " and ")
    }

    /// The rows that have one of these keys.
    func text(anyOf keys: [PrimaryKey]) throws(StopoverError) -> String {
        var literals: [String] = []
        for key in keys { literals.append(try literal(key)) }
        return "\(field) in [\(literals.joined(separator: ", "))]"
    }

    /// Never empty: an expression that is true for every key stands for the open range, because
    /// older servers refuse an empty one beside some parameters.
    func text(_ range: KeyRange) throws(StopoverError) -> String {
        var terms: [String] = []
        if let after = range.after { terms.append(try above(after)) }
        if let through = range.through { terms.append(try upTo(through)) }
        return terms.isEmpty ? always : terms.joined(separator: " and ")
    }

    /// Includes INT64_MIN and the key "" [measured on Lite 3.2.2 and 2.3.5].
    private var always: String {
        type == .varchar ? "\(field) >= \"\"" : "\(field) <= \(Int64.max)"
    }

    private func above(_ key: PrimaryKey) throws(StopoverError) -> String {
        // 2.3.5 reads a literal as a positive number and negates it, which INT64_MIN does not survive.
        if key == .int64(.min) { return "\(field) >= \(Int64.min + 1)" }
        return "\(field) > \(try literal(key))"
    }

    private func upTo(_ key: PrimaryKey) throws(StopoverError) -> String {
        if key == .int64(.min) { return "\(field) < \(Int64.min + 1)" }
        return "\(field) <= \(try literal(key))"
    }

    private func literal(_ key: PrimaryKey) throws(StopoverError) -> String {
        switch key {
        case .int64(let value): return String(value)
        case .varchar(let bytes): return try KeyExpression.quoted(bytes)
        }
    }

    /// Lite 3 knows no numeric escapes, and both servers take every other character raw, NUL
    /// included [measured].
    static func quoted(_ bytes: [UInt8]) throws(StopoverError) -> String {
        var escaped: [UInt8] = [UInt8(ascii: "\"")]
        escaped.reserveCapacity(bytes.count + 8)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
            case UInt8(ascii: "\""): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "\"")]
            case UInt8(ascii: "\n"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\r"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case UInt8(ascii: "\t"): escaped += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            default: escaped.append(byte)
            }
        }
        escaped.append(UInt8(ascii: "\""))
        guard let text = String(validating: escaped, as: UTF8.self) else {
            throw StopoverError(
                .keyNotUTF8,
                "the key \(PrimaryKey.varchar(bytes)) is not valid UTF-8, so rows after it cannot "
                    + "be asked for",
                remedy: "Correct or delete that row on the source, then run the same command again."
            )
        }
        return text
    }
}

extension StopoverError.Code {
    public static let keyNotUTF8 = Self("STO-SOURCE-KEY-NOT-UTF8", exit: .failed)
}
