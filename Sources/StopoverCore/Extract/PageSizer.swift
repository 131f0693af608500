/// How many rows to ask for, so that a page has about `targetBytes`: learned from the last page,
/// since rows of one collection can differ by orders of magnitude. A pure value, one per cursor, which
/// begins with what another one has learned.
public struct PageSizer: Sendable {
    /// Go servers refuse offset + limit above this (milvus-protocol.md, section 2).
    public static let serverRowLimit = 16_384
    /// A page may ask for at most this many times the rows of the one before, so that one page of
    /// short rows does not lead to a page of long ones that no buffer holds.
    static let growthLimit = 4
    /// A server may answer with more rows than asked for (2.3.5: 32,719 for 16,384), so the first
    /// page, of which nothing is known yet, stays small.
    static let firstPageRows = 512

    public private(set) var rowLimit: Int
    /// Above 0.
    var targetBytes: Int
    /// Lowered when a server refuses a page for its size, raised again a step a page.
    private var ceiling = PageSizer.serverRowLimit

    public init(targetBytes: Int, estimatedRowBytes: Int) {
        self.targetBytes = max(targetBytes, 1)
        let estimate = self.targetBytes / max(estimatedRowBytes, 1)
        rowLimit = min(max(estimate, 1), PageSizer.firstPageRows)
    }

    /// A page came back with `rows` rows in `bytes` bytes.
    public mutating func pageArrived(rows: Int, bytes: Int) {
        guard rows > 0 else { return }
        let wanted = targetBytes / max(bytes / rows, 1)
        let grown = min(wanted, rowLimit * PageSizer.growthLimit)
        ceiling = min(ceiling + max(ceiling / 8, 1), PageSizer.serverRowLimit)
        rowLimit = min(max(grown, 1), ceiling)
    }

    /// The server refused the page for its size. Returns false when one row alone is too large.
    public mutating func pageWasTooLarge() -> Bool {
        guard rowLimit > 1 else { return false }
        rowLimit /= 2
        ceiling = rowLimit
        return true
    }
}

extension CollectionSchema {
    /// A guess at the bytes of a row on the wire before any has been seen: vectors exactly, text
    /// by a fraction of its limit.
    public var estimatedRowBytes: Int {
        fields.reduce(16) { $0 + $1.estimatedBytes } + (isDynamicFieldEnabled ? 64 : 0)
    }
}

extension FieldSchema {
    fileprivate var estimatedBytes: Int {
        let dimension = self.dimension ?? 1
        switch type {
        case .floatVector: return dimension * 4
        case .float16Vector, .bfloat16Vector: return dimension * 2
        case .int8Vector: return dimension
        case .binaryVector: return dimension / 8
        case .sparseFloatVector: return 512
        case .varchar, .text:
            return min((typeParams["max_length"].flatMap { Int($0) } ?? 256) / 4, 256)
        case .json, .geometry, .array, .arrayOfVector, .arrayOfStruct, .structure: return 128
        case .bool, .int8, .int16, .int32, .int64, .float, .double, .timestamptz: return 8
        }
    }
}
