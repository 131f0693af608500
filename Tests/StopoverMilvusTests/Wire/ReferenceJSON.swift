import Foundation

/// JSON as Foundation reads it.
indirect enum FoundationJSON: Equatable {
    case null
    case bool(Bool)
    case number(Digits)
    case text(String)
    case array([FoundationJSON])
    case object([String: FoundationJSON])

    /// A number by its digits: on Linux it may be a Decimal, which equals no double.
    struct Digits: Equatable {
        var text: String

        static func == (left: Digits, right: Digits) -> Bool {
            if let left = Int64(left.text), let right = Int64(right.text) { return left == right }
            return Double(left.text) == Double(right.text)
        }
    }

    /// nil for what Foundation does not read.
    static func value(_ bytes: [UInt8]) -> FoundationJSON? {
        let value = try? JSONSerialization.jsonObject(
            with: Data(bytes), options: .fragmentsAllowed)
        return value.map(FoundationJSON.init)
    }

    static func object(_ bytes: [UInt8]) -> [String: FoundationJSON]? {
        guard case .object(let object) = value(bytes) else { return nil }
        return object
    }

    static func number(_ number: some CustomStringConvertible) -> FoundationJSON {
        .number(Digits(text: number.description))
    }

    private init(_ value: Any) {
        switch value {
        case let text as String: self = .text(text)
        case let array as [Any]: self = .array(array.map(FoundationJSON.init))
        case let object as [String: Any]: self = .object(object.mapValues(FoundationJSON.init))
        case let number as NSNumber:
            // Of a char, as Objective-C has its booleans.
            let isBool = String(cString: number.objCType) == "c"
            self = isBool ? .bool(number.boolValue) : .number(number.stringValue)
        default: self = .null
        }
    }
}

/// RFC 8259, rule by rule.
struct JSONGrammar {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func isObject(_ bytes: [UInt8]) -> Bool {
        bytes.first { !" \n\r\t".utf8.contains($0) } == UInt8(ascii: "{")
    }

    /// Where not, `position` is the first byte that fits no rule.
    mutating func isJSON() -> Bool {
        blanks()
        guard value() else { return false }
        blanks()
        return position == bytes.count
    }

    private mutating func value() -> Bool {
        switch peek {
        case "{": return list("}") { $0.text() && $0.colon() && $0.value() }
        case "[": return list("]") { $0.value() }
        case "\"": return text()
        case "t": return word("true")
        case "f": return word("false")
        case "n": return word("null")
        default: return number()
        }
    }

    private mutating func list(
        _ end: Character, _ element: (inout JSONGrammar) -> Bool
    ) -> Bool {
        position += 1
        blanks()
        if take(end) { return true }
        while true {
            blanks()
            guard element(&self) else { return false }
            blanks()
            if take(end) { return true }
            guard take(",") else { return false }
        }
    }

    private mutating func colon() -> Bool {
        blanks()
        guard take(":") else { return false }
        blanks()
        return true
    }

    private mutating func text() -> Bool {
        guard take("\"") else { return false }
        while position < bytes.count, bytes[position] >= 0x20 {
            if take("\"") { return true }
            if take("\\") {
                if take("u") {
                    for _ in 0..<4 {
                        guard let digit = peek, digit.isASCII, digit.isHexDigit else {
                            return false
                        }
                        position += 1
                    }
                } else {
                    guard let escaped = peek, "\"\\/bfnrt".contains(escaped) else { return false }
                    position += 1
                }
            } else {
                position += 1
            }
        }
        return false
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0"), !digits() { return false }
        if take("."), !digits() { return false }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            return digits()
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = position
        while let digit = peek, "0123456789".contains(digit) { position += 1 }
        return position > start
    }

    private mutating func word(_ word: String) -> Bool { word.allSatisfy { take($0) } }

    private mutating func blanks() { while take(" ") || take("\n") || take("\r") || take("\t") {} }

    private var peek: Character? {
        position < bytes.count ? Character(Unicode.Scalar(bytes[position])) : nil
    }

    private mutating func take(_ character: Character) -> Bool {
        guard peek == character else { return false }
        position += 1
        return true
    }
}
