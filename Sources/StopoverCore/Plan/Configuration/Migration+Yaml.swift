import Foundation

extension Migration {
    /// Reads and checks a migration.yaml. Resolves no secret, asks no cluster.
    /// - Throws: one error for all problems of the file (`STO-CONFIG-…`, exit status 2); every line
    ///   of its message begins with `file:line:column:`.
    public init(contentsOf file: String) throws(StopoverError) {
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw StopoverError(
                .configFile, "cannot open \(file.singleLine)",
                remedy: "Check the path; `stopover plan PATH` takes the migration.yaml to read.",
                cause: String(cString: strerror(errno)))
        }
        defer { try? handle.close() }
        let bytes: Data
        do {
            bytes = try handle.read(upToCount: YamlText.longestBytes + 1) ?? Data()
        } catch {
            throw StopoverError(
                .configFile, "cannot read \(file.singleLine)",
                remedy: "Check that it is a file and that this user may read it.")
        }
        guard bytes.count <= YamlText.longestBytes else {
            throw StopoverError(
                .configFile,
                "\(file.singleLine) is larger than \(ByteCount(Int64(YamlText.longestBytes)))",
                remedy: "Name the migration.yaml; patterns such as \"shop.*\" keep it short.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StopoverError(
                .configYaml, "\(file.singleLine):1:1: the file is not UTF-8 text",
                remedy: "Save it as UTF-8.")
        }
        try self.init(yaml: text, file: file)
    }

    /// As ``init(contentsOf:)``, of text that came from elsewhere.
    /// - Parameter file: the name for messages; its directory is where relative paths begin.
    public init(yaml: String, file: String) throws(StopoverError) {
        let (migration, problems) = Migration.read(yaml: yaml, file: file)
        if let error = StopoverError(problems) { throw error }
        guard let migration else {
            throw StopoverError(
                .configYaml, "\(file.singleLine):1:1: the file is empty", remedy: "Write it.")
        }
        self = migration
    }

    /// The migration, when nothing is wrong, and else everything that is.
    public static func read(yaml: String, file: String) -> (Migration?, [ConfigProblem]) {
        var reader = ConfigReader(file: file)
        let root: ConfigNode?
        do {
            root = try YamlText.parse(yaml) { (node) throws(YamlText.Fault) in
                reader.read(root: node)
            }
        } catch {
            reader.report(
                .configYaml, at: error.position, error.message, remedy: error.remedy)
            return (nil, reader.problems)
        }
        var builder = MigrationBuilder(reader: reader)
        let migration = root.flatMap { builder.migration($0, file: file) }
        let problems = builder.reader.problems
        return (problems.isEmpty ? migration : nil, problems)
    }
}
