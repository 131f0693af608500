import CMalloc

/// The settings of glibc's allocator that matter to a process that moves rows.
public enum Allocator {
    /// Bytes from which glibc asks the kernel for an allocation of its own: its greatest.
    private static let mappedFrom: Int32 = 32 << 20
    /// Free bytes at the top that are kept.
    private static let keptBytes: Int32 = 256 << 20
    /// Where threads allocate from. What one frees another takes again only within one of these.
    private static let arenas: Int32 = 1

    /// Pages, chunks and requests are megabytes each, allocated and freed all the time. Left alone glibc
    /// gives each back to the kernel, and the page faults of fresh memory can double what a row costs
    /// (performance.md).
    public static func keepLargeBuffers() {
        mallopt(M_MMAP_THRESHOLD, mappedFrom)
        mallopt(M_TRIM_THRESHOLD, keptBytes)
        mallopt(M_ARENA_MAX, arenas)
    }
}
