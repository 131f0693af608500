/// Carries one request to the server and its reply back, as bytes, and retries nothing.
///
/// The seam under the client: ``HTTP2Transport``, and scripted replies in tests.
public protocol MilvusTransport: Sendable {
    /// Sends the request once. `authorization` goes into the metadata of that name.
    /// - Returns: the serialized reply, whatever status Milvus wrote into it, or the reason why
    ///   there is none.
    func call(
        _ method: MilvusMethod, _ request: any RequestBody, authorization: String?
    ) async -> Result<[UInt8], CallFailure>
}

/// A serialized request, in parts that are joined only on their way out.
public protocol RequestBody: Sendable {
    /// Of all parts together.
    var byteCount: Int { get }
    var parts: [ArraySlice<UInt8>] { get }
}

extension RequestBody {
    /// Fills `buffer`, which has exactly `byteCount` bytes.
    public func write(into buffer: UnsafeMutableRawBufferPointer) {
        var position = 0
        for part in parts {
            UnsafeMutableRawBufferPointer(rebasing: buffer[position...]).copyBytes(from: part)
            position += part.count
        }
    }
}

extension [UInt8]: RequestBody {
    public var byteCount: Int { count }
    public var parts: [ArraySlice<UInt8>] { [self[...]] }
}

/// A call that brought no reply.
public struct CallFailure: Error, Hashable, Sendable {
    /// gRPC's status codes, which are also those of a transport without gRPC's library.
    public enum Status: Int, Sendable, CaseIterable {
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    public var status: Status
    public var message: String
    /// False only when it is certain that no byte of the request left us, as when there was no
    /// connection to send it on.
    public var wasSent: Bool

    public init(_ status: Status, _ message: String, wasSent: Bool) {
        self.status = status
        self.message = message
        self.wasSent = wasSent
    }
}
