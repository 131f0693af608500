import Testing

@testable import StopoverCore

@Suite("The plans of two clusters")
struct ClusterPlanTests {
    private static let allowed: [ClusterPlan: Set<ClusterPlan>] = [
        .free: [.dedicated, .selfHosted],
        .serverless: [.serverless, .dedicated, .selfHosted],
        .dedicated: [.dedicated, .selfHosted],
        .selfHosted: Set(ClusterPlan.allCases),
    ]

    @Test(
        "allow a migration, or refuse it with a way out", arguments: ClusterPlan.allCases,
        ClusterPlan.allCases)
    func pairs(_ source: ClusterPlan, _ target: ClusterPlan) {
        let findings = ClusterPlanRules.findings(from: source, to: target)
        #expect(findings.isEmpty == (Self.allowed[source]?.contains(target) == true))
        for finding in findings {
            #expect(finding.severity == .refusal)
            #expect(finding.code == "STO-PLAN-CLUSTER-PLAN")
            #expect(!finding.remedy.isEmpty)
        }
    }

    @Test("send a Free cluster that would be Serverless to the console")
    func upgrade() {
        let finding = ClusterPlanRules.findings(from: .free, to: .serverless).first
        #expect(finding?.remedy.contains("Upgrade it") == true)
    }

    @Test(
        "are guessed from the names of hosts",
        arguments: [
            ("http://127.0.0.1:19530", ClusterPlan.selfHosted),
            ("https://milvus.example.com", .selfHosted),
            (
                "https://in01-0123456789abcde.aws-us-west-2.vectordb.zillizcloud.com:19530",
                .dedicated
            ),
            (
                "https://in03-0123456789abcde.serverless.gcp-us-west1.vectordb.zillizcloud.com",
                .serverless
            ),
            ("https://in03-0123456789abcde.serverless.gcp-us-west1.cloud.zilliz.com", .serverless),
            ("https://in03-0123456789abcde.api.gcp-us-west1.zillizcloud.com", .serverless),
        ])
    func guess(_ address: String, _ plan: ClusterPlan) throws {
        var endpoint = Endpoint(address: try EndpointAddress(address))
        #expect(endpoint.likelyPlan == plan)
        // Free clusters are called like Serverless ones.
        #expect(endpoint.planIsUncertain == (plan == .serverless))
        endpoint.clusterPlan = .free
        #expect(endpoint.likelyPlan == .free)
        #expect(!endpoint.planIsUncertain)
    }
}
