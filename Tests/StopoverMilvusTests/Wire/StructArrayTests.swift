import MilvusProto
import StopoverCore
import SwiftProtobuf
import Testing

@testable import StopoverMilvus

@Suite("A struct array")
struct StructArrayTests {
    /// Sub-fields `n`, ARRAY of INT64, and `v`, vectors of one float.
    static let field = {
        var field = TypedColumn.field(.arrayOfStruct)
        field.structFields = [
            TypedColumn.field(.array, element: .int64),
            TypedColumn.field(.arrayOfVector, element: .floatVector, dim: 1),
        ]
        field.structFields[0].name = "n"
        field.structFields[1].name = "v"
        return field
    }()
    static let nullable = {
        var field = StructArrayTests.field
        field.isNullable = true
        for index in field.structFields.indices { field.structFields[index].isNullable = true }
        return field
    }()

    /// 2 structs in the first row, none in the second.
    static let numbers = "1A:(42:(0A:(1A:(0A:(0708))) 0A:(1A00) 1005))"
    static let vectors =
        "22:(0801 42:(0801 12:(0801 12:(0A:(0000803F 00000040))) 12:(0801 1200) 1865))"

    /// A struct array as servers answer it, with ids.
    static func reply(_ subs: String...) -> String {
        let framed = subs.map { "0A:(\($0))" }.joined(separator: " ")
        return "08C801 12:'f' 2866 42:(\(framed))"
    }

    @Test("is sent under plain names, in the schema's order, without ids")
    func normalForm() throws {
        let expected = try Hex.bytes(
            "08C801 12:'f' 42:("
                + "0A:(0816 12:'n' \(Self.numbers)) 0A:(086A 12:'v' \(Self.vectors)))")
        let plain = Self.reply(
            "0816 12:'n' \(Self.numbers) 2867", "086A 12:'v' \(Self.vectors) 2868")
        #expect(try TypedColumn.sent(plain, as: Self.field) == expected)
        // As some 2.6 answer it; in another order; its empty rows without a type.
        let stored = Self.reply(
            "086A 12:'f[v]' 22:(42:(12:(0801 12:(0A:(0000803F 00000040))) 12:())) 2868",
            "0816 12:'f[n]' 1A:(42:(0A:(1A:(0A:(0708))) 0A:())) 2867")
        #expect(try TypedColumn.sent(stored, as: Self.field) == expected)
        // Already as it is sent.
        let again = Self.reply("0816 12:'n' \(Self.numbers)", "086A 12:'v' \(Self.vectors)")
        #expect(try TypedColumn.sent(again, as: Self.field) == expected)
    }

    @Test("has its nulls in every sub-field, compact")
    func nulls() throws {
        let expected = try Hex.bytes(
            "08C801 12:'f' 42:(0A:(0816 12:'n' 1A:(42:(0A:(1A:(0A:(07))) 1005)) 3A:(0001))"
                + "0A:(086A 12:'v' 22:(0801 42:(0801 12:(12:(0A:(0000803F))) 1865)) 3A:(0001)))")
        // Dense with the flags outside; compact with them inside.
        let numbers = "0816 12:'n' 1A:(42:(0A:() 0A:(1A:(0A:(07))))) 3A:(0001)"
        let vectors = "086A 12:'v' 22:(42:(12:(12:(0A:(0000803F)))) 4A:(0001))"
        let sent = try TypedColumn.sent(Self.reply(numbers, vectors), as: Self.nullable)
        #expect(sent == expected)
        let batch = try TypedColumn.batch(Self.reply(numbers, vectors), as: Self.nullable)
        #expect(try ColumnForm(parsing: batch.columns[1]).valid == [0, 1])
    }

