import Foundation
import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

@Suite("TLS", .timeLimit(.minutes(2)))
struct TLSTests {
    /// An authority, a server's certificate for `localhost` and `milvus.test`, a client's, and one
    /// that another authority signed.
    private struct Certificates {
        let scratch: Scratch
        func path(_ name: String) -> String { scratch.path + "/" + name }

        init() async throws {
            scratch = try Scratch()
            for authority in ["ca", "other-ca"] {
                try await openssl([
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=\(authority)", "-keyout", path("\(authority).key"), "-out",
                    path("\(authority).pem"),
                ])
            }
            try await sign("server", by: "ca", "DNS:localhost,DNS:milvus.test")
            try await sign("client", by: "ca", "DNS:client")
            try await sign("stranger", by: "other-ca", "DNS:client")
        }

        private func sign(_ name: String, by authority: String, _ names: String) async throws {
            try await openssl([
                "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout",
                path("\(name).key"), "-out", path("\(name).csr"),
            ])
            let extensions = try scratch.write("subjectAltName=\(names)\n", to: "\(name).ext")
            try await openssl([
                "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"),
                "-CAkey", path("\(authority).key"), "-CAcreateserial", "-days", "2", "-extfile",
                extensions, "-out", path("\(name).pem"),
            ])
        }

        private func openssl(_ arguments: [String]) async throws {
            let ended = try await Running("/usr/bin/openssl", arguments, in: scratch).ended()
            try #require(ended.status == 0, "\(arguments): \(ended)")
        }

        func server(wantsClients: Bool) -> MilvusTwin.Options {
            var options = MilvusTwin.Options()
            options.tls = .init(
                certificatePath: path("server.pem"), keyPath: path("server.key"),
                clientAuthorityPath: wantsClients ? path("ca.pem") : nil)
            return options
        }

        func client(
            authority: String = "ca", name: String? = nil, certificate: String? = nil
        ) -> MilvusEndpoint.TLS {
            MilvusEndpoint.TLS(
                authorityPath: path("\(authority).pem"),
                certificatePath: certificate.map { path("\($0).pem") },
                keyPath: certificate.map { path("\($0).key") }, serverName: name)
        }
    }

    /// What a server says of itself by `tls`; throws what its refusal is called.
    private func identity(
        _ twin: MilvusTwin, host: String = "localhost", _ tls: MilvusEndpoint.TLS?
    ) async throws -> String {
        let endpoint = MilvusEndpoint(host: host, port: twin.port, tls: tls)
        return try await MilvusCluster.withCluster(endpoint) { try await $0.identity().version }
    }

    private func expectRefusal(
        _ twin: MilvusTwin, host: String = "localhost", _ tls: MilvusEndpoint.TLS?,
        _ location: SourceLocation = #_sourceLocation
    ) async {
        let error = await #expect(throws: StopoverError.self, sourceLocation: location) {
            try await identity(twin, host: host, tls)
        }
        #expect(error?.code == .clusterUnreachable, sourceLocation: location)
    }

    @Test("one-way: the server's certificate is checked, by its authority and its name")
    func oneWay() async throws {
        let files = try await Certificates()
        let options = files.server(wantsClients: false)
        try await MilvusTwin.with(options) { (twin) async throws -> Void in
            #expect(try await identity(twin, files.client()) == options.version)
            #expect(
                try await identity(twin, host: "127.0.0.1", files.client(name: "milvus.test"))
                    == options.version)
            await expectRefusal(twin, files.client(authority: "other-ca"))
            await expectRefusal(twin, files.client(name: "elsewhere.test"))
            await expectRefusal(twin, nil)
        }
    }

    @Test("mutual: the server takes clients of its authority alone")
    func mutual() async throws {
        let files = try await Certificates()
        let options = files.server(wantsClients: true)
        try await MilvusTwin.with(options) { (twin) async throws -> Void in
            #expect(
                try await identity(twin, files.client(certificate: "client")) == options.version)
            await expectRefusal(twin, files.client())
            await expectRefusal(twin, files.client(certificate: "stranger"))
        }
    }
}
