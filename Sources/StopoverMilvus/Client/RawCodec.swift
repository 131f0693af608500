import GRPCCore
import Synchronization

/// Writes a request's bytes as they are. It also notes that gRPC asked for them, which happens
/// only once there is a connection to send them on: before that a failed call surely did nothing.
struct RawSerializer: MessageSerializer {
    let sendMark: SendMark

    func serialize<Bytes: GRPCContiguousBytes>(_ message: any RequestBody) throws -> Bytes {
        sendMark.set()
        // gRPC has no uninitialised buffer to offer; the zeroing costs less than the page faults
        // that it takes over from the copy.
        var bytes = Bytes(repeating: 0, count: message.byteCount)
        bytes.withUnsafeMutableBytes { message.write(into: $0) }
        return bytes
    }
}

/// Takes a reply's bytes as they are, with one copy out of the transport's buffer.
struct RawDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
                UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                count = source.count
            }
        }
    }
}

/// Whether a request began to leave.
final class SendMark: Sendable {
    private let flag = Atomic(false)

    func set() { flag.store(true, ordering: .releasing) }
    var isSet: Bool { flag.load(ordering: .acquiring) }
}
