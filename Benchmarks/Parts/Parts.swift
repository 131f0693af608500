import Foundation
import MilvusProto
import StopoverCore
import StopoverMilvus
import StopoverTesting
import SwiftProtobuf

extension Part {
    /// Rows of which the replies are made: long ones of 768 dimensions, short ones of 8.
    private static let shapes: [(name: String, dimension: Int, rows: Int)] = [
        ("768-d", 768, 2_700), ("8-d", 8, 16_384),
    ]

    static func all() async throws -> [Part] {
        var parts: [Part] = []
        for shape in shapes { parts += try await all(shape.name, shape.dimension, shape.rows) }
        return parts + [try channel()]
    }

    private static func all(_ name: String, _ dimension: Int, _ rows: Int) async throws -> [Part] {
        let generated = MilvusTwin.Generated(rows: Int64(rows), dimension: dimension)
        let collection = CollectionName(collection: "rows")
        var options = MilvusTwin.Options()
        options.generated[collection] = generated
        let twin = try MilvusTwin(options)
        let request = MilvusQueryRequest.with {
            $0.collectionName = "rows"
            $0.expr = "id >= 0"
            $0.outputFields = ["id", "vector", "bucket", "title"]
            $0.queryParams = [
                .with {
                    $0.key = "limit"
                    $0.value = String(rows)
                }
            ]
        }
        let reply = try twin.answer("Query", request.serializedBytes())
        let fields = [
            field("id", .int64), field("vector", .floatVector, ["dim": String(dimension)]),
            field("bucket", .int64), field("title", .varchar, ["max_length": "32"]),
        ]
        guard let page = try QueryReply.walk(reply[...], asked: fields).page else {
            throw CocoaError(.coderReadCorrupt)
        }
        let batch = page.batch
        let codec = FieldDataCodec()
        let frame = InsertFrame(
            batch, to: InsertDestination(collection: collection, partition: nil))
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: frame.byteCount, alignment: 64)
        func part(_ what: String, _ turn: @escaping () async throws -> Void) -> Part {
            Part(name: "\(name) \(what)", bytes: batch.byteCount, rows: rows, turn: turn)
        }
        let parts = [
            part("wire walk") { _ = try QueryReply.walk(reply[...], asked: fields) },
            part("checks against the target") {
                for (column, field) in zip(batch.columns, fields) {
                    _ = try codec.violations(in: column, of: field, rowCount: rows)
                }
            },
            part("edits (rename, flags)") {
                for column in batch.columns {
                    _ = codec.allValid(try codec.renamed(column, to: "other"), rowCount: rows)
                }
            },
            part("digest") { _ = batch.columns.map { Digest128(of: $0, seed: 7) } },
            part("insert frame") { frame.write(into: room) },
        ]
        return try parts
            + Packing.allCases.filter { $0 != .auto }.flatMap { packing in
                try spool(name, batch, rows, packing)
            }
    }

    private static func field(
        _ name: String, _ type: DataType, _ params: [String: String] = [:]
    ) -> FieldSchema {
        var field = FieldSchema(name: name, type: type)
        field.isPrimaryKey = name == "id"
        field.typeParams = params
        return field
    }

    private static func spool(
        _ name: String, _ batch: Batch, _ rows: Int, _ packing: Packing
    ) throws -> [Part] {
        // Into files of chunks that left, as a job does that is flushed on its way; and, where a spool has no
        // room for spare files, into new ones, as one that is not.
        let (writes, read) = try spool(
            name, "spool write", batch, rows, packing, limitBytes: 1 << 40)
        let (new, _) = try spool(
            name, "spool write into new files", batch, rows, packing, limitBytes: 1)
        return [writes, new, read]
    }

    private static func spool(
        _ name: String, _ what: String, _ batch: Batch, _ rows: Int, _ packing: Packing,
        limitBytes: Int64
    ) throws -> (write: Part, read: Part) {
        let scratch = try Scratch()
        let spool = try Spool(
            directory: scratch.path, limitBytes: limitBytes, packing: packing, seed: 7, resting: [])
        let writer = try spool.makeWriter()
        let reader = try spool.makeReader()
        var number: Int64 = 0
        func header() -> ChunkHeader {
            number += 1
            return ChunkHeader(
                id: ChunkID(number), transfer: TransferID(1), split: SplitID(1), partition: nil,
                firstKey: .int64(0), lastKey: .int64(Int64(rows)))
        }
        let kept = try writer.seal(batch, header())
        return (
            Part(
                name: "\(name) \(what), \(packing)", bytes: batch.byteCount, rows: rows
            ) {
                withExtendedLifetime(scratch) {}
                let record = try writer.seal(batch, header())
                spool.settle(reserved: 0, written: record)
                _ = spool.release([record.id])
            },
            Part(name: "\(name) spool read, \(packing)", bytes: batch.byteCount, rows: rows) {
                _ = try reader.read(kept)
            }
        )
    }

    /// Elements of a page's size, one after the other, between two tasks.
    private static func channel() throws -> Part {
        let elements = 2_000
        return Part(name: "channel, 8 MiB elements", bytes: elements * 8 << 20, rows: 0) {
            let channel = BoundedChannel<Int>(capacity: 4) { _ in 1 }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for element in 0..<elements { try await channel.send(element) }
                    channel.finish()
                }
                group.addTask { while try await channel.next() != nil {} }
                try await group.waitForAll()
            }
        }
    }
}
