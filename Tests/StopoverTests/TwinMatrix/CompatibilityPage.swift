import Foundation
import StopoverTesting

/// Docs/compatibility.md: what the tables of the real servers say, and the section of ours.
struct CompatibilityPage {
    static let path = Clone.root + "Docs/compatibility.md"
    private static let heading = "## Our server → our server\n"
    private static let next = "## Reasons\n"

    private let before: Substring
    let section: String
    private let after: Substring

    struct NoSection: Error {}

    init() throws {
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        guard let start = text.range(of: Self.heading),
            let end = text.range(of: Self.next, range: start.upperBound..<text.endIndex)
        else { throw NoSection() }
        before = text[..<start.lowerBound]
        section = String(text[start.lowerBound..<end.lowerBound])
        after = text[end.lowerBound...]
    }

    func write(_ section: String) throws {
        try "\(before)\(section)\(after)".write(
            toFile: Self.path, atomically: true, encoding: .utf8)
    }

    /// Every cell that arrives on a route between real servers.
    var arrivesForReal: Set<MatrixCellName> {
        var found: Set<MatrixCellName> = []
        for line in before.split(separator: "\n") where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == MatrixVariant.allCases.count + 1 else { continue }
            for (variant, cell) in zip(MatrixVariant.allCases, cells.dropFirst())
            where cell.hasPrefix("=") {
                found.insert(.init(cells[0], variant))
            }
        }
        return found
    }

    /// The section that these verdicts make.
    func section(_ verdicts: [MatrixCellName: MatrixVerdict]) -> String {
        let real = arrivesForReal
        var notes: [String] = []
        func note(_ text: String) -> String {
            if !notes.contains(text) { notes.append(text) }
            let number = notes.firstIndex(of: text) ?? 0
            return "<sup>\(UnicodeScalar(UInt8(ascii: "a") + UInt8(number)))</sup>"
        }
        let rows = MatrixType.all.map { type in
            let cells = MatrixVariant.allCases.map { variant in
                let name = MatrixCellName(type, variant)
                switch verdicts[name] {
                case .arrived: return real.contains(name) ? "=" : "=°"
                case .noValue: return "·"
                case .sourceRefuses(let reason): return "–" + note(reason)
                case .failed(let reason): return "**FAILED**" + note(reason)
                case nil: return "**MISSING**"
                }
            }
            return "| \(type.name) | \(cells.joined(separator: " | ")) |\n"
        }
        let variants = MatrixVariant.allCases.map(\.rawValue)
        let reasons = notes.enumerated().map { number, text in
            "* \(UnicodeScalar(UInt8(ascii: "a") + UInt8(number))): \(text)\n"
        }
        return """
            \(Self.heading)
            Between two servers of our own (`Sources/StopoverTesting/MilvusTwin`), which say that they
            are \(TwinMatrixTests.version): for what neither real server here can hold. Rows are written as
            messages of swift-protobuf, and migrated by `stopover run` in pages of three rows; every Insert
            that the target took is decoded by swift-protobuf and compared with what was written, row by row
            and field by field, as bytes (`TwinMatrixTests`). Our server refuses much of what Milvus's
            sources say that Milvus refuses; what it takes is only what we know of Milvus.

            * **=°** : it arrives, and is **not yet run on a server that is not ours**: no route between
              real servers, above, shows this cell.

            | type | \(variants.joined(separator: " | ")) |
            |---|\(variants.map { _ in "---|" }.joined())
            \(rows.joined())
            \(reasons.joined())

            """
    }
}
