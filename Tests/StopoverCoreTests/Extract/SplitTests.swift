import StopoverCore
import StopoverTesting
import Synchronization
import Testing

@Suite("A split planner")
struct SplitPlannerTests {
    /// Rows of each split, of as many as a partition of these keys is cut into.
    private func check(
        _ keys: [PrimaryKey], type: DataType, rowsPerSplit: Int64, walked: Bool = false
    ) async throws -> [Int] {
        let planner = Self.planner(keys.sorted(), rowsPerSplit: rowsPerSplit, walked: walked)
        let ranges = try await planner.ranges(keyType: type, rows: Int64(keys.count))
        #expect(ranges.first?.after == nil && ranges.last?.through == nil)
        for (left, right) in zip(ranges, ranges.dropFirst()) {
            #expect(left.through != nil && left.through == right.after)
        }
        for key in keys { #expect(ranges.filter { $0.contains(key) }.count == 1) }
        return ranges.map { range in keys.filter(range.contains).count }
    }

    private static func planner(
        _ sorted: [PrimaryKey], rowBytes: Int = 8, rowsPerSplit: Int64? = nil, walked: Bool,
        counts: Counter = Counter()
    ) -> SplitPlanner {
        SplitPlanner(
            rowBytes: rowBytes, rowsPerSplit: rowsPerSplit,
            walkedRows: walked ? SplitPlanner.walkedRows : 0
        ) { range in
            counts.asked.add(1, ordering: .relaxed)
            return Int64(sorted.filter(range.contains).count)
        } keyPage: { (range, limit) in
            #expect(limit <= PageSizer.serverRowLimit)
            let page = sorted.lazy.filter(range.contains).prefix(limit)
            return (page.count, page.last)
        }
    }

    private final class Counter: Sendable {
        let asked = Atomic(0)
    }

    @Test("leaves a small partition whole")
    func small() async throws {
        #expect(
            try await check((0..<10).map { .int64($0) }, type: .int64, rowsPerSplit: 10) == [10])
    }

    @Test("covers every INT64 key once, the extreme ones too, in parts of about equal size")
    func int64() async throws {
        var generator = SeededRandom(seed: 7)
        var keys: Set<Int64> = [.min, .max, 0]
        while keys.count < 1000 { keys.insert(Int64(bitPattern: generator.next())) }
        let parts = try await check(
            keys.map { .int64($0) }, type: .int64, rowsPerSplit: 100)
        #expect(parts.count == 10 && parts.allSatisfy { (70...130).contains($0) })
    }

    @Test("balances INT64 keys that crowd in one place")
    func skewed() async throws {
        let keys =
            (0..<900).map { PrimaryKey.int64(Int64($0)) }
            + (0..<100).map { PrimaryKey.int64(Int64.max - Int64($0) * 1_000_000_000) }
        let parts = try await check(keys, type: .int64, rowsPerSplit: 250)
        #expect(parts.count == 4 && parts.allSatisfy { (200...300).contains($0) })
    }

    @Test("asks no count that follows from those before: a few for each bound behind the first")
    func known() async throws {
        let counts = Counter()
        let planner = Self.planner(
            (0..<6_400).map { .int64(Int64($0) << 20) }, rowsPerSplit: 100, walked: false,
            counts: counts)
        #expect(try await planner.ranges(keyType: .int64, rows: 6_400).count == 64)
        #expect(counts.asked.load(ordering: .relaxed) < 64 * 6)
    }

    @Test("walks the keys of a partition that is not large, for parts that are equal")
    func walked() async throws {
        let numbers = (0..<1000).map { PrimaryKey.int64(Int64.max - Int64($0) * 9) }
        #expect(
            try await check(numbers, type: .int64, rowsPerSplit: 250, walked: true)
                == [250, 250, 250, 250])
        let words = (0..<999).map { PrimaryKey.varchar("user:\($0)") }
        #expect(
            try await check(words, type: .varchar, rowsPerSplit: 250, walked: true)
                == [250, 250, 250, 249])
        #expect(
            try await check(words, type: .varchar, rowsPerSplit: 1, walked: true).count
                == SplitPlanner.splitLimit - 1)
    }

    @Test("cuts a partition by its bytes where it is walked, and by its rows where it is counted")
    func bytes() async throws {
        let keys = (0..<50_000).map { PrimaryKey.int64(Int64($0)) }
        func splits(rowBytes: Int, walked: Bool) async throws -> Int {
            try await Self.planner(keys, rowBytes: rowBytes, walked: walked)
                .ranges(keyType: .int64, rows: Int64(keys.count)).count
        }
        // 64 MiB are 21,845 rows of 3 KiB.
        #expect(try await splits(rowBytes: 3 << 10, walked: true) == 3)
        #expect(try await splits(rowBytes: 3 << 10, walked: false) == 1)
        #expect(try await splits(rowBytes: 32, walked: true) == 1)
    }

    @Test("covers every VARCHAR key once, whatever the alphabet")
    func varchar() async throws {
        for alphabet in ["abc", "éß語", "😀😁🂡", "a\"\\"] {
            let letters = Array(alphabet)
            var generator = SeededRandom(seed: 11)
            var keys: Set<PrimaryKey> = [.varchar("")]
            while keys.count < 400 {
                let text = (0..<8).map { _ in letters.randomElement(using: &generator) ?? "a" }
                keys.insert(.varchar("user:" + String(text)))
            }
            let parts = try await check(Array(keys), type: .varchar, rowsPerSplit: 100)
            #expect(parts.count == 4 && parts.allSatisfy { (60...140).contains($0) }, "\(alphabet)")
        }
    }
}

