import Testing

@testable import StopoverCore

@Suite("What a target can hold")
struct TargetRulesTests {
    private func codes(
        _ collection: CollectionDescription, on server: ServerIdentity
    ) -> [String] { TargetRules(server).findings(for: collection).map(\.code) }

    private func lost(
        _ server: ServerIdentity, _ field: FieldSchema
    ) -> [Finding] {
        let collection = CollectionDescription.articles {
            $0.schema.fields = [
                .sample("id", .int64) { $0.isPrimaryKey = true }, .vector("v"), field,
            ]
        }
        return TargetRules(server).findings(for: collection).filter {
            $0.subject == "default.articles.\(field.name)"
        }
    }

    /// Of each type: the first Go version that holds it, and whether Lite 3 does.
    static let types: [(type: DataType, since: [Int], lite: Bool)] = [
        (.bool, [], true), (.int8, [], true), (.int16, [], true), (.int32, [], true),
        (.int64, [], true), (.float, [], true), (.double, [], true), (.varchar, [], true),
        (.json, [2, 2, 9], true), (.array, [2, 3, 2], true),
        (.geometry, [2, 6, 4], true), (.timestamptz, [2, 6, 6], true), (.text, [3, 0], false),
        (.binaryVector, [], false), (.floatVector, [], true), (.float16Vector, [2, 4], false),
        (.bfloat16Vector, [2, 4], false), (.sparseFloatVector, [2, 4], true),
        (.int8Vector, [2, 6], false), (.arrayOfStruct, [2, 6, 4], false),
    ]
    static let versions = [
        [2, 2, 8], [2, 2, 9], [2, 3, 1], [2, 3, 2], [2, 3, 5], [2, 4, 0], [2, 4, 8], [2, 5, 0],
        [2, 6, 0], [2, 6, 3], [2, 6, 4], [2, 6, 6], [2, 6, 18], [3, 0, 0],
    ]

    @Test("is told type by type, for every version", arguments: types.indices)
    func everyType(_ index: Int) {
        let (type, since, lite) = Self.types[index]
        let field = FieldSchema.sample("f", type, ["dim": "8"])
        for version in Self.versions {
            let server = ServerIdentity(version: "\(version)", kind: .milvus, numbers: version)
            let holds = !version.lexicographicallyPrecedes(since)
            #expect(lost(server, field).refusals.isEmpty == holds, "\(type) on \(version)")
        }
        #expect(lost(.lite3, field).refusals.isEmpty == lite, "\(type) on Lite 3")
        #expect(lost(.unread, field).isEmpty, "the description of \(type) is compared instead")
    }

