import Foundation
import StopoverCore
import Synchronization

/// The `authorization` metadata of every call: base64 of the token, or of `user:password`.
///
/// The credentials are asked for once and kept, since a provider may run a command; they are
/// asked for again when the server stops accepting them, for a token may have been renewed.
final class Authorization: Sendable {
    /// What one call carried.
    struct Header: Sendable, Equatable, CustomStringConvertible {
        var value: String?
        var description: String { value == nil ? "none" : "<redacted>" }
    }

    private let provider: MilvusEndpoint.Credentials.Provider?
    private let kept = Mutex<Header?>(nil)

    init(_ credentials: MilvusEndpoint.Credentials) { provider = credentials.provider }

    func header() throws(StopoverError) -> Header {
        if let header = kept.withLock({ $0 }) { return header }
        return try readAgain()
    }

    /// Whether the credentials are others now than those that a call was refused with.
    func isRenewed(since refused: Header?) -> Bool {
        let before = refused ?? kept.withLock { $0 }
        guard let now = try? readAgain() else { return false }
        return now != before
    }

    private func readAgain() throws(StopoverError) -> Header {
        let plain = try provider?()
        let header = Header(value: plain.map { Data($0.utf8).base64EncodedString() })
        kept.withLock { $0 = header }
        return header
    }
}
