extension Target {
    /// How often a load under way is asked after.
    public static var loadPollInterval: Duration { .milliseconds(250) }

    /// Loads a collection, and returns when all of it can be read and searched.
    /// - Parameter report: told how far it is, 0…99; what it throws ends the wait, not the load.
    public func loadWhole(
        _ name: CollectionName, report: @Sendable (Int) throws -> Void = { _ in }
    ) async throws {
        try await load(name)
        while true {
            let percent = try await loadProgress(of: name)
            if percent >= 100 { return }
            try report(percent)
            try await Task.sleep(for: Self.loadPollInterval)
        }
    }
}
