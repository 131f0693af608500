import Testing

@testable import StopoverCore

@Suite("The indexes of a target")
struct IndexPlanTests {
    private func plan(
        _ source: CollectionDescription = .articles(), on target: ServerIdentity = .sample(2, 6, 4),
        _ change: (inout Mapping) -> Void
    ) -> IndexPlan {
        let mapping = Mapping.sample(change)
        let rules = TargetRules(target)
        var made = source
        let fields = FieldMapping(source, mapping, rules)
        made.schema.fields = fields.fields
        made.schema.isDynamicFieldEnabled = fields.keepsDynamic
        return IndexPlan(source, mapping, target: made, rules)
    }

    @Test("are AUTOINDEX on every vector, with the source's metric, and the rest is said")
    func auto() {
        let made = plan { $0.indexes = .auto }
        #expect(made.indexes == [.sample("v", "AUTOINDEX", "COSINE")])
        #expect(made.findings.map(\.code) == ["STO-PLAN-INDEX"])
        #expect(made.findings.first?.message.contains("year (INVERTED)") == true)
        #expect(plan { $0.indexes = .none }.indexes == [])
    }

    @Test("are those of the source, parameters and all, on fields of other names too")
    func copy() {
        let made = plan {
            $0.indexes = .copy
            $0.field("v") { $0.name = "embedding" }
        }
        var moved = CollectionDescription.articles().indexes
        moved[0].field = "embedding"
        moved[0].name = "embedding"
        #expect(Set(made.indexes) == Set(moved))
        #expect(made.findings == [])
        let named = CollectionDescription.articles { $0.indexes[0].name = "the_v" }
        #expect(
            plan(named) {
                $0.indexes = .copy
                $0.field("v") { $0.name = "embedding" }
            }.indexes.contains { $0.name == "the_v" && $0.field == "embedding" })
    }

    @Test("go with their fields")
    func dropped() {
        let made = plan {
            $0.indexes = .copy
            $0.field("year") { $0.isDropped = true }
        }
        #expect(made.indexes.map(\.field) == ["v"])
        #expect(made.findings == [])
        // A promoted key of the name of a dropped field is another field.
        let other = plan {
            $0.indexes = .copy
            $0.field("year") { $0.isDropped = true }
            $0.promotions = ["year": Mapping.Promotion(type: .varchar)]
        }
        #expect(other.indexes.map(\.field) == ["v"])
    }

    @Test(
        "that a target does not know are replaced on vectors and left out on scalars, and said",
        arguments: [
            (ServerIdentity.sample(2, 3, 5), "year", "INVERTED", nil),
            (.sample(2, 3, 5), "v", "BRUTE_FORCE", "AUTOINDEX"),
            (.sample(2, 4), "v", "HNSW_SQ", "AUTOINDEX"), (.sample(2, 4), "year", "BITMAP", nil),
            (.sample(2, 5), "v", "IVF_RABITQ", "AUTOINDEX"),
            (.lite3, "v", "IVF_PQ", "AUTOINDEX"), (.lite3, "v", "DISKANN", "AUTOINDEX"),
            (.lite3, "year", "STL_SORT", nil), (.lite3, "year", "AUTOINDEX", nil),
        ] as [(ServerIdentity, String, String, String?)])
    func unknown(
        _ target: ServerIdentity, _ field: String, _ type: String, _ instead: String?
    ) {
        let source = CollectionDescription.articles {
            $0.indexes = [.sample(field, type, field == "v" ? "L2" : nil)]
        }
        let made = plan(source, on: target) { $0.indexes = .copy }
        #expect(made.indexes == (instead.map { [.sample(field, $0, "L2")] } ?? []))
        #expect(made.findings.map(\.subject) == ["default.articles.\(field)"])
    }

    @Test(
        "that a target knows are kept",
        arguments: [
            (ServerIdentity.sample(2, 3, 5), "v", "HNSW"), (.sample(2, 3, 5), "v", "DISKANN"),
            (.sample(2, 3, 5), "year", "STL_SORT"), (.sample(2, 4), "year", "INVERTED"),
            (.sample(2, 6), "v", "SOME_FUTURE_INDEX"), (.lite3, "v", "IVF_SQ8"),
            (.lite3, "v", "BRUTE_FORCE"), (.lite3, "year", "INVERTED"),
            (.unread, "v", "BRUTE_FORCE"),
        ])
    func known(_ target: ServerIdentity, _ field: String, _ type: String) {
        let source = CollectionDescription.articles {
            $0.indexes = [.sample(field, type, field == "v" ? "L2" : nil)]
        }
        let made = plan(source, on: target) { $0.indexes = .copy }
        #expect(made.indexes == source.indexes)
        #expect(made.findings == [])
    }

    @Test("on sparse vectors follow their function and their server")
    func sparse() {
        let source = CollectionDescription.searched()
        let kept = plan(source) { $0.indexes = .auto }
        #expect(kept.indexes.contains(.sample("sparse", "AUTOINDEX", "BM25")))
        var bare = source
        bare.indexes = []
        #expect(
            plan(bare) { $0.indexes = .auto }.indexes.contains(
                .sample("sparse", "AUTOINDEX", "BM25")))
        #expect(
            plan(bare, on: .lite3) { $0.indexes = .auto }.indexes.contains(
                .sample("sparse", "SPARSE_INVERTED_INDEX", "BM25")))
        bare.schema.functions = []
        #expect(
            plan(bare) { $0.indexes = .auto }.indexes.contains(
                .sample("sparse", "AUTOINDEX", "IP")))
    }

    @Test("on vectors of a struct array go by the names of both")
    func structs() {
        let source = CollectionDescription.articles {
            $0.schema.fields.append(
                .sample("clips", .arrayOfStruct) {
                    $0.structFields = [
                        .sample("text", .array) { $0.elementType = .varchar },
                        .sample("embedding", .arrayOfVector, ["dim": "8"]),
                    ]
                })
            $0.indexes.append(.sample("clips[embedding]", "HNSW", "MAX_SIM_IP"))
        }
        let copied = plan(source) {
            $0.indexes = .copy
            $0.field("clips") { $0.name = "scenes" }
        }
        #expect(copied.indexes.contains(.sample("scenes[embedding]", "HNSW", "MAX_SIM_IP")))
        let auto = plan(source) { $0.indexes = .auto }
        #expect(auto.indexes.contains(.sample("clips[embedding]", "AUTOINDEX", "MAX_SIM_IP")))
    }

    @Test("on paths into dynamic fields are copied where the target has such indexes")
    func paths() {
        let source = CollectionDescription.articles {
            $0.indexes = [
                .sample(
                    "$meta", "INVERTED", nil,
                    ["json_path": "color", "json_cast_type": "varchar"])
            ]
        }
        #expect(plan(source) { $0.indexes = .copy }.indexes == source.indexes)
        let old = plan(source, on: .sample(2, 5, 10)) { $0.indexes = .copy }
        #expect(old.indexes == [] && old.findings.map(\.code) == ["STO-PLAN-INDEX"])
        let dropped = plan(source) {
            $0.indexes = .copy
            $0.keepsDynamicFields = false
        }
        #expect(dropped.indexes == [])
    }
}
