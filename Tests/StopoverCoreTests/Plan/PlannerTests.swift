import Foundation
import Testing

@testable import StopoverCore

@Suite("A plan")
struct PlannerTests {
    private let name = CollectionName(collection: "articles")
    private let moved = CollectionName(database: "library", collection: "articles")

    private func plan(
        _ source: FakeCluster, _ target: FakeCluster = FakeCluster(.sample(2, 6, 3)),
        _ change: (inout Mapping) -> Void = { _ in }
    ) async throws -> TransferPlan {
        let plan = try await Planner(source: source, target: target).plan(
            [TransferRequest(source: name, target: moved, mapping: .sample(change))],
            fingerprint: "f")
        return try #require(plan.transfers.first)
    }

    private func source(
        rows: Int64 = 1_000, _ change: (inout CollectionDescription) -> Void = { _ in }
    ) -> FakeCluster {
        FakeCluster(.sample(2, 6), [.articles(change)]) { _ in rows }
    }

    @Test("counts what will be read: by partition, and only what the filter matches")
    func counts() async throws {
        let parted = CollectionDescription.articles {
            $0.partitions.append(PartitionDescription(name: "one", loadState: .loaded))
            $0.partitions.append(PartitionDescription(name: "two", loadState: .loaded))
        }
        let source = FakeCluster(.sample(2, 6), [parted]) { rows in
            (rows.partition == "one" ? 10 : 100) + (rows.filter == nil ? 1_000 : 0)
        }
        let all = try await plan(source)
        #expect(all.sourceRows == 3_210)
        #expect(all.partitions == ["_default", "one", "two"])
        let filtered = try await plan(source) {
            $0.filter = "year >= 2015"
            $0.partitions = ["one"]
        }
        #expect(filtered.sourceRows == 10)
        #expect(filtered.rows(of: "one").filter == "year >= 2015")
        #expect(filtered.partitions == ["one"])
        #expect(filtered.target.partitions.map(\.name) == ["_default", "one"])
        let unknown = try await plan(source) { $0.partitions = ["ohne"] }
        #expect(unknown.refusals.map(\.code) == ["STO-PLAN-MAPPING"])
        #expect(source.changes == [])
    }

    @Test("says so when no row matches, and refuses a filter that the source does not take")
    func filters() async throws {
        let empty = try await plan(source(rows: 0)) { $0.filter = "year > 3000" }
        #expect(empty.findings.codes.contains("STO-PLAN-FILTER-EMPTY"))
        #expect(empty.refusals == [])
        let refusing = FakeCluster(.sample(2, 6), [.articles()]) { _ throws(StopoverError) in
            throw StopoverError(.noPrimaryKey, "cannot parse expression", remedy: "")
        }
        let refused = try await plan(refusing) { $0.filter = "yaer > 1" }
        #expect(refused.refusals.map(\.code) == ["STO-PLAN-FILTER"])
        #expect(refused.refusals.first?.message.contains("cannot parse") == true)
        // Without a filter it is no finding, but the end.
        await #expect(throws: StopoverError.self) { try await plan(refusing) }
    }

    @Test("refuses a source of which a part is not loaded, and names the part")
    func notLoaded() async throws {
        let partly = try await plan(
            source {
                $0.partitions.append(PartitionDescription(name: "cold", loadState: .notLoaded))
            })
        #expect(partly.refusals.map(\.code) == ["STO-SOURCE-NOT-LOADED"])
        #expect(partly.refusals.first?.message.contains("not loaded: cold") == true)
        #expect(partly.sourceRows == 0)
    }

