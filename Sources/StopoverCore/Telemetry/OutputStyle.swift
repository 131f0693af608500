/// How lines for a terminal are drawn.
public struct OutputStyle: Hashable, Sendable {
    public var usesColour: Bool

    public init(usesColour: Bool) { self.usesColour = usesColour }

    public static let plain = OutputStyle(usesColour: false)

    enum Colour: String {
        case green = "32"
        case yellow = "33"
        case red = "31"
        case dim = "2"
        case bold = "1"
    }

    /// Colours a piece that has its final width already: escape sequences have none.
    func paint(_ text: String, _ colour: Colour?) -> String {
        guard usesColour, let colour else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }
}
