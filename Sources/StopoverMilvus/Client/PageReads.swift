import NIOCore

/// Buffers for what is read from a connection. Where a large frame of a reply comes, it is read to where
/// the reply's page keeps it, so that the kernel's copy is the only one; the frame's header is read before
/// that with little else. Not for a connection with TLS, of which each byte is another when it is read.
struct PageReads: RecvByteBufferAllocator {
    let bypass: NIOLoopBound<DataBypass>

    /// To be made and used on the connection's event loop. A channel that reads more than once a turn would
    /// keep pages' memory for later reads.
    static func install(on channel: any Channel, _ bypass: DataBypass) throws {
        let reads = PageReads(bypass: NIOLoopBound(bypass, eventLoop: channel.eventLoop))
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        try channel.syncOptions?.setOption(.recvAllocator, value: reads)
    }

    /// Of the buffer that is kept from read to read; nil where another is wanted.
    func nextBufferSize() -> Int? { bypass.value.readsApart ? nil : MilvusLimits.receiveBytes }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        let bypass = bypass.value
        return bypass.readsApart
            ? bypass.apart(allocator) : allocator.buffer(capacity: MilvusLimits.receiveBytes)
    }

    /// - Returns: true: the buffer that is kept is not to be taken where another is wanted.
    mutating func record(actualReadBytes: Int) -> Bool { true }
}
