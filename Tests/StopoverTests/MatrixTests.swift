import Foundation
import StopoverTesting
import Testing

/// Every type, in every variant, over every route between two kinds of real servers.
///
/// `matrix_run.py` seeds, migrates by the real binary, compares row by row and writes the page; a
/// cell that differs or fails ends it with status 1.
@Suite("The matrix of types, variants and routes")
struct MatrixTests {
    /// Measured: 3½ minutes on two cores, most of it 2.3.5 loading collections.
    private static let limit = Duration.seconds(900)

    @Test("has no cell that differs or fails, and Docs/compatibility.md says what it found")
    func everyCell() async throws {
        let scratch = try Scratch()
        let lite = [try await RealServer(.lite3), try await RealServer(.lite3)]
        let standalone = [try await RealServer(.standalone), try await RealServer(.standalone)]
        let page = scratch.path + "/compatibility.md"
        let ended = try await Running(
            Clone.python,
            [
                Clone.root + "Tests/Fixtures/python/matrix_run.py", "--tool", Clone.binary,
                "--lite3", lite[0].uri, lite[1].uri,
                "--standalone", standalone[0].uri, standalone[1].uri,
                "--work", scratch.path + "/work", "--page", page, "--own", CompatibilityPage.path,
            ], in: scratch
        ).ended(within: Self.limit)
        #expect(ended.status == 0, "\(ended)")

        let found = try String(contentsOfFile: page, encoding: .utf8)
        let committed = try String(contentsOfFile: CompatibilityPage.path, encoding: .utf8)
        // Line by line, so that a failure shows the cell and not two pages.
        let difference = found.split(separator: "\n")
            .difference(from: committed.split(separator: "\n"))
        #expect(difference.isEmpty, "run Scripts/compatibility and read what changed")
        // The servers live until here: their fields are what stops them.
        withExtendedLifetime((lite, standalone)) {}
    }
}
