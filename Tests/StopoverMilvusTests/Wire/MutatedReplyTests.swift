import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverMilvus

/// Damage of every kind that a byte string can take.
enum Mutation {
    static func mutate(
        _ bytes: [UInt8], with other: [UInt8], _ random: inout WireRandom
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.pick([1, 1, 1, 2, 4]) {
            guard !bytes.isEmpty else { return random.bytes(0...8) }
            let place = random.int(0...bytes.count - 1)
            switch random.int(0...8) {
            case 0: bytes[place] ^= UInt8(1 << random.int(0...7))
            case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 2: bytes.removeLast(bytes.count - place)
            case 3: bytes.insert(contentsOf: random.bytes(1...4), at: place)
            case 4:
                bytes.removeSubrange(place..<min(bytes.count, place + random.int(1...6)))
            // Lengths, and tags of other kinds.
            case 5: bytes[place] = random.chance(50) ? bytes[place] &+ 1 : bytes[place] &- 1
            case 6:
                bytes[place] = random.pick([0, 1, 0x0A, 0x08, 0x0D, 0x09, 0x3A, 0x7F, 0x80, 0xFF])
            // A part of it twice: fields given twice.
            case 7:
                let end = min(bytes.count, place + random.int(1...40))
                bytes.insert(contentsOf: bytes[place..<end], at: random.int(0...bytes.count - 1))
            default:
                guard !other.isEmpty else { continue }
                let start = random.int(0...other.count - 1)
                bytes.replaceSubrange(place..<bytes.count, with: other[start...])
            }
        }
        return bytes
    }
}

@Suite("A damaged reply")
struct MutatedReplyTests {
    /// 30 small replies, and what was asked for.
    static let corpus = (0..<30).map {
        GeneratedReply(seed: 7000 + $0, rowCount: Int($0 % 5) + 1, columns: 0...3)
    }
    static let groups = 0..<30
    static let mutationsPerGroup = 4_000

    @Test("is refused, or is read as swift-protobuf reads it", arguments: groups)
    func query(_ group: Int) {
        var random = WireRandom(seed: UInt64(group) + 1)
        let reply = MutatedReplyTests.corpus[group]
        var accepted = 0
        for round in 0..<MutatedReplyTests.mutationsPerGroup {
            let other = random.pick(MutatedReplyTests.corpus).bytes
            let bytes = Mutation.mutate(reply.bytes, with: other, &random)
            do { accepted += try check(bytes, reply.fields) ? 1 : 0 } catch {
                Issue.record("group \(group), round \(round): \(error); bytes \(bytes)")
            }
        }
        // Damage that leaves a page is what the comparison lives on.
        #expect(accepted > 100, "group \(group)")
    }

    /// Whether a page was read and compared.
    private func check(_ bytes: [UInt8], _ fields: [FieldSchema]) throws -> Bool {
        guard let walked = try? QueryReply.walk(bytes[...], asked: fields) else { return false }
        guard walked.page != nil else {
            try checkStatus(walked, bytes)
            return false
        }
        guard isText(bytes, fields) else { return false }
        let decoded = try decode(bytes, fields)
        guard decoded.status.errorCode == 0, decoded.status.code == 0,
            walked.sessionTimestamp == decoded.sessionTs
        else { throw ReferenceError("another status") }
        guard let page = walked.page else { return false }

        let rows = try Reference.rows(decoded.fieldsData, asked: fields)
        guard rows.values.allSatisfy({ $0.count == page.batch.rowCount }) else {
            throw ReferenceError("\(rows.mapValues(\.count)) rows, not \(page.batch.rowCount)")
        }
        guard page.batch.rowCount > 0 else { return true }
        guard let key = fields.first(where: \.isPrimaryKey), let keys = rows[key.name],
            page.firstKey == keys.first?.key, page.lastKey == keys.last?.key
        else { throw ReferenceError("other keys") }

        let arrived = try Delivery.request(page.batch)
        guard Int(arrived.numRows) == page.batch.rowCount else { throw ReferenceError("num_rows") }
        guard try Reference.rows(arrived.fieldsData, asked: fields) == rows else {
            throw ReferenceError("other rows arrive than were there")
        }
        return true
    }

    /// The columns of an error are not looked at.
    private func checkStatus(_ walked: QueryReply, _ bytes: [UInt8]) throws {
        guard let decoded = try? MilvusQueryResults(serializedBytes: bytes) else { return }
        guard walked.status.errorCode == decoded.status.errorCode,
            walked.status.code == decoded.status.code
        else { throw ReferenceError("another status") }
    }

