/// How rows whose keys are ours are written once more, behind a fence, where they may be there already.
enum SettlingWrite: Hashable, Sendable {
    case upsert
    /// A delete by key, then an insert. To a collection with Auto ID that takes keys all the same, an upsert
    /// would give its rows new ones (milvus#46891, 2.6 to master).
    case deleteAndInsert(key: FieldSchema)
}

extension Target {
    /// Writes a batch so that each of its rows is there once, in the end. Never alone in doubt: a delete
    /// that comes late takes the rows of the insert behind it, as an upsert that comes late does, so
    /// that what a doubt was about is written again behind the next fence.
    func settle(
        _ batch: Batch, to destination: InsertDestination, by write: SettlingWrite
    ) async -> WriteOutcome {
        guard case .deleteAndInsert(let key) = write else {
            return await self.write(batch, to: destination, mode: .upsert)
        }
        do throws(StopoverError) {
            guard let column = batch.columns.first(where: { $0.name == key.name }) else {
                throw .noKeyColumn(key.name)
            }
            let keys = try codec.keys(in: column)
            for start in stride(from: 0, to: keys.count, by: OwnedKeys.keysPerQuestion) {
                let some = keys[start..<min(start + OwnedKeys.keysPerQuestion, keys.count)]
                try await delete(Array(some), of: key, from: destination.collection)
            }
        } catch {
            return error.isTransient ? .inDoubt(error) : .rejected(error)
        }
        return await self.write(batch, to: destination, mode: .insert)
    }
}

extension StopoverError {
    fileprivate static func noKeyColumn(_ name: String) -> StopoverError {
        StopoverError(
            .missingColumn, "a chunk has no column \(name), by which its rows are deleted",
            remedy: "Nothing was lost. `stopover cancel JOB --drop`, then run the migration again.")
    }
}
