extension Planner {
    /// The plan of a migration file: its rules applied to what the source has, the rules between
    /// the two clusters' plans, and how much it is.
    /// - Parameters:
    ///   - freeDiskBytes: of the file system that the spool is on; nil is not asked.
    ///   - probes: reads pages of the largest collection for two seconds, to say how long it takes.
    /// - Throws: as ``Migration/transfers(for:)``, and what the clusters answer.
    public static func plan(
        _ migration: Migration, source: any Source, target: any Target,
        freeDiskBytes: Int64? = nil, probes: Bool = false
    ) async throws(StopoverError) -> MigrationPlan {
        let selection = try migration.transfers(for: try await Planner.collections(of: source))
        let planner = Planner(
            source: source, target: target, sourcePlan: migration.source.likelyPlan,
            targetPlan: migration.target.likelyPlan)
        var plan = try await planner.plan(
            selection.requests, fingerprint: migration.identity.fingerprint)
        plan.notes = selection.notes
        var facts = Capacity.Facts(migration)
        facts.freeDiskBytes = freeDiskBytes
        if probes {
            facts.probe = try await SourceProbe(source: source, transfers: plan.transfers).run()
        }
        let capacity = Capacity(of: plan.transfers, facts)
        plan.capacity = capacity
        plan.clusterFindings +=
            ClusterPlanRules.notes(on: migration) + capacity.findings
        return plan
    }
}

extension Capacity.Facts {
    public init(_ migration: Migration) {
        target = migration.target.likelyPlan
        readRowsPerSecond = migration.limits.readRowsPerSecond
        writeBytesPerSecond = migration.limits.writeBytesPerSecond?.bytes
        spoolLimitBytes = migration.limits.spool.bytes
    }
}
