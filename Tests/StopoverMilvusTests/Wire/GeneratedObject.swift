import StopoverCore

@testable import StopoverMilvus

/// A JSON object as somebody might have written it, and what it says.
struct GeneratedObject: Sendable {
    enum Value: Hashable, Sendable {
        case null
        case bool(Bool)
        /// As written.
        case number(String)
        case text(String)
        /// An array or an object, as written.
        case nested(String)
    }

    struct Member: Sendable {
        var key: String
        var value: Value
        /// The value as written.
        var written: String
        /// Key and value with the blanks around them, from comma to comma.
        var segment: String
    }

    /// In the order they are written in; a key may come twice.
    var members: [Member]
    private var before: String
    private var after: String

    /// Keys that tests promote, and others that look like them.
    static let promoted = ["color", "é", "size", "a\"b", "👍🏽", "k"]
    static let others = ["colour", "colo", "e", "\\", "K", "", "a", "other", "中文", "$meta.x"]

    init(_ random: inout WireRandom) {
        var members: [Member] = []
        for _ in 0..<random.int(0...7) {
            let names = random.chance(50) ? GeneratedObject.promoted : GeneratedObject.others
            members.append(GeneratedObject.member(random.pick(names), &random))
        }
        if random.chance(10), let twice = members.last?.key {
            members.insert(GeneratedObject.member(twice, &random), at: 0)
        }
        self.members = members
        before = GeneratedObject.blank(&random)
        after = GeneratedObject.blank(&random)
    }

    var text: String { text(without: []) }
    var bytes: [UInt8] { Array(text.utf8) }

    /// As it is written, but for some keys and the commas that they leave.
    func text(without keys: Set<String>) -> String {
        let kept = members.filter { !keys.contains($0.key) }.map(\.segment)
        return before + "{" + kept.joined(separator: ",") + "}" + after
    }

    /// What counts of a key: its last value.
    func member(_ key: String) -> Member? { members.last { $0.key == key } }

    private static func member(_ key: String, _ random: inout WireRandom) -> Member {
        let (value, written) = value(&random)
        let segment =
            blank(&random) + quoted(key, &random) + blank(&random) + ":" + blank(&random) + written
            + blank(&random)
        return Member(key: key, value: value, written: written, segment: segment)
    }

    static func value(_ random: inout WireRandom) -> (Value, written: String) {
        switch random.int(0...9) {
        case 0: return (.null, "null")
        case 1:
            let flag = random.chance(50)
            return (.bool(flag), "\(flag)")
        case 2...4:
            let number = number(&random)
            return (.number(number), number)
        case 5...7:
            let text = random.text()
            return (.text(text), quoted(text, &random))
        default:
            let text = nested(depth: 0, &random)
            return (.nested(text), text)
        }
    }

    private static func nested(depth: Int, _ random: inout WireRandom) -> String {
        let isObject = random.chance(50)
        let parts = (0..<random.int(0...3)).map { index in
            let inner =
                depth < 4 && random.chance(40)
                ? nested(depth: depth + 1, &random) : value(&random).written
            let key = isObject ? quoted("\(index)color", &random) + blank(&random) + ":" : ""
            return blank(&random) + key + blank(&random) + inner + blank(&random)
        }
        let joined = parts.isEmpty ? blank(&random) : parts.joined(separator: ",")
        return isObject ? "{\(joined)}" : "[\(joined)]"
    }

    private static func number(_ random: inout WireRandom) -> String {
        let fixed = [
            "0", "-0", "-0.0", "0e5", "1", "-1", "127", "128", "-128", "-129", "32767", "32768",
            "2147483647", "-2147483648", "2147483648", "9007199254740993", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1.0", "1e3",
            "1.5e1", "12.50", "1E+2", "120e-1", "125e-1", "0.1", "16777217", "3.4028235e38",
            "3.5e38", "1.00000005960464477539", "1.000000059604644775390625", "5e-324", "1e-46",
            "7.006492321624085354618e-46", "18446744073709551616", "10000000000000000000000e-3",
            "123456789012345678901234567890", "0.000000000000000000000000000001", "1e22", "1e23",
        ]
        switch random.int(0...3) {
        case 0: return random.pick(fixed)
        case 1: return "\(Int64(bitPattern: random.next()) >> Int64(random.int(0...63)))"
        case 2:
            let double = Double(bitPattern: random.next())
            return double.isFinite ? "\(double)" : "0.5"
        default:
            let digits = (0..<random.int(1...22)).map { _ in "\(random.int(0...9))" }.joined()
            let point = random.chance(50) ? ".\(random.int(0...99999))" : ""
            let exponent = random.chance(50) ? "e\(random.int(-25...25))" : ""
            return "\(random.chance(30) ? "-" : "")\(random.int(1...9))\(digits)\(point)\(exponent)"
        }
    }

    /// In quotes, each character in one of the ways that JSON allows.
    static func quoted(_ text: String, _ random: inout WireRandom) -> String {
        let short: [Unicode.Scalar: String] = [
            "\"": "\\\"", "\\": "\\\\", "/": "\\/", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n",
            "\r": "\\r", "\t": "\\t",
        ]
        let percent = random.pick([0, 0, 0, 20, 100])
        var written = "\""
        for scalar in text.unicodeScalars {
            if random.chance(percent) || (scalar.value < 0x20 && short[scalar] == nil) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: random.chance(50))
                    written += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else if let escape = short[scalar], scalar != "/" || random.chance(50) {
                written += escape
            } else {
                written.unicodeScalars.append(scalar)
            }
        }
        return written + "\""
    }

    private static func blank(_ random: inout WireRandom) -> String {
        random.pick(["", "", "", "", " ", "\n", "\t \r\n"])
    }
}

/// Bytes that have suffered.
enum JSONMutation {
    private static let nasty: [UInt8] =
        Array("{}[],:\"\\u0+-.eEtfn \n/".utf8) + [0, 0x1F, 0x7F, 0xFF]

    static func mutate(_ bytes: [UInt8], _ random: inout WireRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.int(1...3) {
            let byte = random.chance(80) ? random.pick(nasty) : UInt8(random.int(0...255))
            let place = random.int(0...bytes.count)
            switch random.int(0...4) {
            case 0: bytes.insert(byte, at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.removeLast(random.int(0...min(bytes.count, 9)))
            case 3 where place < bytes.count: bytes.insert(contentsOf: bytes[place...], at: place)
            case _ where place < bytes.count: bytes[place] = byte
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}

/// Columns of dynamic fields, and what becomes of them.
enum DynamicColumn {
    /// - Parameter rows: nil is a null.
    static func column(_ rows: [[UInt8]?]) -> Column {
        var payload: [UInt8] = []
        for row in rows { if let row { payload.append(field: 1, bytes: row) } }
        return ColumnForm(
            name: CollectionSchema.dynamicFieldName, type: .json, layout: .records, dataField: 9,
            isDynamic: true, valid: rows.contains(nil) ? rows.map { $0 == nil ? 0 : 1 } : nil
        ).column(payload[...])
    }

    static func column(_ rows: String...) -> Column { column(rows.map { Array($0.utf8) }) }
}
