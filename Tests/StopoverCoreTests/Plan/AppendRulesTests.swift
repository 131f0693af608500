import Testing

@testable import StopoverCore

@Suite("A plan that appends")
struct AppendRulesTests {
    private func plan(
        to change: (inout CollectionDescription) -> Void = { _ in },
        _ mapping: (inout Mapping) -> Void = { _ in },
        from source: (inout CollectionDescription) -> Void = { _ in },
        on server: ServerIdentity = .sample(2, 6, 3)
    ) async throws -> TransferPlan {
        let existing = CollectionDescription.articles {
            $0.collectionID = 7
            change(&$0)
        }
        let plan = try await Planner(
            source: FakeCluster(.sample(2, 6), [.articles(source)]) { _ in 10 },
            target: FakeCluster(server, [existing])
        ).plan(
            [
                TransferRequest(
                    source: CollectionName(collection: "articles"),
                    target: CollectionName(collection: "articles"),
                    mapping: .sample {
                        $0.onExisting = .append
                        mapping(&$0)
                    })
            ], fingerprint: "f")
        return try #require(plan.transfers.first)
    }

    private func subjects(_ plan: TransferPlan) -> [String] {
        plan.refusals.filter { $0.code == "STO-PLAN-APPEND" }.map(\.subject)
    }

    @Test("takes the collection as it is, and makes nothing of its own of it")
    func fits() async throws {
        let made = try await plan(to: {
            $0.shards = 3
            $0.loadState = .notLoaded
            $0.partitions[0].loadState = .notLoaded
            $0.schema.fields[1].typeParams["max_length"] = "99"
        })
        #expect(made.appends && made.refusals == [])
        #expect(made.target.shards == 3 && made.target.collectionID == 7)
        #expect(
            made.columns.first { $0.sent.name == "title" }?.sent.typeParams["max_length"] == "99")
        #expect(made.findings.codes.contains("STO-PLAN-APPENDS"))
        #expect(made.doubts == .upsert && made.writeMode == .upsert)
    }

    @Test("to a collection that is not there makes it, as any other")
    func absent() async throws {
        let made = try await plan(to: { $0.name.collection = "others" })
        #expect(!made.appends && made.refusals == [])
        #expect(made.writeMode == .insert)
    }

    @Test("refuses a key of another making")
    func keys() async throws {
        #expect(
            try await subjects(plan(to: { $0.schema.fields[0].isAutoID = true })) == [
                "default.articles.id"
            ])
        let taking = try await plan(to: {
            $0.schema.fields[0].isAutoID = true
            $0.properties["allow_insert_auto_id"] = "true"
        })
        #expect(subjects(taking) == ["default.articles.id"])
        #expect(
            try await subjects(plan({ $0.autoID = .regenerate })) == ["default.articles.id"])
        let made = try await plan(
            to: { $0.schema.fields[0].isAutoID = true }, { $0.autoID = .regenerate })
        #expect(made.refusals == [] && made.doubts == .again && made.writeMode == .insert)
    }

    @Test("refuses a field that has no place there, and one that no row would have")
    func fields() async throws {
        #expect(
            try await subjects(plan(to: { $0.schema.fields.removeAll { $0.name == "year" } }))
                == ["default.articles.year"])
        #expect(
            try await subjects(plan(to: { $0.schema.fields.append(.varchar("more", 8)) }))
                == ["default.articles.more"])
        let less = try await plan(to: {
            $0.schema.fields.append(.varchar("more", 8) { $0.isNullable = true })
            $0.schema.fields.append(.varchar("other", 8) { $0.defaultValue = .string("x") })
        })
        #expect(less.refusals == [])
        #expect(
            try await subjects(plan(to: { $0.schema.isDynamicFieldEnabled = false }))
                == ["default.articles"])
        #expect(
            try await subjects(plan(to: { $0.schema.fields[2].type = .double }))
                == ["default.articles.year"])
        #expect(
            try await subjects(plan(to: { $0.schema.fields[5].typeParams["dim"] = "16" }))
                == ["default.articles.v"])
    }

    @Test("sends nulls only where null may be, and fills them as the mapping asks")
    func nulls() async throws {
        #expect(
            try await subjects(plan(to: { $0.schema.fields[1].isNullable = false }))
                == ["default.articles.title"])
        let filled = try await plan({
            $0.field("title") {
                $0.isNullable = false
                $0.defaultValue = "untitled"
            }
        })
        let title = filled.columns.first { $0.sent.name == "title" }?.sent
        // The field there may be null; the mapping asked that ours are not.
        #expect(title?.isNullable == false && title?.defaultValue == .string("untitled"))
    }

    @Test(
        "refuses partitions that are not there, an alias, and a collection that is loaded in part")
    func rest() async throws {
        func two(_ made: inout CollectionDescription) {
            made.partitions.append(PartitionDescription(name: "one", loadState: .loaded))
        }
        #expect(try await subjects(plan(from: two)) == ["default.articles"])
        #expect(try await plan(to: two, from: two).refusals == [])
        let keyed = try await plan(to: { $0.schema.fields[3].isPartitionKey = true }, from: two)
        #expect(keyed.refusals == [])
        let part = try await plan(to: {
            two(&$0)
            $0.partitions[1].loadState = .notLoaded
        })
        #expect(subjects(part) == ["default.articles"])
    }

    @Test("does not send a loaded collection of 2.3.5 what kills its query node")
    func deadly() async throws {
        func half(_ made: inout CollectionDescription) {
            made.schema.fields[5].type = .float16Vector
        }
        let old = ServerIdentity.sample(2, 3, 5)
        let loaded = try await plan(to: half, from: half, on: old)
        #expect(subjects(loaded).contains("default.articles.v"))
        let released = try await plan(
            to: {
                half(&$0)
                $0.loadState = .notLoaded
                $0.partitions[0].loadState = .notLoaded
            }, from: half, on: old)
        #expect(!subjects(released).contains("default.articles.v"))
        #expect(try await !subjects(plan(to: half, from: half)).contains("default.articles.v"))
    }
}
