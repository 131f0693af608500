/// The name that a collection carries until it is complete: nobody can mistake half a copy for a
/// whole one, and the epoch in it is a fence, for a request under an older name finds nothing. Rows
/// that are added to a collection of the user's go into it by its own name, which is no fence; so do
/// those that go to a target that cannot rename.
public struct StagingName: Sendable, Hashable {
    /// Milvus allows 255 bytes in a collection name.
    static let nameLimit = 255

    public let target: CollectionName
    /// The first 8 hex digits of the job's id.
    public let jobTag: String

    /// Every epoch's name is the collection's own.
    let isFinal: Bool

    public init(_ plan: TransferPlan, jobTag: String) {
        target = plan.target.name
        isFinal = plan.appends || plan.lacksRename
        self.jobTag = jobTag
    }

    public func name(epoch: Int) -> CollectionName { isFinal ? target : named("e\(epoch)") }

    /// What a collection that is being replaced is called between the two renames.
    public var replaced: CollectionName { named("old") }

    private func named(_ end: String) -> CollectionName {
        let suffix = "__stopover_\(jobTag)_\(end)"
        var stem = target.collection
        while stem.utf8.count + suffix.utf8.count > StagingName.nameLimit { stem.removeLast() }
        return CollectionName(database: target.database, collection: stem + suffix)
    }

    /// The collections on `target` that are this job's generations of it, the newest first. That one
    /// has its rows: an older one was made by a creation that the network delivered a second time.
    public func generations(on target: any Target) async throws(StopoverError) -> [CollectionName] {
        guard !isFinal, try await target.databases().contains(self.target.database) else {
            return []
        }
        return try await target.collections(in: self.target.database).compactMap(epoch(in:))
            .sorted(by: >).map(name(epoch:))
    }

    /// The epoch in the name of a generation; nil for the name of any other collection.
    func epoch(in collection: String) -> Int? {
        let prefix = named("e").collection
        return collection.hasPrefix(prefix) ? Int(collection.dropFirst(prefix.count)) : nil
    }
}