    @Test("grows with every version, and is told for every feature")
    func monotone() {
        for feature in ServerFeature.allCases {
            let held = Self.versions.map {
                TargetRules(ServerIdentity(version: "", kind: .milvus, numbers: $0)).has(feature)
            }
            // false…false true…true
            #expect(held == held.sorted { !$0 && $1 }, "\(feature)")
            #expect(held.last == true, "\(feature)")
            #expect(!feature.row.noun.isEmpty)
            if case .refused(let remedy) = feature.row.loss { #expect(!remedy.isEmpty) }
        }
    }

    @Test("refuses nulls on 2.3.5, and says what to write")
    func nulls() throws {
        let field = FieldSchema.sample("note", .varchar) {
            $0.isNullable = true
            $0.sourceName = "remark"
        }
        let refusal = try #require(lost(.sample(2, 3, 5), field).first)
        #expect(refusal.severity == .refusal)
        #expect(refusal.message.contains("(v2.3.5) has no nullable fields"))
        #expect(refusal.message.contains("2.5"))
        // In the words of migration.yaml, where fields have the source's names.
        #expect(refusal.remedy.contains("`nullable: false` for remark"))
        #expect(lost(.lite3, field) == [])
    }

    @Test("notes what the rows do not need, and takes it out of what is asked")
    func adapted() {
        let collection = CollectionDescription.articles {
            $0.shards = 4
            $0.consistencyLevel = 2
            $0.schema.description = "all of them"
            $0.schema.fields[1].description = "a title"
            $0.schema.fields[2].isClusteringKey = true
            $0.schema.fields[3].typeParams["mmap.enabled"] = "true"
        }
        let rules = TargetRules(.lite3)
        let findings = rules.findings(for: collection)
        #expect(findings.refusals == [])
        #expect(Set(findings.map(\.code)) == ["STO-PLAN-ATTRIBUTE-LOST"])
        for word in ["shards", "consistency", "descriptions", "clustering", "mmap"] {
            #expect(findings.contains { $0.message.contains(word) }, "\(word)")
        }
        let adapted = rules.adapted(collection)
        #expect(adapted.shards == 1)
        #expect(adapted.consistencyLevel == 0)
        #expect(adapted.schema.fields.filter(\.isClusteringKey) == [])
        #expect(adapted.schema.fields.filter { !$0.description.isEmpty } == [])
        #expect(rules.findings(for: adapted).map(\.subject) == ["default.articles.tenant"])
        // A server that has it all loses nothing.
        #expect(codes(collection, on: .sample(2, 6)) == [])
        #expect(TargetRules(.sample(2, 6)).adapted(collection) == collection)
    }

    @Test("counts vector fields, those of struct arrays among them")
    func vectors() {
        func collection(_ count: Int) -> CollectionDescription {
            .articles { made in
                made.schema.fields = [.sample("id", .int64) { $0.isPrimaryKey = true }]
                made.schema.fields += (1..<count).map { .vector("v\($0)") }
                made.schema.fields.append(
                    .sample("clips", .arrayOfStruct) {
                        $0.structFields = [.sample("embedding", .arrayOfVector, ["dim": "8"])]
                    })
            }
        }
        #expect(codes(collection(4), on: .sample(2, 6, 4)) == [])
        #expect(codes(collection(5), on: .sample(2, 6, 4)) == ["STO-PLAN-LIMIT"])
        #expect(codes(collection(10), on: .sample(2, 6, 4)) == ["STO-PLAN-LIMIT"])
        #expect(codes(collection(11), on: .sample(2, 6, 4)) == ["STO-PLAN-TARGET-CANNOT-HOLD"])
        let two = CollectionDescription.articles { $0.schema.fields.append(.vector("w")) }
        let refusal = TargetRules(.sample(2, 3, 5)).findings(for: two).refusals.first {
            $0.message.contains("several vector fields")
        }
        #expect(refusal?.message.contains("(v, w)") == true)
        let none = CollectionDescription.articles { $0.schema.fields.removeLast() }
        #expect(codes(none, on: .lite3) == ["STO-PLAN-TARGET-CANNOT-HOLD"])
    }

    @Test("refuses functions by what they do")
    func functions() {
        func collection(_ type: Int32) -> CollectionDescription {
            var made = CollectionDescription.searched()
            made.schema.functions[0].type = type
            return made
        }
        let cannot = "STO-PLAN-TARGET-CANNOT-HOLD"
        #expect(codes(collection(1), on: .sample(2, 4)).filter { $0 == cannot } == [cannot])
        #expect(codes(collection(1), on: .sample(2, 5)) == [])
        #expect(codes(collection(2), on: .sample(2, 5)) == [cannot])
        #expect(codes(collection(2), on: .lite3) == [])
        #expect(codes(collection(4), on: .lite3) == [cannot])
        // What a function reads may be null on few servers.
        let nullable = CollectionDescription.searched().withNullable("text")
        #expect(codes(nullable, on: .sample(2, 5)) == [cannot])
        #expect(codes(nullable, on: .sample(2, 6, 3)) == [])
    }

    @Test("takes names that its servers take")
    func names() {
        let odd = CollectionDescription.articles {
            $0.name = CollectionName(database: "9th", collection: "bad-name")
            $0.schema.fields[1].name = "a title"
        }
        #expect(codes(odd, on: .sample(2, 5)) == Array(repeating: "STO-PLAN-NAME", count: 3))
        #expect(codes(odd, on: .lite3) == [])
        let reserved = CollectionDescription.articles { $0.schema.fields[1].name = "Interval" }
        #expect(codes(reserved, on: .lite3) == ["STO-PLAN-NAME"])
        #expect(codes(reserved, on: .sample(2, 5)) == [])
    }

    @Test("says that Lite 3 holds few kinds of geometries")
    func geometry() {
        #expect(lost(.lite3, .sample("place", .geometry)).map(\.code) == ["STO-PLAN-LIMIT"])
    }
}

extension CollectionDescription {
    fileprivate func withNullable(_ name: String) -> CollectionDescription {
        var made = self
        for index in made.schema.fields.indices where made.schema.fields[index].name == name {
            made.schema.fields[index].isNullable = true
        }
        return made
    }
}
