import Foundation
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@Suite("stopover bench")
struct BenchTests {
    private static let name = CollectionName(collection: "rows")

    @Test("measures either side and both, says what limits, and leaves nothing on the target")
    func measures() async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [Self.name: MilvusTwin.Generated(rows: 20_000)]
        try await MilvusTwin.with(from) { source in
            try await MilvusTwin.with(MilvusTwin.Options()) { target in
                let file = try tool.migration(
                    """
                    source: {uri: "\(source.uri)"}
                    target: {uri: "\(target.uri)"}
                    """)
                let page = tool.scratch.path + "/bench.html"
                let ended = try await tool.run([
                    "bench", file, "--seconds", "0.3", "--requests", "1,2", "--json", "--html",
                    page,
                ])
                #expect(ended.status == 0, "\(ended)")
                let samples = try #require(ended.object["samples"] as? [[String: Any]], "\(ended)")
                #expect(
                    samples.map { $0["side"] as? String } == [
                        "source", "source", "target", "target", "both",
                    ])
                // On a busy machine a migration may not come to its first row in so short a time.
                for sample in samples.dropLast() {
                    #expect((sample["rows"] as? Int ?? 0) > 0, "\(sample)")
                }
                #expect(ended.object["verdict"] is [String: Any])
                let html = try String(contentsOfFile: page, encoding: .utf8)
                #expect(html.contains("<svg") && !html.contains("http"))
                let alone = try await tool.run([
                    "bench", file, "--seconds", "0.3", "--requests", "2", "--side", "target",
                    "--json",
                ])
                #expect(
                    (alone.object["samples"] as? [[String: Any]])?.map { $0["side"] as? String }
                        == ["target"], "\(alone)")
                let left = try await MilvusCluster.withCluster(target.endpoint) {
                    try await $0.collections(in: "default")
                }
                #expect(left == [])
            }
        }
    }

    @Test("refuses a collection that the migration does not have")
    func unknown() async throws {
        let tool = try Tool()
        var from = MilvusTwin.Options()
        from.generated = [Self.name: MilvusTwin.Generated(rows: 10)]
        try await MilvusTwin.with(from) { source in
            let file = try tool.migration(
                """
                source: {uri: "\(source.uri)"}
                target: {uri: "\(source.uri)"}
                collections: [{source: rows, target: copies}]
                """)
            let ended = try await tool.run(["bench", file, "--collection", "nobody"])
            #expect(ended.status == 64 && ended.errors.contains("STO-BENCH-COLLECTION"), "\(ended)")
            #expect(ended.errors.contains("default.rows"), "\(ended)")
        }
    }
}