    /// Columns that were not asked for are not decoded by the walk, so nor are they here.
    private func decode(_ bytes: [UInt8], _ fields: [FieldSchema]) throws -> MilvusQueryResults {
        if let whole = try? MilvusQueryResults(serializedBytes: bytes) { return whole }
        let asked = try keep(of: bytes) { field, body in
            guard field == 2 else { return true }
            var column = WireReader(body)
            let parts = try ColumnWalk.Parts(column.delimited())
            let name = String(decoding: parts.name, as: UTF8.self)
            return Reference.asked(name, parts.isDynamic, fields) != nil
        }
        return try MilvusQueryResults(serializedBytes: asked)
    }

    /// The bytes of those fields of a message that are wanted.
    private func keep(
        of bytes: [UInt8], _ isWanted: (Int, ArraySlice<UInt8>) throws -> Bool
    ) throws -> [UInt8] {
        var kept: [UInt8] = []
        var reader = WireReader(bytes[...])
        while true {
            let start = reader.position
            guard let (field, wire) = try reader.tag() else { return kept }
            let body = reader.position
            try reader.skip(wire)
            if try isWanted(field, bytes[body..<reader.position]) {
                kept += bytes[start..<reader.position]
            }
        }
    }

    /// Strings are passed on as the bytes they are; whether they are UTF-8 is the target's to say.
    private func isText(_ bytes: [UInt8], _ fields: [FieldSchema]) -> Bool {
        do {
            _ = try decode(bytes, fields)
            return true
        } catch BinaryDecodingError.invalidUTF8 {
            return false
        } catch {
            return true
        }
    }

    @Test("of a write is refused, or is read as swift-protobuf reads it", arguments: groups)
    func mutation(_ group: Int) {
        var random = WireRandom(seed: UInt64(group) + 1000)
        let corpus = (0..<8).map { _ in MutatedReplyTests.result(&random) }
        for round in 0..<1_000 {
            let bytes = Mutation.mutate(random.pick(corpus), with: random.pick(corpus), &random)
            do { try checkWrite(bytes) } catch {
                Issue.record("group \(group), round \(round): \(error); bytes \(bytes)")
            }
        }
    }

    @Test("of a write is read as it was written when it is whole", arguments: groups)
    func wholeMutation(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group) + 2000)
        for _ in 0..<100 {
            let bytes = MutatedReplyTests.result(&random)
            _ = try MutationReply.walk(bytes[...])
            try checkWrite(bytes)
        }
    }

    private func checkWrite(_ bytes: [UInt8]) throws {
        guard let walked = try? MutationReply.walk(bytes[...]) else { return }
        let decoded: MilvusMutationResult
        do {
            // succ_index says nothing that the walk wants.
            let read = try keep(of: bytes) { field, _ in field != 3 }
            decoded = try MilvusMutationResult(serializedBytes: read)
        } catch BinaryDecodingError.invalidUTF8 {
            return
        }
        let ids: WrittenIDs? =
            switch decoded.ids.idField {
            case .intID(let array): .int64(array.data)
            case .strID(let array): .varchar(array.data)
            case nil: nil
            }
        guard walked.ids == ids, walked.status.errorCode == decoded.status.errorCode,
            walked.status.code == decoded.status.code, walked.timestamp == decoded.timestamp,
            walked.insertCount == decoded.insertCnt, walked.upsertCount == decoded.upsertCnt,
            walked.failedRows == decoded.errIndex.count
        else { throw ReferenceError("\(walked) instead of \(decoded)") }
    }

    private static func result(_ random: inout WireRandom) -> [UInt8] {
        WireWriter.message {
            $0.message(1) {
                if random.chance(30) { $0.varint(1, random.next()) }
                if random.chance(30) { $0.text(2, random.text()) }
                if random.chance(30) { $0.varint(3, random.next()) }
            }
            if random.chance(80) {
                let isText = random.chance(50)
                let isPacked = random.chance(50)
                $0.message(2) {
                    if random.chance(20) { $0.unknown(&random) }
                    $0.message(isText ? 2 : 1) {
                        let count = random.int(0...5)
                        if isText {
                            for _ in 0..<count { $0.text(1, random.text()) }
                        } else if isPacked {
                            let ids = WireWriter.message {
                                for _ in 0..<count { $0.raw(varint: random.next()) }
                            }
                            $0.bytes(1, ids)
                        } else {
                            for _ in 0..<count { $0.varint(1, random.next()) }
                        }
                    }
                    if random.chance(20) { $0.unknown(&random) }
                }
            }
            $0.bytes(3, [0, 1, 2])
            if random.chance(50) { $0.bytes(4, [1, 0x80, 1]) }
            if random.chance(50) { $0.varint(4, 3) }
            $0.varint(6, UInt64(random.int(0...9)))
            $0.varint(8, UInt64(random.int(0...9)))
            $0.varint(9, random.next())
        }
    }
}
