/// Lines that are drawn over themselves, with ordinary lines above them. A value: it gives the
/// bytes to write, and remembers how many lines it has to go back.
public struct LiveFrame: Hashable, Sendable {
    private var drawn = 0

    public init() {}

    /// The text that replaces the frame by `lines`. Each is cleared to its end rather than all at
    /// once, so that nothing flickers.
    public mutating func draw(_ lines: [String]) -> String {
        let text = home + lines.map { $0 + "\u{1b}[K\n" }.joined() + "\u{1b}[J"
        drawn = lines.count
        return text
    }

    /// The text that removes the frame, so that a line can be printed where it was.
    public mutating func erase() -> String {
        guard drawn > 0 else { return "" }
        let text = home + "\u{1b}[J"
        drawn = 0
        return text
    }

    private var home: String { drawn > 0 ? "\u{1b}[\(drawn)A\r" : "" }
}
