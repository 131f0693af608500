import ArgumentParser
import StopoverCore

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of migration.yaml, for editors.",
        discussion: """
            In an editor that knows YAML, put `stopover schema > migration.schema.json` beside the \
            file, and `# yaml-language-server: $schema=migration.schema.json` in its first line.
            """)

    @Flag(help: "Print the documentation of migration.yaml instead, as Markdown.")
    var markdown = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let text = markdown ? ConfigurationPage.text : JSONSchema.text
            // The console ends every line, the last one too.
            try console.result(
                "schema", SchemaReport(text: text), lines: [String(text.dropLast())])
        }
    }
}

private struct SchemaReport: Encodable {
    var text: String
}
