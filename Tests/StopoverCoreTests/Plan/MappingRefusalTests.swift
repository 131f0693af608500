import Testing

@testable import StopoverCore

/// Each case: what is asked, the field that the refusal names, and a word of its sentence.
@Suite("A mapping that cannot be")
struct MappingRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var subject: String
        var says: String
        var source = CollectionDescription.articles()
        var change: @Sendable (inout Mapping) -> Void

        var testDescription: String { "\(subject): \(says)" }
    }

    static let cases: [Case] = [
        Case(subject: "articles.titel", says: "does not have") {
            $0.field("titel") { $0.isDropped = true }
        },
        Case(subject: "articles.id", says: "primary key cannot be dropped") {
            $0.field("id") { $0.isDropped = true }
        },
        Case(subject: "articles", says: "every vector field") {
            $0.field("v") { $0.isDropped = true }
        },
        Case(subject: "articles.id", says: "a primary key stays") {
            $0.field("id") { $0.isNullable = true }
        },
        Case(subject: "articles.v", says: "FLOAT_VECTOR stays") {
            $0.field("v") { $0.isNullable = true }
        },
        Case(subject: "articles.tenant", says: "never null: it may be null") {
            $0.partitionKey = "tenant"
            $0.field("tenant") { $0.isNullable = true }
        },
        Case(subject: "articles.price", says: "never null") { $0.partitionKey = "price" },
        Case(subject: "articles.v", says: "it is FLOAT_VECTOR") { $0.partitionKey = "v" },
        Case(subject: "articles.id", says: "it is the primary key") { $0.partitionKey = "id" },
        Case(subject: "articles.tenat", says: "no such field") { $0.partitionKey = "tenat" },
        Case(subject: "articles.year", says: "no value of type INT64") {
            $0.field("year") { $0.defaultValue = "soon" }
        },
        Case(subject: "articles.price", says: "no value of type DOUBLE") {
            $0.field("price") { $0.defaultValue = "inf" }
        },
        Case(subject: "articles.title", says: "65 bytes, and `max_length` is 64") {
            $0.field("title") { $0.defaultValue = String(repeating: "x", count: 65) }
        },
        Case(subject: "articles.v", says: "no defaults for fields of type FLOAT_VECTOR") {
            $0.field("v") { $0.defaultValue = "1" }
        },
        Case(subject: "articles.id", says: "primary key has no default") {
            $0.field("id") { $0.defaultValue = "1" }
        },
        Case(subject: "articles.year", says: "for VARCHAR") {
            $0.field("year") { $0.maxLength = 9 }
        },
        Case(subject: "articles.title", says: "1 to 65535") {
            $0.field("title") { $0.maxLength = 65_536 }
        },
        Case(subject: "articles.title", says: "1 to 65535") {
            $0.field("title") { $0.maxLength = 0 }
        },
        Case(subject: "articles.year", says: "two fields") {
            $0.field("title") { $0.name = "year" }
        },
        Case(subject: "articles.title", says: "\"like\" cannot be") {
            $0.field("title") { $0.name = "like" }
        },
        Case(subject: "articles.title", says: "\"9lives\" cannot be") {
            $0.field("title") { $0.name = "9lives" }
        },
        Case(subject: "articles.$meta", says: "cannot be") {
            $0.promotions = ["$meta": Mapping.Promotion(type: .json)]
        },
        Case(subject: "articles.year", says: "has already") {
            $0.promotions = ["year": Mapping.Promotion(type: .int64)]
        },
        Case(subject: "articles.color", says: "does not become a field of type FLOAT_VECTOR") {
            $0.promotions = ["color": Mapping.Promotion(type: .floatVector)]
        },
        Case(
            subject: "articles", says: "no dynamic fields",
            source: .articles { $0.schema.isDynamicFieldEnabled = false }
        ) { $0.promotions = ["color": Mapping.Promotion(type: .int64)] },
        Case(subject: "articles.year", says: "has already") {
            $0.autoID = .regenerate
            $0.keepKeyAs = "year"
        },
        Case(subject: "articles.id", says: "without `auto_id: regenerate`") {
            $0.keepKeyAs = "source_id"
        },
        Case(subject: "articles", says: "without indexes cannot be loaded") {
            $0.indexes = .none
            $0.loads = true
        },
        Case(subject: "articles", says: "17 shards") { $0.shards = 17 },
        Case(subject: "searched.text", says: "function bm25 reads", source: .searched()) {
            $0.field("text") { $0.isDropped = true }
        },
        Case(
            subject: "articles.tenant", says: "partition key cannot be dropped",
            source: .articles { $0.schema.fields[3].isPartitionKey = true }
        ) { $0.field("tenant") { $0.isDropped = true } },
        Case(
            subject: "articles.tenant", says: "never null",
            source: .articles { $0.schema.fields[3].isPartitionKey = true }
        ) { $0.field("tenant") { $0.isNullable = true } },
    ]

    @Test("is refused with the field, the reason and a way out", arguments: cases)
    func refused(_ asked: Case) throws {
        let made = FieldMapping(
            asked.source, .sample(asked.change), TargetRules(.sample(2, 6, 18)))
        let refusals = made.findings.refusals
        #expect(refusals.count == 1, "\(refusals)")
        let refusal = try #require(refusals.first)
        #expect(refusal.code == "STO-PLAN-MAPPING")
        #expect(refusal.subject == "default." + asked.subject)
        #expect(refusal.message.contains(asked.says), "\(refusal.message)")
        #expect(!refusal.remedy.isEmpty)
    }

    @Test("names the field that was probably meant")
    func nearest() throws {
        let made = FieldMapping(
            .articles(), .sample { $0.field("titel") { $0.maxLength = 9 } },
            TargetRules(.sample(2, 5)))
        #expect(made.findings.first?.remedy.contains("Did you mean `title`?") == true)
    }

    @Test(
        "has a default of no type that Milvus gives one",
        arguments: DataType.allCases.filter {
            $0.isVector || [.array, .json, .arrayOfStruct, .structure, .text].contains($0)
        })
    func noDefault(_ type: DataType) {
        #expect(throws: DefaultValue.Fault.typeWithoutDefaults) {
            try DefaultValue("1", for: FieldSchema(name: "f", type: type))
        }
    }

    @Test("takes defaults up to the bounds of their types, and none beyond")
    func bounds() throws {
        func value(_ text: String, _ type: DataType) -> DefaultValue? {
            try? DefaultValue(text, for: FieldSchema(name: "f", type: type))
        }
        #expect(value("-128", .int8) == .int(-128))
        #expect(value("128", .int8) == nil)
        #expect(value("32767", .int16) == .int(32767))
        #expect(value("-32769", .int16) == nil)
        #expect(value("2147483647", .int32) == .int(.max))
        #expect(value("2147483648", .int32) == nil)
        #expect(value("-9223372036854775808", .int64) == .long(.min))
        #expect(value("9223372036854775808", .int64) == nil)
        #expect(value("1.5", .int64) == nil)
        #expect(value("1e39", .float) == nil)
        #expect(value("1e39", .double) == .double(1e39))
        #expect(value("nan", .double) == nil)
        #expect(value("true", .bool) == .bool(true))
        #expect(value("yes", .bool) == nil)
        // Bytes are counted, not characters.
        #expect(throws: DefaultValue.Fault.tooLong(limit: 3)) {
            try DefaultValue("éé", for: .varchar("f", 3))
        }
        #expect(try DefaultValue("", for: .varchar("f", 3)) == .string(""))
    }
}
