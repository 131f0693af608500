import CMalloc
import Foundation

/// The settings of glibc's allocator that matter to a process that moves rows.
public enum Allocator {
    /// Bytes from which glibc asks the kernel for an allocation of its own: its greatest.
    private static let mappedFrom: Int32 = 32 << 20
    /// Bytes that the heap begins with, not touched before they are used; so many are kept when they are
    /// free.
    private static let heapBytes: Int32 = 512 << 20
    /// What glibc begins with.
    private static let usualStep: Int32 = 128 << 10
    /// Where threads allocate from. What one frees another takes again only within one of these.
    private static let arenas: Int32 = 1
    /// Of a huge page, on x86-64 and arm64.
    private static let hugePage = 2 << 20

    /// What the size of a large buffer is a multiple of.
    private static let bufferStep = 256 << 10

    /// The size that a buffer for so many bytes is to have. Pages are all about as large: with the same size
    /// each takes the place of another, where a few bytes more would ask for fresh memory.
    public static func bufferBytes(for count: Int) -> Int {
        count < bufferStep ? count : (count + bufferStep - 1) / bufferStep * bufferStep
    }

    /// Pages, chunks and requests are megabytes each, allocated and freed all the time. Left alone glibc
    /// gives each back to the kernel, and the page faults of fresh memory can double what a row costs
    /// (performance.md). The first touch of what is kept is one for each huge page, where the kernel has
    /// them for those who ask: the stages wait for each other's faults.
    ///
    /// To be called on the process's first thread before there is another: a thread that has allocated keeps
    /// the arena that it was given.
    public static func keepLargeBuffers() {
        mallopt(M_MMAP_THRESHOLD, mappedFrom)
        mallopt(M_TRIM_THRESHOLD, heapBytes)
        mallopt(M_ARENA_MAX, arenas)
        mallopt(M_TOP_PAD, heapBytes)
        // Its size is asked for, or the compiler would leave out the two calls that make the heap grow.
        guard let begin = heapEnd(), let memory = malloc(Int(mappedFrom) / 2),
            malloc_usable_size(memory) > 0
        else {
            // The kernel does not promise so much.
            mallopt(M_TOP_PAD, usualStep)
            return
        }
        free(memory)
        guard let end = heapEnd() else { return }
        let first = (begin + hugePage - 1) / hugePage * hugePage
        guard first < end else { return }
        madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE)
    }

    private static func heapEnd() -> Int? {
        let end = Int(bitPattern: sbrk(0))
        return end == -1 ? nil : end
    }
}
