/// A call that the user of the target's credentials has to be allowed, by Milvus's name of the
/// privilege. Versions differ in which privilege a call needs: what the server names counts.
public enum TargetRight: String, Sendable, CaseIterable {
    case createDatabase = "CreateDatabase"
    case createCollection = "CreateCollection"
    case createPartition = "CreatePartition"
    case insert = "Insert"
    case upsert = "Upsert"
    case delete = "Delete"
    case flush = "Flush"
    case getFlushState = "GetFlushState"
    case createIndex = "CreateIndex"
    case load = "Load"
    case getLoadState = "GetLoadState"
    case release = "Release"
    case query = "Query"
    case renameCollection = "RenameCollection"
    case dropCollection = "DropCollection"
    case createAlias = "CreateAlias"
}

extension TransferPlan {
    /// Of the collection that it makes, under names of its own. One that is added to is not asked
    /// after: a call on it would not be harmless.
    func rights(inNewDatabase isNew: Bool) -> Set<TargetRight> {
        guard !appends else { return [] }
        var rights: Set<TargetRight> = [
            .createCollection, .insert, .flush, .getFlushState, .dropCollection,
        ]
        if !lacksRename { rights.insert(.renameCollection) }
        if isNew { rights.insert(.createDatabase) }
        if target.partitions.contains(where: { $0.name != PartitionDescription.defaultName }) {
            rights.insert(.createPartition)
        }
        if !target.indexes.isEmpty { rights.insert(.createIndex) }
        if target.canBeLoaded { rights.formUnion([.load, .getLoadState, .release, .query]) }
        switch (doubts, settlingWrite) {
        case (.sweep, _), (.upsert, .deleteAndInsert): rights.insert(.delete)
        case (.upsert, .upsert): rights.insert(.upsert)
        case (.again, _), (.stop, _): break
        }
        if !target.aliases.isEmpty { rights.insert(.createAlias) }
        return rights
    }
}

/// Asks for each right by a call that does nothing: Milvus looks at the privilege first, and then
/// finds no such collection [measured on 2.3.5].
struct RightsProbe: Sendable {
    /// Before a random number: a name that no collection has.
    static let prefix = "__stopover_rights_"

    let target: any Target

    private static func nobody(in database: String) -> CollectionName {
        CollectionName(
            database: database,
            collection: RightsProbe.prefix + String(UInt64.random(in: 0 ... .max), radix: 16))
    }

    /// Whether the server knows the call at all.
    func canRename() async -> Bool {
        let name = RightsProbe.nobody(in: CollectionName.defaultDatabase)
        return await refusal(of: .renameCollection, on: name)?.code != .clusterUnimplemented
    }

    /// Names of privileges, each once.
    func missing(_ rights: Set<TargetRight>, in database: String) async -> [String] {
        let name = RightsProbe.nobody(in: database)
        var missing: [String] = []
        for right in TargetRight.allCases where rights.contains(right) {
            guard let error = await refusal(of: right, on: name), error.code == .clusterPermission
            else { continue }
            let privilege = error.cause?.firstMatch(of: /Privilege(\w+)/).map { String($0.1) }
            if !missing.contains(privilege ?? right.rawValue) {
                missing.append(privilege ?? right.rawValue)
            }
        }
        return missing
    }

    private func refusal(of right: TargetRight, on name: CollectionName) async -> StopoverError? {
        do throws(StopoverError) {
            switch right {
            // No name of a database.
            case .createDatabase: try await target.createDatabase("!")
            // No field, and so no primary key.
            case .createCollection:
                try await target.create(
                    CollectionDescription(name: name, schema: CollectionSchema(fields: [])))
            case .createPartition: try await target.createPartition("p", of: name)
            case .insert: return await refusal(ofWriting: .insert, to: name)
            case .upsert: return await refusal(ofWriting: .upsert, to: name)
            case .delete:
                try await target.delete([.int64(0)], of: RightsProbe.key, from: name)
            case .flush: _ = try await target.flush(name)
            case .getFlushState:
                _ = try await target.isFlushed(
                    FlushTicket(segmentIDs: [], timestamp: 0), of: name)
            case .createIndex:
                try await target.createIndex(
                    IndexDescription(name: "i", field: "f", params: [:]), on: name)
            case .load: try await target.load(name)
            case .getLoadState: _ = try await target.loadProgress(of: name)
            case .release: try await target.release(name)
            case .query:
                _ = try await target.count(
                    RowSelection(collection: name, primaryKey: RightsProbe.key))
            case .renameCollection:
                try await target.rename(
                    name,
                    to: CollectionName(database: name.database, collection: name.collection + "_"))
            case .dropCollection: try await target.drop(name)
            case .createAlias: try await target.createAlias(name.collection + "_", of: name)
            }
            return nil
        } catch {
            return error
        }
    }

    private func refusal(
        ofWriting mode: WriteMode, to name: CollectionName
    ) async -> StopoverError? {
        let outcome = await target.write(
            Batch(rowCount: 0, columns: []),
            to: InsertDestination(collection: name, partition: nil), mode: mode)
        return switch outcome {
        case .acknowledged: nil
        case .refused(let error), .unreached(let error), .rejected(let error),
            .tooLarge(let error), .fenced(let error), .inDoubt(let error):
            error
        }
    }

    private static let key = FieldSchema(name: "id", type: .int64)
}

extension Finding {
    static func missing(_ privileges: [String], in database: String) -> Finding {
        Finding(
            .refusal, code: "STO-PLAN-RIGHTS", subject: database,
            message: "the user of the target's credentials may not "
                + privileges.joined(separator: ", ") + " there",
            remedy: "Grant these privileges to a role of the user, for all collections: a copy has "
                + "a name of its own until it is complete (Docs/rights.md).")
    }
}
