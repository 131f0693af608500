extension Sequence<UInt8> {
    /// Two lower-case digits a byte.
    var hex: String {
        var text = ""
        for byte in self { text += (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return text
    }
}
