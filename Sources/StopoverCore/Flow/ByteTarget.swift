/// How many bytes a page, and so a chunk and an insert, is meant to have now: halved when the other
/// side takes long over one, or has no room for it, and raised step by step again. A pure value.
struct ByteTarget {
    /// Steps from nothing up to the whole.
    static let steps = 16
    static let least = 64 << 10

    let most: Int
    private(set) var bytes: Int

    init(_ most: Int) {
        self.most = most
        bytes = most
    }

    mutating func wasFine() { bytes = min(bytes + max(most / ByteTarget.steps, 1), most) }

    mutating func wasTooMuch() { bytes = max(bytes / 2, min(ByteTarget.least, most)) }
}
