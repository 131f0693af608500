import MilvusProto
import StopoverCore
import StopoverMilvus
import Testing

@Suite("A Milvus cluster")
struct MilvusClusterTests {
    static let name = CollectionName(database: "d", collection: "c")
    let missing = ScriptedTransport.Reply.failure(
        CallFailure(.unimplemented, "unknown method", wasSent: true))

    @Test("whose server has no GetVersion says what Connect says, or that it is unknown")
    func identity() async throws {
        let older = ScriptedTransport([
            .getVersion: [missing],
            .connect: [
                try .message(
                    MilvusConnectResponse.with { $0.serverInfo.buildTags = "v2.2.9" })
            ],
        ])
        #expect(try await MilvusCluster.scripted(older).identity().numbers == [2, 2, 9])
        let bare = ScriptedTransport([:])
        let identity = try await MilvusCluster.scripted(bare).identity()
        #expect(identity.kind == .unknown && identity.version == "unknown")
    }

    @Test("without databases has the default one")
    func databases() async throws {
        #expect(try await MilvusCluster.scripted(ScriptedTransport([:])).databases() == ["default"])
    }

    @Test("says nil for a collection or a database that is not there, and nothing else")
    func absent() async throws {
        for code in [Int32(100), 800] {
            let transport = ScriptedTransport([.describeCollection: [try .status(code: code)]])
            #expect(try await MilvusCluster.scripted(transport).describe(Self.name) == nil)
        }
        let broken = ScriptedTransport([.describeCollection: [try .status(code: 5)]])
        await #expect(throws: StopoverError.self) {
            try await MilvusCluster.scripted(broken).describe(Self.name)
        }
    }

    private func described(
        _ schema: MilvusCollectionSchema, states: [Int32] = [3], partitions: [String] = ["_default"]
    ) throws -> ScriptedTransport {
        ScriptedTransport([
            .describeCollection: [
                try .message(
                    MilvusDescribeCollectionResponse.with {
                        $0.schema = schema
                        $0.collectionID = 77
                        $0.numPartitions = 16
                        $0.shardsNum = 2
                    })
            ],
            .describeIndex: [try .status(code: 700, errorCode: 25)],
            .showPartitions: [
                try .message(MilvusShowPartitionsResponse.with { $0.partitionNames = partitions })
            ],
            .getLoadState: try states.map { state in
                try .message(MilvusGetLoadStateResponse.with { $0.state = state })
            },
        ])
    }

    @Test("asks for the load state of every partition: one that is missing shows in no answer")
    func partlyLoaded() async throws {
        let transport = try described(.init(), states: [3, 3, 1], partitions: ["_default", "p"])
        let collection = try #require(
            try await MilvusCluster.scripted(transport).describe(Self.name))
        #expect(collection.partitions.map(\.loadState) == [.loaded, .notLoaded])
        #expect(!collection.isLoaded)
        #expect(collection.indexes.isEmpty)
        #expect(collection.collectionID == 77 && collection.shards == 2)
        #expect(collection.partitionKeyPartitions == nil)
    }

    @Test("does not list the hidden partitions of a partition key")
    func partitionKey() async throws {
        let transport = try described(
            .with {
                $0.fields = [
                    .with {
                        $0.name = "tenant"
                        $0.dataType = 21
                        $0.isPartitionKey = true
                    }
                ]
            }, partitions: ["_default_0", "_default_1"])
        let collection = try #require(
            try await MilvusCluster.scripted(transport).describe(Self.name))
        #expect(collection.partitions.isEmpty)
        #expect(collection.partitionKeyPartitions == 16)
        #expect(!transport.methods.contains(.showPartitions))
    }

    @Test("counts at Strong, the key range and the partition in the question")
    func count() async throws {
        let transport = ScriptedTransport([
            .query: [
                try .message(
                    MilvusQueryResults.with {
                        $0.fieldsData = [
                            .with {
                                $0.fieldName = "count(*)"
                                $0.scalars.longData.data = [42]
                            }
                        ]
                    }), try .message(MilvusQueryResults()),
            ]
        ])
        let cluster = MilvusCluster.scripted(transport)
        let rows = RowSelection(
            collection: Self.name, primaryKey: FieldSchema(name: "id", type: .int64),
            partition: "p",
            range: KeyRange(after: .int64(1)))
        #expect(try await cluster.count(rows) == 42)
        let asked = try transport.request(MilvusQueryRequest.self, .query)
        #expect(asked.expr == "id > 1")
        #expect(asked.outputFields == ["count(*)"])
        #expect(asked.partitionNames == ["p"])
        #expect(asked.consistencyLevel == 0 && !asked.useDefaultConsistency)
        #expect(asked.queryParams.isEmpty)

        let error = await #expect(throws: StopoverError.self) { try await cluster.count(rows) }
        #expect(error?.code == .clusterContract)
    }

    @Test("counts all rows without an expression, and those of a partition with one, always true")
    func countEverything() async throws {
        let one = try ScriptedTransport.Reply.message(
            MilvusQueryResults.with { $0.fieldsData = [.with { $0.scalars.longData.data = [1] }] })
        // Without one Lite 3 forgets the partition; with one it looks at every row.
        for (partition, expression) in [(nil, ""), ("p", "id >= \"\"")] {
            let transport = ScriptedTransport([.query: [one]])
            let rows = RowSelection(
                collection: Self.name, primaryKey: FieldSchema(name: "id", type: .varchar),
                partition: partition)
            _ = try await MilvusCluster.scripted(transport).count(rows)
            #expect(
                try transport.request(MilvusQueryRequest.self, .query).expr == expression)
        }
    }

    @Test("asks for a page by name and key, sorted, at the timestamp or else at Strong")
    func page() async throws {
        let transport = ScriptedTransport([
            .query: [try .message(MilvusQueryResults()), try .status(code: 101)]
        ])
        let cluster = MilvusCluster.scripted(transport)
        var request = PageRequest(
            rows: RowSelection(
                collection: Self.name, primaryKey: FieldSchema(name: "id", type: .int64),
                partition: "p", range: KeyRange(after: .int64(3))),
            fields: [
                FieldSchema(name: "id", type: .int64), FieldSchema(name: "$meta", type: .json),
            ],
            rowLimit: 100, timestamp: PinnedTimestamp(5))
        #expect(try await cluster.page(request).lastKey == nil)
        let asked = try transport.request(MilvusQueryRequest.self, .query)
        #expect(asked.dbName == "d" && asked.collectionName == "c" && asked.expr == "id > 3")
        #expect(asked.outputFields == ["id", "$meta"] && asked.partitionNames == ["p"])
        #expect(asked.guaranteeTimestamp == 5 && asked.consistencyLevel == 4)
        let params = Dictionary(uniqueKeysWithValues: asked.queryParams.map { ($0.key, $0.value) })
        #expect(params == ["iterator": "True", "reduce_stop_for_best": "True", "limit": "100"])

        request.timestamp = nil
        let error = await #expect(throws: StopoverError.self) { try await cluster.page(request) }
        #expect(error?.code == .collectionNotLoaded && error?.isTransient == false)
        #expect(try transport.request(MilvusQueryRequest.self, .query).consistencyLevel == 0)
    }

    @Test("refuses to create over a name that is taken")
    func createTaken() async throws {
        let transport = try described(.init())
        let error = await #expect(throws: StopoverError.self) {
            try await MilvusCluster.scripted(transport).create(
                CollectionDescription(name: Self.name, schema: CollectionSchema(fields: [])))
        }
        #expect(error?.code == .collectionExists)
        #expect(!transport.methods.contains(.createCollection))
    }

    @Test("creates the partitions by name, and their number only for a partition key")
    func create() async throws {
        let transport = ScriptedTransport([
            .describeCollection: [try .status(code: 100)],
            .createCollection: [.bytes([])], .createPartition: [.bytes([])],
        ])
        var collection = CollectionDescription(
            name: Self.name,
            schema: CollectionSchema(fields: [FieldSchema(name: "id", type: .int64)]))
        collection.shards = 3
        collection.consistencyLevel = 2
        collection.properties = ["collection.ttl.seconds": "60"]
        collection.partitionKeyPartitions = 64
        collection.partitions = ["_default", "a", "b"].map {
            PartitionDescription(name: $0, loadState: .notLoaded)
        }
        try await MilvusCluster.scripted(transport).create(collection)
        #expect(
            transport.methods == [
                .describeCollection, .createCollection, .createPartition, .createPartition,
            ])
        let asked = try transport.request(MilvusCreateCollectionRequest.self, .createCollection)
        #expect(asked.shardsNum == 3 && asked.consistencyLevel == 2 && asked.numPartitions == 0)
        #expect(asked.properties.map(\.value) == ["60"])
        let schema = try MilvusCollectionSchema(serializedBytes: asked.schema)
        #expect(schema.fields.map(\.name) == ["id"])
    }

    @Test(
        "takes an index that is there already under the same terms for made",
        arguments: [
            ("L2", true), ("IP", false),
        ])
    func indexTwice(_ metric: String, _ isSame: Bool) async throws {
        let transport = ScriptedTransport([
            .createIndex: [
                try .message(
                    MilvusStatus.with {
                        $0.code = 35
                        $0.errorCode = 35
                    })
            ],
            .describeIndex: [
                try .message(
                    MilvusDescribeIndexResponse.with {
                        $0.indexDescriptions = [
                            .with {
                                $0.fieldName = "v"
                                $0.params = [
                                    .with {
                                        $0.key = "index_type"
                                        $0.value = "AUTOINDEX"
                                    },
                                    .with {
                                        $0.key = "metric_type"
                                        $0.value = "L2"
                                    },
                                ]
                            }
                        ]
                    })
            ],
        ])
        let cluster = MilvusCluster.scripted(transport)
        let index = IndexDescription(
            name: "v", field: "v", params: ["index_type": "AUTOINDEX", "metric_type": metric])
        if isSame {
            try await cluster.createIndex(index, on: Self.name)
        } else {
            let error = await #expect(throws: StopoverError.self) {
                try await cluster.createIndex(index, on: Self.name)
            }
            #expect(error?.code == .indexExists)
        }
    }

    @Test("has no timestamp to pin where the server allocates none")
    func pin() async throws {
        #expect(try await MilvusCluster.scripted(ScriptedTransport([:])).pinTimestamp() == nil)
        let transport = ScriptedTransport([
            .allocTimestamp: [try .message(MilvusAllocTimestampResponse.with { $0.timestamp = 9 })]
        ])
        #expect(try await MilvusCluster.scripted(transport).pinTimestamp() == PinnedTimestamp(9))
    }

    @Test("says what it means when a reply is not what was asked for")
    func garbage() async throws {
        let transport = ScriptedTransport([.showCollections: [.bytes([0xFF, 0xFF])]])
        let error = await #expect(throws: StopoverError.self) {
            try await MilvusCluster.scripted(transport).collections(in: "d")
        }
        #expect(error?.code == .clusterContract)
    }
}
