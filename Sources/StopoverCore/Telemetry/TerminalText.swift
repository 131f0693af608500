/// Text that is safe and straight on a terminal. Names come from servers and files, and may hold
/// escape sequences, line breaks, characters that turn the direction of writing, and characters
/// that are two columns wide.
enum TerminalText {
    /// Columns that `text` takes. Needs text that is ``escaped(_:)``.
    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.value < 0x7F { return 1 }
        if character.unicodeScalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
        if first.properties.isEmojiPresentation || isWide(first.value) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }

    /// The ranges of East Asian Width W and F that names are made of; emoji are asked for above.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18CFF,
            0x1B000...0x1B2FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }

    /// Control, format and separator characters in the notation of Swift, the rest as it is.
    static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: mustBeEscaped) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where mustBeEscaped(scalar):
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        // The joiner of emoji is a format character and harmless.
        case .format: return scalar.value != 0x200D
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            return true
        default: return false
        }
    }

    /// At most `columns` wide; what is cut ends in `…`.
    static func truncated(_ text: String, to columns: Int) -> String {
        if width(text) <= columns { return text }
        var result = ""
        var used = 0
        for character in text {
            let wide = width(character)
            if used + wide > columns - 1 { break }
            result.append(character)
            used += wide
        }
        return columns > 0 ? result + "…" : ""
    }

    /// Exactly `columns` wide.
    static func padded(_ text: String, to columns: Int, right: Bool = false) -> String {
        let cut = truncated(text, to: columns)
        let space = String(repeating: " ", count: max(columns - width(cut), 0))
        return right ? space + cut : cut + space
    }
}

extension String {
    /// Short, escaped, in backticks: for a message that must name what a user wrote.
    var quotedForMessage: String {
        "`\(TerminalText.truncated(TerminalText.escaped(self), to: 40))`"
    }

    /// Escaped, so that it is one line wherever it is printed.
    var singleLine: String { TerminalText.escaped(self) }
}
