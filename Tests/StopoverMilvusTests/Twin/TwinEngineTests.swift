import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverTesting

/// Calls that our client never makes, and replies as they lie on the wire.
@Suite("Twin: the server's own answers")
struct TwinEngineTests {
    private func engine(
        _ schema: MilvusCollectionSchema, _ store: MilvusTwin.Store = .memory
    ) throws -> TwinEngine {
        var options = MilvusTwin.Options()
        options.store = store
        let engine = try TwinEngine(options)
        let encoded: [UInt8] = try schema.serializedBytes()
        _ = try call(
            engine, .createCollection,
            MilvusCreateCollectionRequest.with {
                $0.collectionName = schema.name
                $0.schema = .init(encoded)
            })
        for field in schema.fields where field.dataType >= 100 {
            _ = try call(
                engine, .createIndex,
                MilvusCreateIndexRequest.with {
                    $0.collectionName = schema.name
                    $0.fieldName = field.name
                })
        }
        _ = try call(
            engine, .loadCollection,
            MilvusLoadCollectionRequest.with { $0.collectionName = schema.name })
        return engine
    }

    private func call(
        _ engine: TwinEngine, _ method: TwinMethod, _ request: some Message
    ) throws -> [UInt8] {
        try engine.answer(method, request.serializedBytes())
    }

    private static func field(_ name: String, _ type: DataType) -> MilvusFieldSchema {
        .with {
            $0.name = name
            $0.dataType = type.rawValue
            $0.isPrimaryKey = name == "id"
        }
    }

    private func longs(_ name: String, _ values: [Int64]) -> MilvusFieldData {
        .with {
            $0.type = DataType.int64.rawValue
            $0.fieldName = name
            $0.scalars.longData.data = values
        }
    }

    private func query(_ engine: TwinEngine, _ fields: [String]) throws -> MilvusQueryResults {
        let request = MilvusQueryRequest.with {
            $0.collectionName = "c"
            $0.expr = "id >= 0"
            $0.outputFields = fields
        }
        return try MilvusQueryResults(serializedBytes: call(engine, .query, request))
    }

    private let plain = MilvusCollectionSchema.with {
        $0.name = "c"
        $0.fields = [field("id", .int64)]
    }

