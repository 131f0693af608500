import Testing

@testable import StopoverCore

@Suite("A staging name")
struct StagingNameTests {
    @Test("of the newest epoch is the job's, whatever a request delivered twice made beside it")
    func generations() async throws {
        let name = CollectionName(collection: "articles")
        let source = FakeCluster(.sample(2, 6), [.articles()])
        let plan = try await Planner(source: source, target: FakeCluster()).plan(
            [TransferRequest(source: name, target: name, mapping: .sample { _ in })],
            fingerprint: "f")
        let staging = StagingName(try #require(plan.transfers.first), jobTag: "0a1b2c3d")
        func made(_ names: [CollectionName]) -> FakeCluster {
            FakeCluster(
                .sample(2, 6), names.map { name in .articles { $0.name = name } })
        }
        let others = [
            name, staging.replaced,
            CollectionName(collection: "articles__stopover_ffffffff_e99"),
            CollectionName(collection: "articles__stopover_0a1b2c3d_ex"),
        ]
        let epochs = [1, 28, 3].map(staging.name(epoch:))
        let found = try await staging.generations(on: made(others + epochs))
        #expect(found == [28, 3, 1].map(staging.name(epoch:)))
        #expect(try await staging.generations(on: made(others)) == [])
    }
}
