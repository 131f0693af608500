import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("A server's version")
struct ServerVersionTests {
    @Test(
        "is read from what servers say of themselves",
        arguments: [
            ("v2.3.5-lite", ServerIdentity.Kind.milvus, [2, 3, 5]),
            ("milvus_lite-3.2.2", .lite, [3, 2, 2]),
            ("2.5.4", .milvus, [2, 5, 4]),
            ("v2.6.0-rc1-dev", .milvus, [2, 6, 0]),
            ("Zilliz Cloud Vector Database(Compatible with Milvus 2.5)", .milvus, [2, 5]),
            ("milvus_lite", .lite, []),
            ("unknown", .unknown, []),
            ("", .unknown, []),
            ("build 7", .unknown, []),
        ])
    func parse(_ text: String, _ kind: ServerIdentity.Kind, _ numbers: [Int]) {
        let identity = ServerIdentity(reportedVersion: text)
        #expect(identity.kind == kind)
        #expect(identity.numbers == numbers)
        #expect(!identity.version.isEmpty)
    }
}
