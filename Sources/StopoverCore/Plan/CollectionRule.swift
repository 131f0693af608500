/// One entry of `collections:` in migration.yaml: which collections, and what becomes of them.
public struct CollectionRule: Hashable, Sendable, Codable {
    /// What a rule's collections are called on the target.
    public enum Destination: Hashable, Sendable, Codable {
        /// The names that they have on the source.
        case sameName
        /// `target: library.*`: their own names, in this database.
        case database(String)
        /// `target: library.articles`; only for a rule that names one collection.
        case collection(CollectionName)
    }

    /// Milvus refuses a collection with more, unless its `proxy.maxShardNum` was raised.
    public static let mostShards = 16

    public var source: CollectionPattern
    public var destination: Destination
    public var mapping: Mapping

    public init(
        source: CollectionPattern, destination: Destination = .sameName,
        mapping: Mapping = Mapping()
    ) {
        self.source = source
        self.destination = destination
        self.mapping = mapping
    }

    /// What the rule asks of a collection that it matches.
    public func request(for name: CollectionName) -> TransferRequest {
        let target =
            switch destination {
            case .sameName: name
            case .database(let database):
                CollectionName(database: database, collection: name.collection)
            case .collection(let target): target
            }
        return TransferRequest(source: name, target: target, mapping: mapping)
    }
}
