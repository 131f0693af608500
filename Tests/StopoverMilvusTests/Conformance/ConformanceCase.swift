import MilvusProto
import StopoverCore
import StopoverTesting
import SwiftProtobuf

@testable import StopoverMilvus

/// One thing that a client may ask of a server, and what the server answers, in a few words that are
/// the same for every server that behaves alike.
struct ConformanceCase: Sendable {
    let name: String
    let script: @Sendable (ConformanceServer) async throws -> String

    init(_ name: String, _ script: @escaping @Sendable (ConformanceServer) async throws -> String) {
        self.name = name
        self.script = script
    }

    static let all: [ConformanceCase] =
        creating + describing + renaming + inserting + insertingBadly + upserting + deleting
        + querying + queryingKeys + indexing + loading + flushing + names
}

/// The servers that are compared.
enum ConformanceKind: String, CaseIterable, Sendable {
    case twin = "ours"
    case lite3 = "Lite 3"
    case standalone = "2.3.5"
}

/// A server as a script sees it: messages as they are on the wire, and names that are nobody else's.
struct ConformanceServer: Sendable {
    let milvus: RawMilvus
    /// What the names of the script's collections begin with.
    let prefix: String
    var database = ""

    /// A server's no, as the client's one table judges it.
    struct Refused: Error {
        var words: String
    }

    func name(_ suffix: String = "") -> String { prefix + suffix }

    /// - Throws: `Refused` for anything but success.
    func call<Reply: Message>(
        _ method: String, _ request: some Message, as reply: Reply.Type
    ) async throws -> Reply {
        let bytes: [UInt8]
        do {
            bytes = try await milvus.call(method, request.serializedBytes())
        } catch {
            guard let status = RawMilvus.status(of: error) else { throw error }
            throw Refused(words: "gRPC: \(status)")
        }
        // Every reply but a Status has one in its field 1; the fields behind it do not matter here.
        let status =
            Reply.self == MilvusStatus.self
            ? try MilvusStatus(serializedBytes: bytes)
            : try MilvusBoolResponse(serializedBytes: bytes).status
        let verdict = StatusTable.judge(
            code: status.code, errorCode: status.errorCode, reason: status.reason,
            method: MilvusMethod(rawValue: method) ?? .describeCollection)
        guard verdict.outcome == .ok else { throw Refused(words: verdict.words) }
        return try Reply(serializedBytes: bytes)
    }

    func perform(_ method: String, _ request: some Message) async throws {
        _ = try await call(method, request, as: MilvusStatus.self)
    }

    /// What a step comes to: `done`, or the refusal.
    func outcome(_ step: () async throws -> Void) async throws -> String {
        do {
            try await step()
            return "done"
        } catch let refused as Refused {
            return refused.words
        }
    }

    func answer(_ step: () async throws -> String) async throws -> String {
        do { return try await step() } catch let refused as Refused { return refused.words }
    }
}

extension Verdict {
    /// The codes that rules of ours depend on have their numbers.
    fileprivate var words: String {
        switch (outcome, code) {
        case (.missing, _): "code 100"
        case (_, .collectionNotLoaded?): "code 101"
        case (.inDoubt, _): "in doubt"
        case (.tooLarge, _): "too large"
        case (.refused, let code?): "refused for now: \(code.words)"
        case (_, .requestRefused?): "refused"
        case (_, let code?): "refused: \(code.words)"
        case (_, nil): "done"
        }
    }
}

extension StopoverError.Code {
    fileprivate var words: String {
        rawValue.dropFirst("STO-".count).lowercased().replacing("-", with: " ")
    }
}
