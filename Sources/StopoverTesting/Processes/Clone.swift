import Foundation

/// Where things are in the clone that the tests were built from.
public enum Clone {
    public static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path(
            percentEncoded: false)

    /// The executable that was built beside the tests.
    public static var binary: String { binary("stopover") }

    public static func binary(_ name: String) -> String {
        Bundle.main.bundleURL.appending(path: name).path(percentEncoded: false)
    }

    public static func script(_ name: String) -> String { root + "Scripts/" + name }

    /// A Python with the official client, as `Scripts/install` made it.
    public static var python: String {
        let environment = ProcessInfo.processInfo.environment
        let tools =
            environment["STOPOVER_TOOLS"]
            ?? (environment["HOME"] ?? "/root") + "/.cache/stopover-tools"
        return tools + "/lite3/bin/python"
    }

    /// Runs a program of `Tests/Fixtures/python`.
    public static func fixture(
        _ name: String, _ arguments: [String], in scratch: Scratch,
        within limit: Duration = .seconds(300)
    ) async throws -> Ended {
        try await Running(
            python, [root + "Tests/Fixtures/python/" + name] + arguments, in: scratch
        ).ended(within: limit)
    }
}