    @Test("whose sub-fields disagree, or are not those of the schema, is refused")
    func refused() throws {
        let numbers = "0816 12:'n' \(Self.numbers)"
        let vectors = "086A 12:'v' \(Self.vectors)"
        func vectorRows(_ rows: String, _ flags: String = "") -> String {
            "086A 12:'v' 22:(42:(\(rows))) \(flags)"
        }
        let one = "12:(12:(0A:(0000803F)))"
        let two = "12:(12:(0A:(0000803F 0000803F)))"
        let damaged = [
            Self.reply(numbers), Self.reply(numbers, vectors, vectors),
            Self.reply(numbers, vectors, "0816 12:'m' \(Self.numbers)"),
            Self.reply(numbers, "0816 12:'v' \(Self.numbers)"),
            // Other rows, other elements, other nulls.
            Self.reply(numbers, vectorRows(two)),
            Self.reply(numbers, vectorRows("\(two) 12:() 12:()")),
            Self.reply(numbers, vectorRows("\(one) 12:()")),
            Self.reply(numbers, vectorRows("\(two) \(one)")),
            Self.reply(numbers, vectorRows(two, "3A:(0100)")),
            Self.reply("\(numbers) 3A:(0101)", vectorRows(two, "3A:(0100)")),
            "08C801 12:'f' 3A:(0100) 42:(0A:(\(numbers) 3A:(0101)) 0A:(\(vectors) 3A:(0101)))",
            "08C801 12:'f' 42:(0800)", "08C801 12:'f' 4200", "08C801 12:'f'",
            "08C801 12:'f' \(Self.numbers)", "08C801 12:'f' 42:() 42:()",
            "0816 12:'f' 42:(0A:(\(numbers)) 0A:(\(vectors)))",
        ]
        for column in damaged {
            #expect(throws: StopoverError.self, "\(column)") {
                try TypedColumn.batch(column, as: Self.nullable)
            }
        }
        var unknown = Self.field
        unknown.structFields = []
        #expect(throws: StopoverError.self) {
            try TypedColumn.batch(Self.reply(numbers, vectors), as: unknown)
        }
    }

    @Test("that was not asked for keeps an empty page from ending a range")
    func notAsked() throws {
        let reply = try Hex.bytes("12:(\(Self.reply("0816 12:'n' \(Self.numbers)")))")
        #expect(throws: StopoverError.self) {
            try QueryReply.walk(reply[...], asked: [TypedColumn.key])
        }
    }

    static let groups = 0..<40

    @Test("arrives as the rows that were in it, whole and in parts", arguments: groups)
    func rowsArrive(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 50) { seed throws in
            var random = WireRandom(seed: seed)
            let reply = StructReply(seed: seed, rowCount: random.int(1...12))
            let decoded = try MilvusQueryResults(serializedBytes: reply.bytes)
            #expect(try Reference.rows(decoded.fieldsData, asked: reply.fields) == reply.rows)

            let buffer = [9] + reply.bytes
            let walked = try QueryReply.walk(buffer[1...], asked: reply.fields)
            let batch = try #require(walked.page).batch
            #expect(try Delivery.rows(batch, reply.fields) == reply.rows, "seed \(seed)")

            let middle = random.int(0...batch.rowCount)
            var joined: [String: [RowValue]] = [:]
            for range in [0..<middle, middle..<batch.rowCount] {
                let part = try FieldDataCodec().slice(batch, rows: range)
                joined.merge(try Delivery.rows(part, reply.fields)) { $0 + $1 }
            }
            #expect(joined == reply.rows, "seed \(seed)")
            try edits(batch, reply, &random)
        }
    }

    /// Under another name, with flags, and with some of its rows.
    private func edits(_ batch: Batch, _ reply: StructReply, _ random: inout WireRandom) throws {
        for (column, field) in zip(batch.columns, reply.fields) where !field.isPrimaryKey {
            var renamed = field
            renamed.name = "another"
            let flagged = FieldDataCodec().allValid(column, rowCount: batch.rowCount)
            let edited = try FieldDataCodec().renamed(flagged, to: renamed.name)
            let arrived = Batch(rowCount: batch.rowCount, columns: [edited])
            #expect(try Delivery.rows(arrived, [renamed])["another"] == reply.rows[field.name])
            let subs = try Delivery.request(arrived).fieldsData[0].structArrays.fields
            #expect(subs.allSatisfy { $0.validData.count == batch.rowCount })

            var form = try ColumnForm(parsing: column)
            let run = ValueRun(layout: form.layout, payload: column.payload)
            let isKept = (0..<batch.rowCount).map { _ in random.chance(50) }
            let valid = form.valid ?? [UInt8](repeating: 1, count: batch.rowCount)
            let flags = zip(valid, isKept).filter { $0.0 == 1 }.map { $0.1 ? UInt8(1) : 0 }
            #expect(try run.count() == flags.count)
            form.valid = form.valid.map { zip($0, isKept).filter { $0.1 }.map { $0.0 } }
            let kept = form.column(try run.filtered(flags)[...])
            let rows = zip(reply.rows[field.name] ?? [], isKept).filter { $0.1 }.map { $0.0 }
            let some = Batch(rowCount: rows.count, columns: [kept])
            #expect(try Delivery.rows(some, [field])[field.name] == rows)
        }
    }

    static let mutationsPerGroup = 1_000

    @Test("in a damaged reply is refused, or is read as swift-protobuf reads it", arguments: groups)
    func mutations(_ group: Int) {
        var random = WireRandom(seed: UInt64(group) + 5000)
        let corpus = (0..<4).map {
            StructReply(seed: UInt64(group * 10 + $0), rowCount: group % 4 + 1)
        }
        var accepted = 0
        for round in 0..<Self.mutationsPerGroup {
            let reply = random.pick(corpus)
            let bytes = Mutation.mutate(reply.bytes, with: random.pick(corpus).bytes, &random)
            do { accepted += try check(bytes, reply.fields, &random) ? 1 : 0 } catch {
                Issue.record("group \(group), round \(round): \(error); bytes \(bytes)")
            }
        }
        #expect(accepted > 20, "group \(group)")
    }

    /// Whether a page was read and compared.
    private func check(
        _ bytes: [UInt8], _ fields: [FieldSchema], _ random: inout WireRandom
    ) throws -> Bool {
        guard let page = try? QueryReply.walk(bytes[...], asked: fields).page,
            page.batch.rowCount > 0
        else { return false }
        let batch = page.batch
        let arrived: MilvusInsertRequest
        do { arrived = try Delivery.request(batch) } catch BinaryDecodingError.invalidUTF8 {
            return false
        }
        // Throws when rows, nulls or elements of sub-fields disagree.
        let rows = try Reference.rows(arrived.fieldsData, asked: fields)
        guard rows.values.allSatisfy({ $0.count == batch.rowCount }) else {
            throw ReferenceError("\(rows.mapValues(\.count)) rows, not \(batch.rowCount)")
        }
        let cut = random.int(0...batch.rowCount)
        let part = try FieldDataCodec().slice(batch, rows: 0..<cut)
        guard try Delivery.rows(part, fields) == rows.mapValues({ Array($0.prefix(cut)) }) else {
            throw ReferenceError("a part with other rows")
        }
        guard let decoded = try? MilvusQueryResults(serializedBytes: bytes) else { return false }
        guard try Reference.rows(decoded.fieldsData, asked: fields) == rows else {
            throw ReferenceError("other rows arrive than were there")
        }
        return true
    }

    @Test("with damage in its column is not cut, or cut into whole columns", arguments: groups)
    func damagedColumn(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group) + 9000)
        let reply = StructReply(seed: UInt64(group), rowCount: 4)
        let page = try #require(try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
        for _ in 0..<500 {
            var batch = page.batch
            let index = random.int(0...batch.columns.count - 1)
            let payload = Array(batch.columns[index].payload)
            batch.columns[index].payload = Mutation.mutate(payload, with: payload, &random)[...]
            // Refused or held against the field, and never trapped on.
            _ = try? FieldDataCodec().violations(
                in: batch.columns[index], of: reply.fields[index], rowCount: 4)
            guard let part = try? FieldDataCodec().slice(batch, rows: 1..<3) else { continue }
            #expect(part.rowCount == 2 && part.columns.count == batch.columns.count)
            for column in part.columns { _ = try ColumnForm(parsing: column) }
        }
    }
}
