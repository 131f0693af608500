/// Between which plans of Zilliz Cloud a migration is possible (product.md, "Rules the plan
/// checks"). A cluster of one's own may go anywhere.
public enum ClusterPlanRules {
    public static func findings(from source: ClusterPlan, to target: ClusterPlan) -> [Finding] {
        guard let (message, remedy) = refusal(source, target) else { return [] }
        return [
            Finding(
                .refusal, code: "STO-PLAN-CLUSTER-PLAN",
                subject: "\(source.rawValue) → \(target.rawValue)", message: message,
                remedy: remedy)
        ]
    }

    /// What a guessed plan may hide.
    static func notes(on migration: Migration) -> [Finding] {
        [("source", migration.source), ("target", migration.target)]
            .filter { $0.1.planIsUncertain }
            .map { side, endpoint in
                Finding(
                    .note, code: "STO-PLAN-CLUSTER-PLAN-GUESSED", subject: "\(endpoint.address)",
                    message: "the \(side) is taken for a Serverless cluster by its host name, and "
                        + "Free clusters have such names too: if it is one, write `plan: free`")
            }
    }

    private static func refusal(
        _ source: ClusterPlan, _ target: ClusterPlan
    ) -> (String, String)? {
        switch (source, target) {
        case (.selfHosted, _), (.free, .dedicated), (.serverless, .serverless),
            (.serverless, .dedicated), (.dedicated, .dedicated), (_, .selfHosted):
            nil
        case (.free, .serverless):
            (
                "a Free cluster is not migrated to a Serverless one",
                "Upgrade it to Serverless in the console instead: its data stay where they are."
            )
        case (.free, .free):
            (
                "a Free cluster is not migrated to another one",
                "Choose a Dedicated cluster as the target."
            )
        case (.serverless, .free), (.dedicated, .free), (.dedicated, .serverless):
            (
                "a \(source.title) cluster is not migrated to a \(target.title) one",
                "Choose a \(source == .dedicated ? "Dedicated" : "Serverless or Dedicated") cluster "
                    + "as the target. If `plan:` was guessed wrongly, write it in migration.yaml."
            )
        }
    }
}
