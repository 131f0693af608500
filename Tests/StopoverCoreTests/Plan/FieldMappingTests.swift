import Testing

@testable import StopoverCore

@Suite("The fields of a target")
struct FieldMappingTests {
    private func map(
        _ source: CollectionDescription = .articles(), _ target: ServerIdentity = .sample(2, 6, 18),
        _ change: (inout Mapping) -> Void = { _ in }
    ) -> FieldMapping { FieldMapping(source, .sample(change), TargetRules(target)) }

    private func names(_ mapping: FieldMapping) -> [String] { mapping.fields.map(\.name) }

    @Test("are those of the source where nothing is asked, and every column goes through")
    func plain() {
        let source = CollectionDescription.articles()
        let made = map(source)
        #expect(made.fields == source.schema.fields)
        #expect(made.columns.map(\.read) == source.schema.fields + [.dynamicField])
        #expect(made.columns.map(\.sent) == source.schema.fields + [.dynamicField])
        #expect(made.read == made.columns.map(\.read))
        #expect(made.findings == [])
    }

    @Test("take another name, and functions follow")
    func rename() {
        let made = map(.searched()) {
            $0.field("text") { $0.name = "body" }
            $0.field("sparse") { $0.name = "words" }
        }
        #expect(names(made) == ["id", "body", "v", "words"])
        #expect(made.functions.map(\.inputFields) == [["body"]])
        #expect(made.functions.map(\.outputFields) == [["words"]])
        #expect(made.columns.map(\.sent.name) == ["id", "body", "v", "$meta"])
        #expect(made.columns.map(\.read.name) == ["id", "text", "v", "$meta"])
        #expect(made.fields.map(\.sourceName) == [nil, "text", nil, "sparse"])
        #expect(made.findings.refusals == [])
    }

    @Test("that functions make are in the schema, and neither read nor sent")
    func outputs() {
        let made = map(.searched())
        #expect(made.fields.first { $0.name == "sparse" }?.isFunctionOutput == true)
        #expect(!made.read.contains { $0.name == "sparse" })
        #expect(!made.columns.contains { $0.sent.name == "sparse" })
        #expect(made.findings.codes == ["STO-PLAN-FUNCTION"])
        // Without its output, the function goes too.
        let dropped = map(.searched()) { $0.field("sparse") { $0.isDropped = true } }
        #expect(dropped.functions == [])
        #expect(dropped.findings.codes == ["STO-PLAN-FUNCTION-DROPPED"])
    }

    @Test("that are dropped are neither read, sent nor made")
    func drop() {
        let made = map { $0.field("price") { $0.isDropped = true } }
        #expect(names(made) == ["id", "title", "year", "tenant", "v"])
        #expect(!made.read.contains { $0.name == "price" })
        #expect(!made.columns.contains { $0.read.name == "price" })
    }

    @Test("become nullable, or not null with a default for the nulls")
    func nullability() {
        let made = map {
            $0.field("year") { $0.isNullable = true }
            $0.field("title") {
                $0.isNullable = false
                $0.defaultValue = "untitled"
            }
            $0.field("price") { $0.isNullable = false }
        }
        #expect(made.fields[2].isNullable)
        #expect(!made.fields[1].isNullable)
        #expect(made.fields[1].defaultValue == .string("untitled"))
        #expect(made.columns[1].read.isNullable && !made.columns[1].sent.isNullable)
        // Nulls of `price` have nowhere to go.
        let note = made.findings.about("STO-PLAN-NULLS")
        #expect(note?.subject == "default.articles.price")
        #expect(note?.message.contains("on_bad_row: stop") == true)
        #expect(made.findings.count == 1)
    }

    @Test("that stay nullable and get a default lose their nulls, which is said")
    func nullableDefault() {
        let made = map { $0.field("price") { $0.defaultValue = "0" } }
        #expect(made.findings.codes == ["STO-PLAN-NULLS-FILLED"])
        #expect(map { $0.field("year") { $0.defaultValue = "0" } }.findings == [])
    }

    @Test("become longer without a word, and shorter with one")
    func length() {
        let longer = map { $0.field("title") { $0.maxLength = 65_535 } }
        #expect(longer.fields[1].typeParams["max_length"] == "65535")
        #expect(longer.findings == [])
        let shorter = map { $0.field("title") { $0.maxLength = 10 } }
        #expect(shorter.findings.codes == ["STO-PLAN-SHORTER"])
        // The default that the source has must still fit.
        let source = CollectionDescription.articles {
            $0.schema.fields[1].defaultValue = .string("eleven byte")
        }
        let tooLong = map(source) { $0.field("title") { $0.maxLength = 10 } }
        #expect(tooLong.findings.refusals.map(\.subject) == ["default.articles.title"])
    }