    @Test("refuses a name that is taken, and makes a database that is missing")
    func names() async throws {
        let two = [moved, CollectionName(database: "library", collection: "again")]
        let fresh = try await Planner(source: source(), target: FakeCluster()).plan(
            two.map { TransferRequest(source: name, target: $0, mapping: .sample { _ in }) },
            fingerprint: "f")
        // Once for all collections of it.
        #expect(fresh.allFindings.filter { $0.code == "STO-PLAN-DATABASE-NEW" }.count == 1)
        #expect(fresh.allFindings.about("STO-PLAN-DATABASE-NEW")?.subject == "library")
        let taken = FakeCluster(.sample(2, 6, 3), [.articles { $0.name = moved }])
        #expect(
            try await plan(source(), taken).refusals.map(\.code) == ["STO-PLAN-TARGET-EXISTS"])
        #expect(taken.changes == [])
    }

    @Test("keeps aliases that nobody else has")
    func aliases() async throws {
        let other = CollectionDescription.articles {
            $0.name = CollectionName(database: "library", collection: "books")
            $0.aliases = ["reading"]
        }
        let made = try await plan(
            source { $0.aliases = ["reading", "texts"] }, FakeCluster(.sample(2, 5), [other]))
        #expect(made.target.aliases == ["texts"])
        #expect(made.findings.about("STO-PLAN-ALIAS-TAKEN")?.subject == "library.reading")
    }

    @Test("shares out aliases of collections that meet in one database")
    func sharedAliases() async throws {
        let names = [("a", "one"), ("b", "two"), ("c", "three")].map {
            CollectionName(database: $0.0, collection: $0.1)
        }
        let source = FakeCluster(
            .sample(2, 5),
            names.map { name in
                .articles {
                    $0.name = name
                    $0.aliases = name.database == "c" ? ["one"] : ["latest"]
                }
            })
        let plan = try await Planner(source: source, target: FakeCluster()).plan(
            names.map {
                TransferRequest(
                    source: $0,
                    target: CollectionName(database: "all", collection: $0.collection))
            }, fingerprint: "f")
        // `latest` goes to the first; `one` is the name of a collection there.
        #expect(plan.transfers.map(\.target.aliases) == [["latest"], [], []])
        #expect(plan.refusals == [])
    }

    @Test("makes one shard per hundred million rows, and never fewer than the source has")
    func shards() async throws {
        func shards(
            rows: Int64, source shards: Int32 = 1, on target: ServerIdentity = .sample(2, 5),
            _ change: (inout Mapping) -> Void = { _ in }
        ) async throws -> (Int32, [String]) {
            let made = try await plan(
                source(rows: rows) { $0.shards = shards }, FakeCluster(target), change)
            let notes = made.findings.filter { $0.code == "STO-PLAN-SHARDS" }
            return (made.target.shards, notes.map(\.message))
        }
        #expect(try await shards(rows: 0) == (1, []))
        #expect(try await shards(rows: 100_000_000) == (1, []))
        #expect(try await shards(rows: 100_000_001).0 == 2)
        #expect(try await shards(rows: 1_000_000_000).0 == 10)
        #expect(try await shards(rows: 1_000_000_000).1.count == 1)
        #expect(try await shards(rows: 1_000_000_001).1.count == 2)
        #expect(try await shards(rows: 90_000_000_000).0 == 16)
        #expect(try await shards(rows: 5, source: 4) == (4, []))
        #expect(try await shards(rows: 5, source: 4) { $0.shards = 2 } == (2, []))
        #expect(try await shards(rows: 5, source: 4) { $0.usesServiceDefaults = true }.0 == 1)
        // Lite 3 has one, whatever the rule says; said once.
        #expect(try await shards(rows: 1_000_000_000, source: 4, on: .lite3) == (1, []))
    }

    @Test("keeps keys of Auto ID, and Auto ID itself where the target allows it")
    func autoID() async throws {
        let keyed = source { $0.schema.fields[0].isAutoID = true }
        let kept = try await plan(keyed)
        #expect(kept.target.schema.primaryKey?.isAutoID == true)
        #expect(kept.target.properties["allow_insert_auto_id"] == "true")
        #expect(kept.findings.codes.contains("STO-PLAN-AUTO-ID-KEPT"))
        #expect(kept.columns.contains { $0.sent.name == "id" })
        for server in [ServerIdentity.sample(2, 6, 2), .lite3, .unread] {
            let off = try await plan(keyed, FakeCluster(server))
            #expect(off.target.schema.primaryKey?.isAutoID == false)
            #expect(off.target.properties == [:])
            #expect(off.findings.codes.contains("STO-PLAN-AUTO-ID-OFF"))
        }
        let new = try await plan(keyed) { $0.autoID = .regenerate }
        #expect(new.regeneratesKeys)
        #expect(new.target.schema.primaryKey?.isAutoID == true)
        #expect(!new.columns.contains { $0.sent.name == "id" })
    }

    @Test("takes the best rung for keys that are not kept, and promises no more than that")
    func ladder() async throws {
        let regenerated = { (mapping: inout Mapping) in mapping.autoID = .regenerate }
        let minted = try await plan(source(), FakeCluster(.sample(2, 6, 3)), regenerated)
        #expect(minted.keys == .minted && minted.doubts == .upsert)
        #expect(minted.target.properties == ["allow_insert_auto_id": "true"])
        let key = try #require(minted.target.schema.primaryKey)
        #expect(minted.settlingWrite == .deleteAndInsert(key: key))
        #expect(minted.promise.hasPrefix("exactly once: keys are numbers of our own"))

        for server in [ServerIdentity.sample(2, 6, 2), .sample(2, 3, 5), .lite3, .unread] {
            let swept = try await plan(source(), FakeCluster(server), regenerated)
            #expect(swept.keys == .target && swept.doubts == .sweep)
            #expect(swept.target.properties == [:])
            #expect(swept.promise.hasSuffix("deleted behind a fence"))
        }
        let kept = try await plan(source())
        #expect(kept.keys == .source && kept.settlingWrite == .upsert)
    }

    @Test(
        "settles keys that an Auto ID collection was given by delete and insert: an upsert makes new ones"
    )
    func keptAutoID() async throws {
        let kept = try await plan(source { $0.schema.fields[0].isAutoID = true })
        let key = try #require(kept.target.schema.primaryKey)
        #expect(kept.keys == .source && kept.settlingWrite == .deleteAndInsert(key: key))
    }

    @Test("on a target that cannot rename has no fence but time, says so, and replaces nothing")
    func withoutRename() async throws {
        let target = FakeCluster(.sample(2, 6), unknown: ["rename"])
        let plain = try await plan(source(), target)
        #expect(plain.lacksRename && plain.refusals == [])
        #expect(plain.findings.codes.contains("STO-PLAN-NO-RENAME"))
        #expect(plain.promise.contains("after 10 times the longest that a write may take"))
        let name = StagingName(plain, jobTag: "00000000")
        #expect(
            name.name(epoch: 1) == plain.target.name && name.name(epoch: 9) == plain.target.name)
        let replaced = try await plan(source(), target) { $0.onExisting = .replace }
        #expect(replaced.refusals.codes == ["STO-PLAN-NO-RENAME"])
        let renaming = try await plan(source())
        #expect(!renaming.lacksRename && renaming.promise.hasSuffix("behind a fence"))
    }

    @Test("moves a partition key: named partitions are not kept, and that is said")
    func partitionKey() async throws {
        let parted = source {
            $0.partitions.append(PartitionDescription(name: "one", loadState: .loaded))
        }
        let made = try await plan(parted) { $0.partitionKey = "tenant" }
        #expect(made.partitions == nil)
        #expect(made.target.partitions == [])
        #expect(made.target.partitionKeyPartitions == 16)
        #expect(made.findings.codes.contains("STO-PLAN-PARTITIONS-LOST"))
        let counted = source {
            $0.schema.fields[2].isPartitionKey = true
            $0.partitionKeyPartitions = 64
            $0.partitions = []
        }
        let other = try await plan(counted) { $0.partitionKey = "tenant" }
        #expect(other.target.partitionKeyPartitions == 64)
        #expect(other.target.schema.partitionKey?.name == "tenant")
    }

    @Test("asks for nothing that the target lacks, but says what that is")
    func adapted() async throws {
        let made = try await plan(
            source {
                $0.shards = 4
                $0.consistencyLevel = 2
            }, FakeCluster(.lite3))
        #expect(made.target.shards == 1)
        #expect(made.target.consistencyLevel == 0)
        #expect(made.findings.codes.contains("STO-PLAN-ATTRIBUTE-LOST"))
        #expect(made.refusals == [])
    }

    @Test("ends at a collection that is not there, or that has no key")
    func missing() async throws {
        await #expect(throws: StopoverError.self) { try await plan(FakeCluster()) }
        await #expect(throws: StopoverError.self) {
            try await plan(source { $0.schema.fields.removeFirst() })
        }
    }

    @Test("estimates what is sent, without what is dropped or made by functions")
    func estimate() async throws {
        let whole = try await plan(source())
        let less = try await plan(source()) {
            $0.field("v") { $0.isDropped = true }
            $0.keepsDynamicFields = false
        }
        #expect(whole.estimatedRowBytes > less.estimatedRowBytes + 32)
        #expect(whole.estimatedBytes == 1_000 * Int64(whole.estimatedRowBytes))
        #expect(try await plan(source(rows: .max)).estimatedBytes == .max)
    }

    // MARK: Of a whole file

    private func migration(source: String, target: String) throws -> Migration {
        try Migration(
            yaml: """
                source: {uri: "\(source)"}
                target: {uri: "\(target)"}
                limits: {write_bytes_per_second: 1MiB}
                """, file: "night.yaml")
    }

    @Test("of a file has the rules of the clusters' plans, and the size of it all")
    func file() async throws {
        let source = source(rows: 1_000_000)
        let dedicated = "https://in01-0.aws-us-west-2.vectordb.zillizcloud.com:19530"
        let serverless = "https://in03-0.serverless.gcp-us-west1.vectordb.zillizcloud.com"
        let plan = try await Planner.plan(
            try migration(source: dedicated, target: serverless), source: source,
            target: FakeCluster(), freeDiskBytes: 1 << 20)
        #expect(plan.refusals.codes == ["STO-PLAN-CLUSTER-PLAN", "STO-PLAN-DISK"])
        #expect(plan.allFindings.codes.contains("STO-PLAN-CLUSTER-PLAN-GUESSED"))
        let capacity = try #require(plan.capacity)
        #expect(capacity.rows == 1_000_000)
        #expect(capacity.limit == .writeLimit)
        #expect(capacity.bytes == plan.transfers.first?.estimatedBytes)
        let free = try await Planner.plan(
            try migration(source: "http://127.0.0.1:19530", target: "http://127.0.0.1:19531"),
            source: source, target: FakeCluster())
        #expect(free.refusals == [])
        #expect(source.changes == [])
    }

    @Test("is stored whole: plan.json reads back as it was written")
    func stored() async throws {
        let plan = try await Planner.plan(
            try migration(source: "http://127.0.0.1:1", target: "http://127.0.0.1:2"),
            source: source { $0.aliases = ["texts"] }, target: FakeCluster(.lite3))
        #expect(plan.format == 4)
        let data = try JSONEncoder().encode(plan)
        #expect(try JSONDecoder().decode(MigrationPlan.self, from: data) == plan)
    }
}

