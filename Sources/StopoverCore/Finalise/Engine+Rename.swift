extension Engine {
    /// Gives a collection of the target another name, and looks whether it has it: an answer can be
    /// lost, and Milvus 2.3.5 and Lite 3 both answer success to renames that end elsewhere
    /// [measured]. May be repeated.
    func rename(_ name: CollectionName, to newName: CollectionName) async throws {
        guard name != newName else { return }
        try await retryingControl {
            // A rename whose answer was lost has happened: ask before each try.
            guard try await target.describe(name) != nil else { return }
            do {
                try await target.rename(name, to: newName)
            } catch let error as StopoverError where error.code == .collectionMissing {
                // An earlier try, or one of a run that was killed, came late: what is there counts.
            }
        }
        let isThere = try await retryingControl { try await target.describe(newName) != nil }
        guard isThere else {
            throw StopoverError(
                .renameLost,
                "the target answered that \(name) is now \(newName), and has no such collection",
                remedy: "Look for a collection of that name in its other databases. Nothing was "
                    + "lost; if it is back under its old name, run the same command again.")
        }
    }
}

extension StopoverError.Code {
    public static let renameLost = Self("STO-TARGET-RENAME-LOST", exit: .failed)
}
