import Foundation

/// Who a job is: written once, when its ledger is made, and never changed.
public struct JobIdentity: Hashable, Sendable, Codable {
    public var id: UUID
    public var name: String
    /// Seeds the digests of chunks and columns, so that rows cannot be chosen to collide.
    public var seed: UInt64
    public var toolVersion: String
    public var fingerprint: String

    public init(id: UUID, name: String, seed: UInt64, toolVersion: String, fingerprint: String) {
        self.id = id
        self.name = name
        self.seed = seed
        self.toolVersion = toolVersion
        self.fingerprint = fingerprint
    }

    /// The first 8 hex digits of the id: part of every staging name.
    public var tag: String { String(id.uuidString.lowercased().prefix(8)) }
}
