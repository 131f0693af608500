import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverMilvus

/// A page as a target gets it: framed, sent, decoded.
enum Delivery {
    static let destination = InsertDestination(
        collection: CollectionName(database: "db", collection: "c"), partition: "p")

    static func bytes(_ batch: Batch) -> [UInt8] {
        let frame = InsertFrame(batch, to: destination)
        return [UInt8](unsafeUninitializedCapacity: frame.byteCount) { buffer, count in
            frame.write(into: UnsafeMutableRawBufferPointer(buffer))
            count = frame.byteCount
        }
    }

    static func request(_ batch: Batch) throws -> MilvusInsertRequest {
        try MilvusInsertRequest(serializedBytes: bytes(batch))
    }

    /// The rows that arrive, and whether they arrive as an Insert wants them.
    static func rows(
        _ batch: Batch, _ fields: [FieldSchema]
    ) throws -> [String: [RowValue]] {
        let request = try request(batch)
        guard request.numRows == batch.rowCount else { throw ReferenceError("num_rows") }
        for (column, field) in zip(request.fieldsData, fields) {
            if let fault = try Reference.normalFormFault(column, field) {
                throw ReferenceError("\(field.name) (\(field.type)): \(fault)")
            }
        }
        return try Reference.rows(request.fieldsData, asked: fields)
    }
}

@Suite("A reply that is passed through")
struct PassThroughTests {
    /// Seeds in groups: a test per seed would cost more than what it tests.
    static let groups = 0..<40

    @Test(
        "arrives as the rows that were in it, whatever its schema and its encoding",
        arguments: groups)
    func rowsArrive(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 100) { seed throws in try check(seed: seed) }
    }

    private func check(seed: UInt64) throws {
        let reply = GeneratedReply(seed: seed)
        // The reference is tested against the generator, then the walk against the reference.
        let decoded = try MilvusQueryResults(serializedBytes: reply.bytes)
        let expected = try Reference.rows(decoded.fieldsData, asked: reply.fields)
        if !reply.keys.isEmpty { #expect(expected == reply.rows, "seed \(seed)") }

        // Within a larger buffer: indices of slices do not begin at 0.
        let buffer = [1, 2, 3] + reply.bytes + [4]
        let walked = try QueryReply.walk(buffer[3..<(3 + reply.bytes.count)], asked: reply.fields)
        let page = try #require(walked.page)
        #expect(walked.status.isOK)
        #expect(walked.sessionTimestamp == reply.timestamp, "seed \(seed)")
        #expect(page.firstKey == reply.keys.first, "seed \(seed)")
        #expect(page.lastKey == reply.keys.last, "seed \(seed)")
        #expect(page.batch.rowCount == reply.keys.count, "seed \(seed)")
        guard !reply.keys.isEmpty else { return #expect(page.batch.columns.isEmpty) }

        #expect(page.batch.columns.map(\.name) == reply.fields.map(\.name), "seed \(seed)")
        let arrived = try Delivery.rows(page.batch, reply.fields)
        #expect(arrived == expected, "seed \(seed)")
        let request = try Delivery.request(page.batch)
        #expect(request.dbName == "db" && request.collectionName == "c")
        #expect(request.partitionName == "p")
    }

    @Test("can be cut anywhere: the parts hold the rows of the whole", arguments: groups)
    func slices(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 40) { seed throws in try checkSlices(seed: seed) }
    }

    private func checkSlices(seed: UInt64) throws {
        var random = WireRandom(seed: seed)
        let reply = GeneratedReply(seed: seed, rowCount: random.int(1...30))
        let batch = try #require(try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
            .batch
        var cuts = [0, batch.rowCount]
        for _ in 0..<random.int(0...4) { cuts.append(random.int(0...batch.rowCount)) }
        cuts.sort()
        var joined: [String: [RowValue]] = [:]
        for (start, end) in zip(cuts, cuts.dropFirst()) {
            let part = try FieldDataCodec().slice(batch, rows: start..<end)
            #expect(part.rowCount == end - start)
            let rows = try Delivery.rows(part, reply.fields)
            for (name, values) in rows {
                #expect(values.count == part.rowCount, "\(name), seed \(seed)")
            }
            joined.merge(rows) { $0 + $1 }
        }
        #expect(joined == reply.rows, "seed \(seed)")
    }

    @Test("keeps its rows under another name, and with a flag a row", arguments: groups)
    func edits(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 20) { seed throws in try checkEdits(seed: seed) }
    }

    private func checkEdits(seed: UInt64) throws {
        let codec = FieldDataCodec()
        let reply = GeneratedReply(seed: seed, rowCount: 7)
        let page = try #require(try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
        for (column, field) in zip(page.batch.columns, reply.fields) {
            var renamed = field
            renamed.name = "another name, longer than the first"
            let flagged = codec.allValid(column, rowCount: 7)
            let edited = try codec.renamed(flagged, to: renamed.name)
            #expect(edited.name == renamed.name)
            let arrived = Batch(rowCount: 7, columns: [edited])
            let rows = try Delivery.rows(arrived, [renamed])
            #expect(rows[renamed.name] == reply.rows[field.name], "\(field.type), seed \(seed)")
            #expect(try Delivery.request(arrived).fieldsData[0].validData.count == 7)
            #expect(codec.allValid(flagged, rowCount: 7) == flagged)
        }
    }

    @Test("is not cut beyond its rows, nor where its flags are of another count")
    func badCuts() throws {
        let reply = GeneratedReply(seed: 1, rowCount: 5)
        let page = try #require(try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
        #expect(throws: StopoverError.self) {
            try FieldDataCodec().slice(page.batch, rows: 2..<6)
        }
        var wrong = page.batch
        wrong.rowCount = 6
        #expect(throws: StopoverError.self) { try FieldDataCodec().slice(wrong, rows: 0..<6) }
    }

    /// Runs `count` seeds of a group, and names the seed that fails.
    static func each(seedsOf group: Int, _ count: Int, _ body: (UInt64) throws -> Void) {
        for seed in UInt64(group * 100)..<UInt64(group * 100 + count) {
            do { try body(seed) } catch { Issue.record("seed \(seed): \(error)") }
        }
    }
}
