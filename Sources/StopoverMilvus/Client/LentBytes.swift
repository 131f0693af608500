import Foundation
@_spi(CustomByteBufferAllocator) import NIOCore
import Synchronization

/// Bytes of ours as buffers of the network's that are not copied: a buffer keeps the array that it shows
/// until the socket has taken its bytes.
///
/// Rests on this: the bytes of an array that is kept, and so is changed by nobody, stay where
/// `withUnsafeBytes` shows them; and nobody writes over bytes of a buffer on its way out. One that grows, or
/// is shared, gets memory of its own first, as any of the network's.
enum LentBytes {
    /// By the address of what was lent; the same bytes may be on the way twice.
    private static let lent = Mutex<[UInt: [ArraySlice<UInt8>]]>([:])

    private static let allocator = ByteBufferAllocator(
        allocate: { malloc($0) },
        reallocate: { memory, oldSize, newSize in
            guard let memory, LentBytes.count(at: memory) > 0 else {
                return realloc(memory, newSize)
            }
            let own = malloc(newSize)
            own?.copyMemory(from: memory, byteCount: min(oldSize, newSize))
            LentBytes.giveBack(memory)
            return own
        },
        deallocate: { memory in if !LentBytes.giveBack(memory) { free(memory) } },
        copy: { $0.copyMemory(from: $1, byteCount: $2) })

    /// Not of no bytes.
    static func buffer(_ bytes: ArraySlice<UInt8>) -> ByteBuffer {
        lend(bytes, filled: bytes.count)
    }

    /// Room for what is read, where these bytes are: they are not set yet, and nobody's but the caller's.
    static func room(_ bytes: ArraySlice<UInt8>) -> ByteBuffer { lend(bytes, filled: 0) }

    private static func lend(_ bytes: ArraySlice<UInt8>, filled: Int) -> ByteBuffer {
        bytes.withUnsafeBytes { shown in
            let memory = UnsafeMutableRawBufferPointer(mutating: shown)
            if let address = shown.baseAddress {
                let address = UInt(bitPattern: address)
                lent.withLock { $0[address, default: []].append(bytes) }
            }
            return ByteBuffer(
                takingOwnershipOf: memory, allocator: allocator, writerIndex: filled)
        }
    }

    /// How many buffers' memory begins at this byte of ours.
    static func count(at memory: UnsafeRawPointer) -> Int {
        let address = UInt(bitPattern: memory)
        return lent.withLock { $0[address]?.count ?? 0 }
    }

    @discardableResult
    private static func giveBack(_ memory: UnsafeRawPointer) -> Bool {
        let address = UInt(bitPattern: memory)
        // Freed when the lock is open again.
        let owner = lent.withLock { lent -> ArraySlice<UInt8>? in
            let owner = lent[address]?.popLast()
            if lent[address]?.isEmpty == true { lent[address] = nil }
            return owner
        }
        return owner != nil
    }
}
