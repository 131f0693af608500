// What several stages ask of the target.
extension Engine {
    func createIndexes(
        _ indexes: [IndexDescription], on collection: CollectionName
    ) async throws {
        for index in indexes {
            try await retryingControl {
                let made = try await target.describe(collection)?.indexes ?? []
                // Lite 3 names an index by its field, whatever it was asked.
                let isOnly = indexes.count { $0.field == index.field } == 1
                let isMade = made.contains {
                    $0.field == index.field && (isOnly || $0.name == index.name)
                }
                guard !isMade else { return }
                try await target.createIndex(index, on: collection)
            }
        }
    }

    /// Loads a collection whole, and says how far it is.
    func load(_ collection: CollectionName) async throws {
        try await retryingControl {
            try await target.loadWhole(collection) { percent in
                if stop.isRequested { throw StopoverError.interrupted }
                board.waiting(
                    .target, because: "the target loads \(collection): \(percent) %",
                    isRetry: false)
            }
        }
        board.waitingEnded(.target)
    }

    /// `count(*)` at Strong consistency; nil for a collection that cannot be loaded, and so not asked.
    /// - Parameter keepsLoaded: false releases it after.
    func rowCount(
        of collection: CollectionDescription, keepsLoaded: Bool = false
    ) async throws -> Int64? {
        guard collection.canBeLoaded, let key = collection.schema.primaryKey else { return nil }
        try await load(collection.name)
        return try await retryingControl {
            let rows = try await target.count(
                RowSelection(collection: collection.name, primaryKey: key))
            if !keepsLoaded { try await target.release(collection.name) }
            return rows
        }
    }

    /// `count(*)` of rows of a collection that is loaded, at Strong consistency.
    func count(_ rows: RowSelection) async throws -> Int64 {
        try await retryingControl { try await target.count(rows) }
    }

    /// Calls `body` with the keys of a selection, ascending, some at a time; what it deletes of them is
    /// not met again.
    func eachKeys(
        of rows: RowSelection, _ body: ([PrimaryKey]) async throws -> Void
    ) async throws {
        var rows = rows
        while true {
            if stop.isRequested { throw StopoverError.interrupted }
            let asked = rows
            let keys = try await retryingControl {
                try await target.keys(of: asked, limit: OwnedKeys.keysPerQuestion)
            }
            guard let last = keys.last else { return }
            try await body(keys)
            rows.range.after = last
        }
    }

    func release(_ collection: CollectionName) async throws {
        try await retryingControl { try await target.release(collection) }
    }

    /// Returns when everything that was written before is durable. Tried once.
    func flush(_ collection: CollectionName) async throws {
        let ticket = try await target.flush(collection)
        while try await !target.isFlushed(ticket, of: collection) {
            try await Task.sleep(for: limits.flushPollInterval)
        }
    }
}
