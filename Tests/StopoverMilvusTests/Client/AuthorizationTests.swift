import Foundation
import MilvusProto
import StopoverCore
import StopoverMilvus
import Synchronization
import Testing

@Suite("Credentials")
struct AuthorizationTests {
    @Test("go as base64 into every call")
    func header() async throws {
        let transport = ScriptedTransport([
            .getVersion: [try .message(MilvusGetVersionResponse.with { $0.version = "v2.5.1" })]
        ])
        let cluster = MilvusCluster.scripted(
            transport, credentials: .user("root", password: "Milvus"))
        _ = try await cluster.identity()
        #expect(transport.asked.last?.authorization == "cm9vdDpNaWx2dXM=")
        let open = MilvusCluster.scripted(transport)
        _ = try await open.identity()
        #expect(transport.asked.last?.authorization == nil)
    }

    @Test("are read again when the server refuses them, and the error is transient if they changed")
    func renewal() async throws {
        let tokens = Mutex(["old", "new"])
        let transport = ScriptedTransport([
            .getVersion: [
                .failure(CallFailure(.unauthenticated, "expired", wasSent: true)),
                try .message(MilvusGetVersionResponse.with { $0.version = "v2.5.1" }),
            ]
        ])
        let cluster = MilvusCluster.scripted(
            transport,
            credentials: .init { () throws(StopoverError) in
                tokens.withLock { $0.count > 1 ? $0.removeFirst() : $0.first }
            })
        let error = await #expect(throws: StopoverError.self) { try await cluster.identity() }
        #expect(error?.code == .clusterUnauthenticated)
        #expect(error?.isTransient == true)
        _ = try await cluster.identity()
        #expect(transport.asked.last?.authorization == Data("new".utf8).base64EncodedString())
    }

    @Test("that did not change make the refusal final")
    func wrongToken() async throws {
        let transport = ScriptedTransport([
            .getVersion: [
                .failure(CallFailure(.unauthenticated, "auth check failure", wasSent: true))
            ]
        ])
        let cluster = MilvusCluster.scripted(transport, credentials: .token("s3cret"))
        let error = await #expect(throws: StopoverError.self) { try await cluster.identity() }
        #expect(error?.isTransient == false)
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test("never show in a description or a dump")
    func redacted() {
        let endpoint = MilvusEndpoint(host: "db", credentials: .token("s3cret"))
        var dumped = ""
        dump(endpoint, to: &dumped)
        #expect(!dumped.contains("s3cret"))
        #expect(!"\(endpoint)".contains("s3cret"))
        #expect(endpoint.address == "http://db:19530")
    }
}
