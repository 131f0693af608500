import Foundation
import StopoverTesting

/// Docs/conformance.md, whose last section is the table of known differences.
struct ConformancePage {
    static let path = Clone.root + "Docs/conformance.md"
    private static let heading = "## Known differences\n"

    private let before: Substring
    let section: String

    struct NoSection: Error {}

    init() throws {
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        guard let start = text.range(of: Self.heading) else { throw NoSection() }
        before = text[..<start.lowerBound]
        section = String(text[start.lowerBound...])
    }

    func write(_ section: String) throws {
        try "\(before)\(section)".write(toFile: Self.path, atomically: true, encoding: .utf8)
    }

    /// The section that the table in code makes.
    static var section: String {
        let rows = KnownDifference.all.map { known in
            "| \(known.behaviour) | \(known.server.rawValue) | \(cell(known.answer)) "
                + "| \(known.reason) |\n"
        }
        return heading
            + """

            | behaviour | server | its answer | why that is no harm, or which rule of ours knows it |
            |---|---|---|---|

            """
            + rows.joined()
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: "\\n")
    }
}