@Suite("A plan asks for rights")
struct RightsPlanTests {
    private func plan(
        denied: Set<String>, _ server: ServerIdentity = .sample(2, 6),
        _ change: (inout Mapping) -> Void = { _ in }
    ) async throws -> (MigrationPlan, FakeCluster) {
        let target = FakeCluster(server, denied: denied)
        let name = CollectionName(collection: "articles")
        let plan = try await Planner(
            source: FakeCluster(.sample(2, 6), [.articles()]) { _ in 1 }, target: target
        ).plan(
            [TransferRequest(source: name, target: name, mapping: .sample(change))],
            fingerprint: "f")
        return (plan, target)
    }

    @Test("by calls that change nothing, and names all that are missing, by the server's names")
    func missing() async throws {
        let (plan, target) = try await plan(denied: ["write", "rename", "drop", "delete"])
        let refusal = try #require(plan.refusals.first)
        #expect(plan.refusals.count == 1 && refusal.code == "STO-PLAN-RIGHTS")
        #expect(
            refusal.message.contains("may not Insert, Upsert, RenameCollection, DropCollection"))
        #expect(target.changes == [])
    }

    @Test("only for what it will do, and of no server without users")
    func needed() async throws {
        let denied: Set<String> = ["delete", "createPartition", "createAlias", "createDatabase"]
        #expect(try await plan(denied: denied).0.refusals == [])
        let made = try await plan(denied: denied) { $0.autoID = .regenerate }.0
        #expect(made.refusals.first?.message.contains("may not Delete there") == true)
        #expect(try await plan(denied: ["write"], .lite3).0.refusals == [])
    }
}
