import Foundation
import StopoverCore
import StopoverMilvus
import Testing

@testable import StopoverTesting

@Suite("A connection")
struct ConnectionTests {
    @Test("to a port where nobody listens fails at once, with the address and not with a wait")
    func refused() async throws {
        let endpoint = MilvusEndpoint(host: "127.0.0.1", port: 1)
        try await MilvusCluster.withCluster(endpoint) { cluster in
            for _ in 0..<3 {
                let begun = ContinuousClock.now
                let error = await #expect(throws: StopoverError.self) {
                    try await cluster.identity()
                }
                #expect(ContinuousClock.now - begun < .seconds(25))
                #expect(error?.code == .clusterUnreachable)
                #expect(error?.isTransient == true)
                #expect(error?.message.contains(endpoint.address) == true)
            }
        }
    }

    @Test("to a server that takes it and says nothing is given up before the call's deadline")
    func silent() async throws {
        // Nobody accepts: the kernel takes connections, and no byte ever comes.
        let (listener, port) = try LoopbackSocket.listening()
        defer { withExtendedLifetime(listener) {} }
        let endpoint = MilvusEndpoint(host: "127.0.0.1", port: port)
        try await MilvusCluster.withCluster(endpoint, connections: 1) { cluster in
            let begun = ContinuousClock.now
            let error = await #expect(throws: StopoverError.self) { try await cluster.databases() }
            #expect(error?.isTransient == true)
            #expect(ContinuousClock.now - begun < CallClass.control.deadline - .seconds(5))
        }
    }

    @Test("to a name that does not resolve says so")
    func unknownName() async throws {
        let endpoint = MilvusEndpoint(host: "no-such-host.invalid", port: 19530)
        try await MilvusCluster.withCluster(endpoint) { cluster in
            let error = await #expect(throws: StopoverError.self) { try await cluster.identity() }
            #expect(error?.code == .clusterUnreachable)
        }
    }

    @Test("with a certificate that is not there is refused before anything is sent")
    func missingCertificate() {
        let endpoint = MilvusEndpoint(
            host: "127.0.0.1", tls: .init(authorityPath: "/nonexistent/ca.pem"))
        let error = #expect(throws: StopoverError.self) {
            try MilvusCluster(endpoint)
        }
        #expect(error?.code == .clusterTLS)
    }

    @Test("by TLS to a server in the clear fails and does not hang")
    func wrongScheme() async throws {
        try await RealServer.with(.lite3) { server in
            var endpoint = server.endpoint
            endpoint.tls = .init()
            try await MilvusCluster.withCluster(endpoint) { cluster in
                let begun = ContinuousClock.now
                let error = await #expect(throws: StopoverError.self) {
                    try await cluster.identity()
                }
                #expect(error?.code == .clusterUnreachable)
                #expect(ContinuousClock.now - begun < .seconds(60))
            }
        }
    }

    @Test("that is lost fails fast, and comes back by itself")
    func reconnects() async throws {
        try await RealServer.with(.lite3) { server in
            try await MilvusCluster.withCluster(server.endpoint) {
                cluster in
                #expect(try await cluster.identity().kind == .lite)
                try await server.control("kill")
                for _ in 0..<3 {
                    let begun = ContinuousClock.now
                    let error = await #expect(throws: StopoverError.self) {
                        try await cluster.databases()
                    }
                    #expect(error?.isTransient == true)
                    #expect(ContinuousClock.now - begun < .seconds(25))
                }
                try await server.control("restart")
                let begun = ContinuousClock.now
                while true {
                    do {
                        #expect(try await cluster.databases() == ["default"])
                        break
                    } catch let error as StopoverError where error.isTransient {
                        try #require(ContinuousClock.now - begun < .seconds(60))
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
            }
        }
    }

}