@Suite("A page sizer")
struct PageSizerTests {
    @Test("comes to pages of the wanted size")
    func converges() {
        var sizer = PageSizer(targetBytes: 1_000_000, estimatedRowBytes: 10)
        for _ in 0..<10 {
            sizer.pageArrived(rows: sizer.rowLimit, bytes: sizer.rowLimit * 1000)
        }
        #expect(sizer.rowLimit == 1000)
    }

    @Test("never asks for more rows than a server allows, nor for none")
    func limits() {
        var sizer = PageSizer(targetBytes: 1 << 30, estimatedRowBytes: 1)
        for _ in 0..<10 { sizer.pageArrived(rows: sizer.rowLimit, bytes: sizer.rowLimit) }
        #expect(sizer.rowLimit == PageSizer.serverRowLimit)
        sizer.pageArrived(rows: 1, bytes: 1 << 40)
        #expect(sizer.rowLimit == 1)
    }

    @Test("halves a page that was refused, down to a row, and says when that is not enough")
    func tooLarge() {
        var sizer = PageSizer(targetBytes: 1 << 20, estimatedRowBytes: 1 << 18)
        #expect(sizer.rowLimit == 4)
        var limits: [Int] = []
        while sizer.pageWasTooLarge() { limits.append(sizer.rowLimit) }
        #expect(limits == [2, 1])
    }
}

@Suite("A split cursor")
struct SplitCursorTests {
    private func page(_ keys: ClosedRange<Int64>) -> Page {
        Page(
            batch: Batch(rowCount: keys.count, columns: []), firstKey: .int64(keys.lowerBound),
            lastKey: .int64(keys.upperBound))
    }

    private let emptyPage = Page(
        batch: Batch(rowCount: 0, columns: []), firstKey: nil, lastKey: nil)

    private func cursor(_ range: KeyRange = .all) -> SplitCursor {
        SplitCursor(
            remaining: range, sizer: PageSizer(targetBytes: 1000, estimatedRowBytes: 100))
    }

    @Test("goes on after the last key of a page, however short the page")
    func continues() throws {
        var cursor = cursor()
        try cursor.pageArrived(page(1...1))
        guard case .ask(let range, _) = cursor.next else {
            Issue.record("a short page ended the split")
            return
        }
        #expect(range == KeyRange(after: .int64(1)))
    }

    @Test("begins with pages of the size that another split has come to")
    func learned() throws {
        var first = cursor()
        #expect(first.next == .ask(range: .all, rowLimit: 10))
        for key in Int64(1)...3 {
            // Rows of 10 bytes, where 100 were expected.
            let column = Column(
                name: "c", type: .varchar, head: [], payload: Array(repeating: 0, count: 10)[...],
                tail: [])
            try first.pageArrived(
                Page(
                    batch: Batch(rowCount: 1, columns: [column]), firstKey: .int64(key),
                    lastKey: .int64(key)))
        }
        let second = SplitCursor(remaining: KeyRange(after: .int64(5)), sizer: first.sizer)
        #expect(second.next == .ask(range: KeyRange(after: .int64(5)), rowLimit: 100))
    }

    @Test("ends only when an empty page is confirmed by a count of zero")
    func confirms() throws {
        var cursor = cursor()
        try cursor.pageArrived(emptyPage)
        #expect(cursor.next == .confirmEmpty(.all))
        cursor.countArrived(0)
        #expect(cursor.next == .finished)
    }

    @Test("asks again when a count contradicts an empty page, then says what cannot be read")
    func unreadable() throws {
        var cursor = cursor(KeyRange(after: .int64(5)))
        var asked = 0
        while case .ask = cursor.next {
            asked += 1
            try cursor.pageArrived(emptyPage)
            cursor.countArrived(1)
        }
        #expect(asked > 1)
        #expect(cursor.next == .unreadable(rows: 1, after: .int64(5)))
    }

    @Test("is finished when it reads the bound of its split")
    func bound() throws {
        var cursor = cursor(KeyRange(after: nil, through: .int64(9)))
        try cursor.pageArrived(page(3...9))
        #expect(cursor.next == .finished)
    }

    @Test("refuses a page with keys that it did not ask for")
    func outOfRange() throws {
        var cursor = cursor(KeyRange(after: .int64(10)))
        #expect(throws: StopoverError.self) { try cursor.pageArrived(page(10...12)) }
    }
}

@Suite("The commit order")
struct CommitOrderTests {
    @Test("gives items back in the order of their split, whatever order they end in")
    func order() {
        var order = CommitOrder<Int>()
        let split = SplitID(1)
        #expect(order.sealed(2, split: split, ordinal: 2).isEmpty)
        #expect(order.sealed(0, split: split, ordinal: 0) == [0])
        #expect(order.sealed(7, split: SplitID(2), ordinal: 0) == [7])
        #expect(order.sealed(1, split: split, ordinal: 1) == [1, 2])
    }
}
