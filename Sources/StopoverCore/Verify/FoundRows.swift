/// Rows that were read back, as numbers.
struct FoundRows: Sendable {
    /// On the target.
    var keys: [PrimaryKey] = []
    var digests: RowDigests
    /// Of the rows, as they came.
    var bytes = 0

    init(fieldCount: Int) { digests = RowDigests(fieldCount: fieldCount) }

    /// In the order of the keys, where they came in another.
    func sortedByKey() -> FoundRows {
        guard zip(keys, keys.dropFirst()).contains(where: { $1 < $0 }) else { return self }
        return ordered(keys.indices.sorted { keys[$0] < keys[$1] })
    }

    /// In the order of `wanted`; nil unless these are just the keys that are here.
    func ordered(as wanted: [PrimaryKey]) -> FoundRows? {
        if keys == wanted { return self }
        guard keys.count == wanted.count else { return nil }
        var places: [PrimaryKey: Int] = [:]
        for (place, key) in keys.enumerated() { places[key] = place }
        let order = wanted.compactMap { places[$0] }
        return order.count == wanted.count ? ordered(order) : nil
    }

    private func ordered(_ order: [Int]) -> FoundRows {
        var ordered = self
        ordered.keys = order.map { keys[$0] }
        ordered.digests = digests.ordered(order)
        return ordered
    }
}

/// Reads rows of a cluster, page by page, whatever their number and size.
struct RowReader: Sendable {
    /// Rows of a page at most: what every server answers to one question.
    static let mostRows = 16_384

    let fields: [FieldSchema]
    let timestamp: PinnedTimestamp?
    /// One question.
    let ask: @Sendable (PageRequest) async throws -> Page

    /// Calls `body` with each page of a selection, ascending by key.
    /// - Parameter expected: rows that are probably there: one more is asked for.
    func read(
        _ rows: RowSelection, expected: Int, _ body: (Page) async throws -> Void
    ) async throws {
        var rest = rows
        var limit = min(max(expected, 0) + 1, RowReader.mostRows)
        while true {
            let page: Page
            do {
                page = try await ask(
                    PageRequest(rows: rest, fields: fields, rowLimit: limit, timestamp: timestamp))
            } catch let error as StopoverError where error.code == .pageTooLarge && limit > 1 {
                limit = limit / 2
                continue
            }
            guard let last = page.lastKey else { return }
            try await body(page)
            if last == rows.lastPossibleKey { return }
            rest.range.after = last
        }
    }
}

extension RowSelection {
    /// The greatest key that can match; nil where there is no bound.
    fileprivate var lastPossibleKey: PrimaryKey? {
        range.through ?? keys.max()
            ?? (anyOf.contains { $0.through == nil } ? nil : anyOf.compactMap(\.through).max())
    }
}

extension Engine {
    /// Questions to the target for rows that were sent, as fast as it may be written to.
    func targetReader(_ fields: [FieldSchema]) -> RowReader {
        RowReader(fields: fields, timestamp: nil) { request in
            try await retryingControl { [target] in
                try await writing.paced({ $0.batch.byteCount }) {
                    () async throws(StopoverError) in try await target.page(request)
                }
            }
        }
    }

    /// Questions to the source for rows that were read before, as fast as it may be read.
    /// - Parameter waits: for a source that cannot be asked now; otherwise that is an error.
    func sourceReader(
        _ fields: [FieldSchema], at timestamp: PinnedTimestamp?, waits: Bool
    ) -> RowReader {
        RowReader(fields: fields, timestamp: timestamp) { [source] request in
            guard waits else { return try await source.page(request) }
            return try await retryingReads {
                try await reading.paced({ $0.batch.rowCount }) {
                    () async throws(StopoverError) in try await source.page(request)
                }
            }
        }
    }
}

extension Pace {
    /// Asks for a page, tells how that ended, and takes what the page costs.
    fileprivate func paced(
        _ cost: (Page) -> Int, _ ask: () async throws(StopoverError) -> Page
    ) async throws -> Page {
        let page: Page
        do throws(StopoverError) { page = try await ask() } catch {
            ended(error)
            throw error
        }
        ended(nil)
        try await take(cost(page))
        return page
    }
}
