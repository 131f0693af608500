/// Something wrong with migration.yaml, and where.
public struct ConfigProblem: Hashable, Sendable {
    public var code: StopoverError.Code
    public var file: String
    public var position: ConfigPosition
    public var message: String
    public var remedy: String

    /// Several problems are told together, so that a file is not corrected one error a run; but
    /// not more than a person reads.
    public static let most = 20

    /// `migration.yaml:3:10: the address has no valid host name`, as editors and CI understand it.
    public var line: String { "\(file):\(position): \(message)" }
}

/// Line and column, from 1. Columns count Unicode scalars.
public struct ConfigPosition: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static let start = ConfigPosition(line: 1, column: 1)

    public static func < (left: ConfigPosition, right: ConfigPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    public var description: String { "\(line):\(column)" }
}

extension StopoverError {
    /// One error for all problems of a file, in the order of the file; nil when there are none.
    init?(_ problems: [ConfigProblem]) {
        let sorted = problems.sorted { $0.position < $1.position }
        guard let first = sorted.first else { return nil }
        guard sorted.count > 1 else {
            self.init(first.code, first.line, remedy: first.remedy)
            return
        }
        var lines = sorted.prefix(ConfigProblem.most).map {
            "\($0.line) (\($0.code.rawValue))\n  → \($0.remedy)"
        }
        if sorted.count > ConfigProblem.most {
            lines.append("… and \(sorted.count - ConfigProblem.most) more")
        }
        self.init(
            first.code, lines.joined(separator: "\n"),
            remedy: "Correct these in \(first.file), then run the same command again.")
    }
}

extension StopoverError.Code {
    public static let configFile = Self("STO-CONFIG-FILE", exit: .refused)
    public static let configYaml = Self("STO-CONFIG-YAML", exit: .refused)
    public static let configUnknownKey = Self("STO-CONFIG-UNKNOWN-KEY", exit: .refused)
    public static let configMissingKey = Self("STO-CONFIG-MISSING-KEY", exit: .refused)
    public static let configValue = Self("STO-CONFIG-VALUE", exit: .refused)
    public static let configLiteralSecret = Self("STO-CONFIG-LITERAL-SECRET", exit: .refused)
    public static let configNotYet = Self("STO-CONFIG-NOT-YET", exit: .refused)
}
