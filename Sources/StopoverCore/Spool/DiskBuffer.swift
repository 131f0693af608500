/// Bytes on their way to a disk, in memory that a disk can take without a copy: aligned, and with
/// zeros after them up to the next block. Kept from file to file, so that not each asks the kernel
/// for fresh pages.
public final class DiskBuffer {
    /// Of the memory and of its length: what any disk's blocks divide.
    public static let alignment = 4096

    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    public private(set) var count = 0

    public init() {}

    public convenience init(_ bytes: some Collection<UInt8>) {
        self.init()
        append(bytes.count) { $0.copyBytes(from: bytes) }
    }

    deinit { memory.deallocate() }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// The bytes, and zeros up to the end of the block.
    public var blocks: UnsafeRawBufferPointer {
        let end = DiskBuffer.rounded(count)
        memory[count..<end].initializeMemory(as: UInt8.self, repeating: 0)
        return UnsafeRawBufferPointer(rebasing: memory[..<end])
    }

    func removeAll() { count = 0 }

    /// Room for `extra` bytes after those that are here; where it must grow, to `size` or more.
    func reserve(_ extra: Int, growingTo size: Int = 0) {
        guard count + extra > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Allocator.bufferBytes(for: DiskBuffer.rounded(max(count + extra, size))),
            alignment: DiskBuffer.alignment)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }

    /// Appends what `body` writes: at most `limit` bytes, all of which it may use; it returns how many
    /// it wrote.
    @discardableResult
    func append(upTo limit: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        reserve(limit, growingTo: memory.count * 2)
        let written = body(UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + limit)]))
        count += written
        return written
    }

    /// Appends exactly `size` bytes, which `body` fills.
    func append(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        append(upTo: size) { room in
            body(room)
            return size
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        append(bytes.count) { $0.copyMemory(from: bytes) }
    }

    func append(littleEndian value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { append($0) }
    }

    func replace(at offset: Int, _ bytes: some Collection<UInt8>) {
        UnsafeMutableRawBufferPointer(rebasing: memory[offset..<(offset + bytes.count)])
            .copyBytes(from: bytes)
    }

    private static func rounded(_ count: Int) -> Int {
        (count + alignment - 1) / alignment * alignment
    }
}