    @Test("keep the source's key beside new ones")
    func keepKey() throws {
        let source = CollectionDescription.articles {
            $0.schema.fields[0] = .varchar("id", 100) { $0.isPrimaryKey = true }
        }
        let made = map(source) {
            $0.autoID = .regenerate
            $0.keepKeyAs = "source_id"
        }
        #expect(made.fields[0].isAutoID && made.fields[0].isPrimaryKey)
        let kept = try #require(made.fields.last)
        #expect(kept == .varchar("source_id", 100))
        // The key is read once and sent once, under its new name.
        let key = made.columns.filter { $0.read.name == "id" }
        #expect(key.map(\.sent.name) == ["source_id"])
        #expect(made.read.filter { $0.name == "id" }.count == 1)
    }

    @Test("are made of dynamic keys")
    func promote() {
        let made = map {
            var color = Mapping.Promotion(type: .varchar)
            color.maxLength = 16
            var weight = Mapping.Promotion(type: .int64)
            weight.isNullable = false
            $0.promotions = ["weight": weight, "color": color]
            $0.partitionKey = "weight"
        }
        #expect(made.promoted.map(\.name) == ["color", "weight"])
        #expect(made.promoted == Array(made.fields.suffix(2)))
        #expect(made.promoted.map(\.isNullable) == [true, false])
        #expect(made.promoted.map(\.isPartitionKey) == [false, true])
        // The rest stays dynamic.
        #expect(made.columns.last == ColumnMapping(read: .dynamicField, sent: .dynamicField))
    }

    @Test("leave dynamic keys behind, which are read all the same to be counted")
    func dropDynamic() {
        let made = map { $0.keepsDynamicFields = false }
        #expect(!made.keepsDynamic)
        #expect(made.read.last == .dynamicField)
        #expect(!made.columns.contains { $0.read.isDynamic })
        #expect(made.findings.codes == ["STO-PLAN-DYNAMIC-DROPPED"])
    }

    @Test("have one partition key, by the name that it has on the source")
    func partitionKey() {
        let source = CollectionDescription.articles { $0.schema.fields[2].isPartitionKey = true }
        let made = map(source) {
            $0.partitionKey = "tenant"
            $0.field("tenant") { $0.name = "owner" }
        }
        #expect(made.fields.filter(\.isPartitionKey).map(\.name) == ["owner"])
        #expect(made.columns.filter(\.sent.isPartitionKey).map(\.sent.name) == ["owner"])
        // A field that may be null becomes one when its nulls are filled.
        let filled = map {
            $0.partitionKey = "title"
            $0.field("title") {
                $0.isNullable = false
                $0.defaultValue = "none"
            }
        }
        #expect(filled.findings.refusals == [])
    }

    @Test("are as the service proposes: scalars nullable, but the keys; dynamic fields")
    func service() {
        let source = CollectionDescription.articles {
            $0.schema.isDynamicFieldEnabled = false
            $0.schema.fields[3].isPartitionKey = true
        }
        let made = map(source) { $0.usesServiceDefaults = true }
        #expect(made.fields.map(\.isNullable) == [false, true, true, false, true, false])
        #expect(made.keepsDynamic)
        // Where nothing can be null, that is said, field by field.
        let old = map(source, .sample(2, 4)) { $0.usesServiceDefaults = true }
        #expect(old.findings.map(\.code) == ["STO-PLAN-SERVICE-DEFAULTS"])
        #expect(old.findings.map(\.subject) == ["default.articles.year"])
    }

    @Test("get what Go servers want said and Lite 3 does not say")
    func completed() {
        let source = CollectionDescription.articles {
            $0.schema.fields.append(
                .sample("tags", .array, ["max_capacity": "8"]) { $0.elementType = .varchar })
            $0.schema.fields.append(.sample("free", .varchar))
        }
        let made = map(source, .sample(2, 5))
        #expect(made.fields.suffix(2).map { $0.typeParams["max_length"] } == ["65535", "65535"])
        #expect(made.findings.map(\.code) == ["STO-PLAN-COMPLETED", "STO-PLAN-COMPLETED"])
        #expect(map(source, .lite3).findings == [])
    }
}
