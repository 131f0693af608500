/// What a migration's rules choose from the collections that a source has.
public struct TransferSelection: Hashable, Sendable {
    /// By source name; no two have one target.
    public var requests: [TransferRequest]
    /// What the user should know of the rules themselves: a pattern that matches nothing.
    public var notes: [Finding]
}

extension Migration {
    /// Applies the rules: the first that matches a collection decides what becomes of it.
    /// - Throws: `STO-PLAN-NO-SUCH-COLLECTION` when a rule names a collection that is not there,
    ///   or that the file also excludes; `STO-PLAN-TARGET-CLASH` when two collections would
    ///   become one; `STO-PLAN-NOTHING-TO-DO` when nothing is left.
    public func transfers(
        for collections: [CollectionName]
    ) throws(StopoverError) -> TransferSelection {
        try refuseNamesThatAreNotThere(collections)
        var requests: [TransferRequest] = []
        var sourceOfTarget: [CollectionName: CollectionName] = [:]
        var usedRules: Set<Int> = []
        let names = Set(collections).sorted {
            ($0.database, $0.collection) < ($1.database, $1.collection)
        }
        for name in names where !excluded.contains(where: { $0.matches(name) }) {
            guard let index = rules.firstIndex(where: { $0.source.matches(name) }) else { continue }
            usedRules.insert(index)
            let request = rules[index].request(for: name)
            if let other = sourceOfTarget.updateValue(name, forKey: request.target) {
                throw StopoverError(
                    .targetClash, "\(other) and \(name) would both become \(request.target)",
                    remedy: "Give one of them another name with `target:`, or leave it out with "
                        + "`- source: \"!\(name)\"`.")
            }
            requests.append(request)
        }
        guard !requests.isEmpty else {
            throw StopoverError(
                .nothingToDo,
                "none of the source's \(names.count) collections is chosen by `collections:`",
                remedy: "`stopover inspect \(source.address)` lists them; correct the patterns.")
        }
        var notes = rules.indices.filter { !usedRules.contains($0) }.map { index in
            Finding(
                .note, code: "STO-PLAN-RULE-UNUSED", subject: "\(rules[index].source)",
                message: "this entry of `collections:` chooses nothing: no collection matches it "
                    + "that is not excluded or chosen by an entry before it")
        }
        for pattern in excluded where !names.contains(where: pattern.matches) {
            notes.append(
                Finding(
                    .note, code: "STO-PLAN-RULE-UNUSED", subject: "!\(pattern)",
                    message: "this entry of `collections:` excludes nothing"))
        }
        return TransferSelection(requests: requests, notes: notes)
    }

    /// The rule that decides about a collection, if any does.
    public func rule(for name: CollectionName) -> CollectionRule? {
        rules.first { $0.source.matches(name) }
    }

    private func refuseNamesThatAreNotThere(
        _ collections: [CollectionName]
    ) throws(StopoverError) {
        for rule in rules where !rule.source.isGlob {
            guard collections.contains(where: rule.source.matches) else {
                throw StopoverError(
                    .namedCollectionMissing, "the source has no collection \(rule.source)",
                    remedy: "`stopover inspect \(source.address)` lists the collections; correct "
                        + "`source:` in \(file).")
            }
            let name = CollectionName(
                database: rule.source.database, collection: rule.source.collection)
            if let exclude = excluded.first(where: { $0.matches(name) }) {
                throw StopoverError(
                    .namedCollectionMissing,
                    "\(name) is named in `collections:` and excluded there by \"!\(exclude)\"",
                    remedy: "Remove one of the two entries from \(file).")
            }
        }
    }
}

extension StopoverError.Code {
    public static let namedCollectionMissing = Self("STO-PLAN-NO-SUCH-COLLECTION", exit: .refused)
    public static let targetClash = Self("STO-PLAN-TARGET-CLASH", exit: .refused)
    public static let nothingToDo = Self("STO-PLAN-NOTHING-TO-DO", exit: .refused)
}
