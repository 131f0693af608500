import Foundation
import StopoverCore
import Testing

@Suite("The page on migration.yaml")
struct ConfigurationPageTests {
    /// The indented lines under a heading or after a line, as a file.
    private func block(after line: String) throws -> String {
        let start = try #require(ConfigurationPage.text.range(of: line)).upperBound
        let lines = ConfigurationPage.text[start...].split(
            separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { !$0.hasPrefix("    ") }.prefix { $0.hasPrefix("    ") }
            .map { $0.dropFirst(4) }.joined(separator: "\n")
    }

    @Test("is the one in Docs")
    func committed() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "Docs/configuration.md"), encoding: .utf8)
        #expect(
            page == ConfigurationPage.text, "stopover schema --markdown > Docs/configuration.md")
    }

    @Test("has every key in a table, with its meaning")
    func complete() {
        for key in ConfigKey.all where !key.path.hasSuffix("*") && key.path != "target.new" {
            let rows = ConfigurationPage.text.split(separator: "\n")
                .filter { $0.hasPrefix("| `\(key.name)` |") }
            #expect(rows.contains { $0.contains(key.summary) }, "\(key.path)")
        }
        #expect(ConfigurationPage.text.contains("## target.new\n"))
    }

    @Test("has tables of four cells, and lines that can be read in a terminal")
    func tables() {
        for row in ConfigurationPage.text.split(separator: "\n") where row.hasPrefix("|") {
            #expect(row.count { $0 == "|" } == 5, "\(row)")
        }
        for line in ConfigurationPage.text.split(separator: "\n") where !line.hasPrefix("|") {
            #expect(line.count <= 100 && !line.hasSuffix(" "), "\(line)")
        }
    }

    @Test("has examples that are valid")
    func examples() throws {
        let least = try Migration(yaml: try block(after: "is migrated as it is."), file: "m.yaml")
        #expect(least.rules == [CollectionRule(source: .everything)])
        let full = try Migration(yaml: try block(after: "## All keys in one file"), file: "m.yaml")
        #expect(full.rules.count == 3 && full.excluded.count == 1)
        #expect(full.rules[0].mapping.keepKeyAs == "source_id")
    }

    @Test("has an example of every key that this version carries out")
    func exampleIsFull() throws {
        let example = try block(after: "## All keys in one file")
        let words = Set(example.split { !($0.isLetter || $0 == "_") }.map(String.init))
        for key in ConfigKey.all
        where !key.path.hasSuffix("*") && !key.path.hasPrefix("target.new") {
            #expect(words.contains(key.name), "\(key.path)")
        }
    }

    @Test("shows a mistake as the parser answers it")
    func mistake() throws {
        let answer = try block(after: "` gets")
        #expect(answer.hasPrefix("STO-CONFIG-VALUE: migration.yaml:4:"))
        #expect(answer.contains("Did you mean `auto_id: keep`?"))
    }
}
