import MilvusProto
import StopoverCore
import StopoverMilvus
import SwiftProtobuf
import Synchronization
import Testing

/// Answers each call with the next reply of a script, and remembers what was asked.
final class ScriptedTransport: MilvusTransport {
    struct Asked: Sendable {
        var method: MilvusMethod
        var bytes: [UInt8]
        var authorization: String?
    }

    enum Reply: Sendable {
        case bytes([UInt8])
        case failure(CallFailure)

        static func message(_ message: some Message) throws -> Reply {
            .bytes(try message.serializedBytes())
        }

        static func status(code: Int32, errorCode: Int32 = 1, _ reason: String = "no") throws
            -> Reply
        {
            // Field 1 of every reply that has more to say than a status.
            try .message(
                MilvusGetVersionResponse.with {
                    $0.status.code = code
                    $0.status.errorCode = errorCode
                    $0.status.reason = reason
                })
        }
    }

    private let script: Mutex<[MilvusMethod: [Reply]]>
    private let log = Mutex<[Asked]>([])

    /// The last reply of a method is given again and again.
    init(_ script: [MilvusMethod: [Reply]]) { self.script = Mutex(script) }

    var asked: [Asked] { log.withLock { $0 } }
    var methods: [MilvusMethod] { asked.map(\.method) }

    func request<Request: Message>(_ type: Request.Type, _ method: MilvusMethod) throws -> Request {
        let bytes = try #require(asked.last { $0.method == method }?.bytes)
        return try Request(serializedBytes: bytes)
    }

    func call(
        _ method: MilvusMethod, _ request: any RequestBody, authorization: String?
    ) async -> Result<[UInt8], CallFailure> {
        let bytes = [UInt8](unsafeUninitializedCapacity: request.byteCount) { buffer, count in
            request.write(into: UnsafeMutableRawBufferPointer(buffer))
            count = request.byteCount
        }
        log.withLock {
            $0.append(Asked(method: method, bytes: bytes, authorization: authorization))
        }
        let reply = script.withLock { script -> Reply? in
            guard let replies = script[method], let first = replies.first else { return nil }
            if replies.count > 1 { script[method] = Array(replies.dropFirst()) }
            return first
        }
        switch reply {
        case .bytes(let bytes): return .success(bytes)
        case .failure(let failure): return .failure(failure)
        case nil: return .failure(CallFailure(.unimplemented, "not in the script", wasSent: true))
        }
    }
}

extension MilvusCluster {
    static func scripted(
        _ transport: ScriptedTransport, credentials: MilvusEndpoint.Credentials = .none
    ) -> MilvusCluster {
        MilvusCluster(
            address: "http://script", transport: transport,
            credentials: credentials)
    }
}
