/// A page of HTML that needs nothing but itself.
enum HTML {
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    /// A table with a head; cells are escaped here.
    static func table(_ heads: [String], _ rows: [[String]]) -> String {
        "<table><tr>" + heads.map { "<th>\(escaped($0))</th>" }.joined() + "</tr>\n"
            + rows.map { "<tr>" + $0.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>" }
            .joined(separator: "\n") + "</table>"
    }

    static func list(_ items: [String]) -> String {
        items.isEmpty
            ? ""
            : "<ul>" + items.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n") + "</ul>"
    }
}
