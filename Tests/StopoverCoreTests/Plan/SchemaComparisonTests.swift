import Testing

@testable import StopoverCore

@Suite("What a target made, beside what it was asked for")
struct SchemaComparisonTests {
    private let asked = CollectionDescription.articles {
        $0.shards = 2
        $0.consistencyLevel = 1
        $0.properties = ["collection.ttl.seconds": "3600"]
        $0.schema.fields[3].typeParams["mmap.enabled"] = "true"
        $0.schema.functions = CollectionDescription.searched().schema.functions
    }

    private func differences(_ change: (inout CollectionDescription) -> Void) -> [String] {
        var made = asked
        change(&made)
        return SchemaComparison.differences(asked: asked, made: made)
    }

    private func losses(_ change: (inout CollectionDescription) -> Void) -> [String] {
        var made = asked
        change(&made)
        return SchemaComparison.losses(asked: asked, made: made)
    }

    @Test("is the same when it is")
    func same() {
        #expect(differences { _ in } == [])
        #expect(losses { _ in } == [])
        // What a server adds of its own is not a loss.
        #expect(
            losses {
                $0.properties["timezone"] = "UTC"
                $0.schema.fields[0].typeParams["warmup"] = "sync"
            } == [])
    }

    @Test("differs by what the rows need")
    func needed() {
        #expect(
            differences { $0.schema.fields[1].isNullable = false }
                == ["field title, nullable: asked true, made false"])
        #expect(differences { $0.schema.fields[5].typeParams["dim"] = "16" }.count == 1)
        #expect(differences { $0.schema.fields[2].defaultValue = .long(1) }.count == 1)
        #expect(differences { $0.schema.isDynamicFieldEnabled = false }.count == 1)
        #expect(differences { $0.schema.functions = [] }.count == 1)
        #expect(differences { $0.schema.functions[0].inputFields = ["title"] }.count == 1)
        #expect(differences { $0.schema.fields.removeLast() }.count == 1)
    }

    @Test("has lost what they do not need, which is said apart")
    func lost() {
        #expect(losses { $0.shards = 1 } == ["shards: asked 2, made 1"])
        #expect(losses { $0.consistencyLevel = 2 }.count == 1)
        #expect(
            losses { $0.properties = [:] }
                == ["property collection.ttl.seconds: asked 3600, made nothing"])
        #expect(losses { $0.schema.fields[3].typeParams["mmap.enabled"] = nil }.count == 1)
        #expect(losses { $0.indexes[0].params["index_type"] = "FLAT" }.count == 1)
        #expect(losses { $0.indexes.removeLast() }.count == 1)
        #expect(differences { $0.shards = 1 } == [])
    }
}