    @Test("carry field ids, nulls with a placeholder in their place, and empty arrays as 0A 00")
    func wire() throws {
        let schema = MilvusCollectionSchema.with {
            $0.name = "c"
            $0.enableDynamicField = true
            $0.fields = [
                Self.field("id", .int64), Self.field("count", .int64), Self.field("tags", .array),
                Self.field("v", .floatVector), Self.field("size", .int32),
            ]
            $0.fields[1].nullable = true
            $0.fields[2].elementType = DataType.int32.rawValue
            $0.fields[3].nullable = true
            $0.fields[3].typeParams = [.pair("dim", "2")]
            $0.fields[4].defaultValue.intData = 77
        }
        let engine = try engine(schema)
        let insert = MilvusInsertRequest.with {
            $0.collectionName = "c"
            $0.numRows = 3
            $0.fieldsData = [
                longs("id", [2, 1, 3]),
                longs("count", [20]),
                .with {
                    $0.type = DataType.array.rawValue
                    $0.fieldName = "tags"
                    $0.scalars.arrayData.data = [[5], [], [6, 7]].map { tags in
                        .with { $0.intData.data = tags }
                    }
                },
                .with {
                    $0.type = DataType.floatVector.rawValue
                    $0.fieldName = "v"
                    $0.vectors.floatVector.data = [1, 2, 3, 4]
                    $0.validData = [true, false, true]
                },
            ]
            $0.fieldsData[1].validData = [true, false, false]
        }
        _ = try call(engine, .insert, insert)
        let reply = try query(engine, ["tags", "v", "$meta", "id", "size", "count"])
        #expect(
            reply.fieldsData.map(\.fieldName) == ["tags", "v", "$meta", "id", "size", "count"])
        #expect(reply.fieldsData.map(\.fieldID) == [102, 103, 105, 100, 104, 101])
        let tags = reply.fieldsData[0].scalars.arrayData
        #expect(tags.elementType == DataType.int32.rawValue)
        #expect(tags.data[0].data == nil && tags.data[1].intData.data == [5])
        #expect(reply.fieldsData[1].vectors.floatVector.data == [1, 2, 3, 4])
        #expect(reply.fieldsData[1].validData == [false, true, true])
        #expect(reply.fieldsData[2].isDynamic)
        #expect(
            reply.fieldsData[2].scalars.jsonData.data.map { String(decoding: $0, as: UTF8.self) }
                == ["{}", "{}", "{}"])
        #expect(reply.fieldsData[4].scalars.intData.data == [77, 77, 77])
        #expect(reply.fieldsData[5].scalars.longData.data == [0, 20, 0])
        #expect(reply.fieldsData[5].validData == [false, true, false])
        #expect(try query(engine, ["*"]).fieldsData.count == 6)
        #expect(try query(engine, ["v"]).fieldsData.map(\.fieldName) == ["v", "id"])
    }

    @Test("to Delete take every copy of the keys, and let the others be")
    func delete() throws {
        let engine = try engine(plain)
        for ids in [[1, 2, 3], [2, 3], [0]] as [[Int64]] {
            let insert = MilvusInsertRequest.with {
                $0.collectionName = "c"
                $0.numRows = UInt32(ids.count)
                $0.fieldsData = [longs("id", ids)]
            }
            _ = try call(engine, .insert, insert)
        }
        func delete(_ expression: String) throws -> Int64 {
            let request = MilvusDeleteRequest.with {
                $0.collectionName = "c"
                $0.expr = expression
            }
            return try MilvusMutationResult(serializedBytes: call(engine, .delete, request))
                .deleteCnt
        }
        #expect(try delete("id in [2, 9]") == 2)
        #expect(try query(engine, ["id"]).fieldsData[0].scalars.longData.data == [0, 1, 3])
        #expect(throws: TwinRefusal.self) { try delete("other > 0") }
        #expect(try delete("id < 0 or (id > 1 and id <= 3)") == 2)
        let again = MilvusInsertRequest.with {
            $0.collectionName = "c"
            $0.numRows = 1
            $0.fieldsData = [longs("id", [2])]
        }
        _ = try call(engine, .upsert, again)
        #expect(try query(engine, ["id"]).fieldsData[0].scalars.longData.data == [0, 1, 2])
    }

    @Test("about statistics count flushed rows, and hold the sums of a tally")
    func statistics() throws {
        let engine = try engine(plain, .tally)
        let insert = MilvusInsertRequest.with {
            $0.collectionName = "c"
            $0.numRows = 2
            $0.fieldsData = [longs("id", [7, -1])]
        }
        _ = try call(engine, .insert, insert)
        func stats() throws -> [String: String] {
            let request = MilvusGetCollectionStatisticsRequest.with { $0.collectionName = "c" }
            let reply = try MilvusGetCollectionStatisticsResponse(
                serializedBytes: call(engine, .getCollectionStatistics, request))
            return Dictionary(
                uniqueKeysWithValues: reply.stats.map { ($0.key, $0.value) })
        }
        #expect(try stats()["row_count"] == "0")
        _ = try call(engine, .flush, MilvusFlushRequest.with { $0.collectionNames = ["c"] })
        let after = try stats()
        #expect(after["row_count"] == "2" && after["twin.rows"] == "2")
        #expect(after["twin.least"] == "-1" && after["twin.greatest"] == "7")
        let sum = try #require(
            try engine.tally(of: CollectionName(collection: "c")).columns["id"])
        #expect(after["twin.checksum.id"] == String(sum, radix: 16))
    }

    @Test("about a collection that is there, and one that is not")
    func presence() throws {
        let engine = try engine(plain)
        func has(_ name: String) throws -> Bool {
            let request = MilvusHasCollectionRequest.with { $0.collectionName = name }
            return try MilvusBoolResponse(serializedBytes: call(engine, .hasCollection, request))
                .value
        }
        #expect(try has("c"))
        #expect(try !has("d"))
        let progress = MilvusGetLoadingProgressRequest.with { $0.collectionName = "c" }
        #expect(
            try MilvusGetLoadingProgressResponse(
                serializedBytes: call(engine, .getLoadingProgress, progress)
            ).progress == 100)
        #expect(throws: TwinRefusal.self) {
            try call(
                engine, .getLoadingProgress,
                MilvusGetLoadingProgressRequest.with { $0.collectionName = "d" })
        }
    }
}
