import Foundation
import MilvusProto
import StopoverCore
import Testing

@testable import StopoverMilvus

/// A column as a reply brings it, of rows that are known.
enum GeneratedColumn {
    static func column(
        _ field: FieldSchema, _ rows: [RowValue], _ random: inout WireRandom
    ) throws -> Column {
        let bytes = ColumnWriter.column(field, rows, &random)
        let walked = try ColumnWalk.walk(ColumnWalk.Parts(bytes[...]), as: field)
        guard walked.rowCount == rows.count else { throw ReferenceError("rows of the column") }
        return walked.column
    }

    /// The rows of a column as swift-protobuf decodes them.
    static func rows(_ column: Column, _ field: FieldSchema) throws -> [RowValue] {
        let bytes = column.head + column.payload + column.tail
        return try Reference.rows(MilvusFieldData(serializedBytes: bytes), field)
    }
}

@Suite("A batch that is edited")
struct ColumnEditTests {
    static let groups = 0..<20
    private let codec = FieldDataCodec()

    @Test("keeps the rows that are marked, their nulls among them", arguments: groups)
    func keeping(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 60) { seed throws in try checkKeeping(seed: seed) }
    }

    private func checkKeeping(seed: UInt64) throws {
        var random = WireRandom(seed: seed)
        let reply = GeneratedReply(seed: seed, rowCount: random.int(1...40))
        let batch = try #require(try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
            .batch
        let percent = random.pick([0, 5, 50, 95, 100])
        let isKept = (0..<batch.rowCount).map { _ in random.chance(percent) }
        let kept = try codec.keeping(isKept, of: batch)
        #expect(kept.rowCount == isKept.count { $0 }, "seed \(seed)")
        let arrived = try Delivery.rows(kept, reply.fields)
        for (name, rows) in reply.rows {
            let expected = zip(rows, isKept).filter(\.1).map(\.0)
            #expect(arrived[name] == expected, "\(name), seed \(seed)")
        }
    }

    @Test("is the same slice of the reply when the rows that stay lie together")
    func keepingCopiesNothing() throws {
        var random = WireRandom(seed: 1)
        var vector = FieldSchema(name: "v", type: .int8Vector)
        vector.typeParams["dim"] = "2"
        let rows = (0..<6).map { RowValue.bytes([UInt8($0), 9]) }
        let column = try GeneratedColumn.column(vector, rows, &random)
        let batch = Batch(rowCount: 6, columns: [column])
        let kept = try codec.keeping([false, true, true, true, false, false], of: batch)
        #expect(kept.columns[0].payload == [1, 9, 2, 9, 3, 9])
        #expect(kept.columns[0].payload.startIndex == column.payload.startIndex + 2)
    }

    @Test("names its null rows where no null is taken", arguments: groups)
    func nullRows(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 20) { seed throws in
            let reply = GeneratedReply(seed: seed, rowCount: 12)
            let page = try #require(try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
            for column in page.batch.columns {
                let rows = try #require(reply.rows[column.name])
                let expected = rows.indices.filter { rows[$0] == .null }
                var field = try #require(reply.fields.first { $0.name == column.name })
                field.isNullable = false
                let found = try codec.violations(in: column, of: field, rowCount: 12)
                #expect(
                    found.filter { $0.reason == "is null" }.map(\.row) == expected,
                    "\(column.name), seed \(seed)")
            }
        }
    }

    // MARK: Nulls filled

    @Test("holds the default where nulls were, and no flags", arguments: groups)
    func filled(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 60) { seed throws in try checkFilled(seed: seed) }
    }

    private func checkFilled(seed: UInt64) throws {
        var random = WireRandom(seed: seed)
        let type = random.pick(Array(ColumnEditTests.fillable))
        var field = FieldSchema(name: "f", type: type)
        field.isNullable = true
        let rows = GeneratedReply.values(field, random.int(0...30), &random)
        let column = try GeneratedColumn.column(field, rows, &random)
        // What the column holds decides: text and numbers, WKT and WKB.
        let isText = try ColumnForm(parsing: column).layout == .records
        let isBinary = try ColumnForm(parsing: column).dataField == 10
        let (value, expected) = ColumnEditTests.value(type, isText, isBinary, &random)
        let filled = try codec.filled(column, with: value, rowCount: rows.count)
        #expect(
            try GeneratedColumn.rows(filled, field) == rows.map { $0 == .null ? expected : $0 },
            "\(type), seed \(seed)")
        #expect(try ColumnForm(parsing: filled).valid == nil, "\(type), seed \(seed)")
    }

    private static let fillable: Set<DataType> = [
        .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .text, .json, .geometry,
        .timestamptz,
    ]

    /// A default, and the row value that it is.
    private static func value(
        _ type: DataType, _ isText: Bool, _ isBinary: Bool, _ random: inout WireRandom
    ) -> (DefaultValue, RowValue) {
        let bits = random.next()
        let text = random.text()
        switch type {
        case .bool: return (.bool(bits & 1 == 1), .bool(bits & 1 == 1))
        case .int8: return both(Int32(Int8(truncatingIfNeeded: bits)))
        case .int16: return both(Int32(Int16(truncatingIfNeeded: bits)))
        case .int32: return both(Int32(truncatingIfNeeded: bits))
        case .int64:
            let number = Int64(bitPattern: bits)
            return random.chance(30) ? both(Int32(7)) : (.long(number), .int(number))
        case .float:
            let number = Float(Int32(truncatingIfNeeded: bits))
            return (.float(number), .float(number.bitPattern))
        case .double:
            let number = Double(Int32(truncatingIfNeeded: bits))
            return (.double(number), .double(number.bitPattern))
        case .json: return (.bytes(Array("{}".utf8)), .text("{}"))
        case .geometry where isBinary: return (.bytes([0xFF, 1]), .bytes([0xFF, 1]))
        case .timestamptz where !isText: return (.timestamptz(-5), .int(-5))
        case .timestamptz where random.chance(50):
            return (.timestamptz(1), .text("1970-01-01T00:00:00.000001Z"))
        default: return (.string(text), .text(text))
        }
    }

    private static func both(_ number: Int32) -> (DefaultValue, RowValue) {
        (.int(number), .int(Int64(number)))
    }

    @Test("is as it was when it has no flags, and loses flags that mark no null")
    func nothingToFill() throws {
        var random = WireRandom(seed: 3)
        let field = FieldSchema(name: "f", type: .int64)
        let column = try GeneratedColumn.column(field, [.int(1), .int(2)], &random)
        #expect(try codec.filled(column, with: .long(9), rowCount: 2) == column)
        let flagged = codec.allValid(column, rowCount: 2)
        #expect(try codec.filled(flagged, with: .long(9), rowCount: 2) == column)
    }

    @Test(
        "is not filled with a default of another type",
        arguments: [
            (DataType.int8, DefaultValue.int(128)), (.int16, .int(-32_769)), (.int32, .long(1)),
            (.varchar, .int(1)), (.bool, .int(0)), (.float, .double(1)), (.double, .float(1)),
            (.array, .bytes([])), (.floatVector, .bytes([0, 0, 0, 0])),
            (.sparseFloatVector, .bytes([])), (.timestamptz, .timestamptz(.max)),
        ])
    func otherType(_ type: DataType, _ value: DefaultValue) throws {
        var random = WireRandom(seed: 4)
        var field = FieldSchema(name: "f", type: type)
        field.isNullable = true
        field.elementType = .int8
        if type == .floatVector { field.typeParams["dim"] = "1" }
        let column = try GeneratedColumn.column(field, [.null, .null], &random)
        do throws(StopoverError) {
            _ = try codec.filled(column, with: value, rowCount: 2)
            Issue.record("filled")
        } catch {
            #expect(error.code == .defaultType)
        }
    }

    @Test("is not edited where its rows are of another count")
    func otherCounts() throws {
        var random = WireRandom(seed: 5)
        var field = FieldSchema(name: "f", type: .varchar)
        for rows in [[RowValue.text("a"), .text("b")], [.text("a"), .null]] {
            field.isNullable = rows.contains(.null)
            let column = try GeneratedColumn.column(field, rows, &random)
            for count in [1, 3] {
                let batch = Batch(rowCount: count, columns: [column])
                #expect(throws: StopoverError.self) {
                    try codec.keeping([Bool](repeating: true, count: count), of: batch)
                }
                #expect(throws: StopoverError.self) {
                    try codec.violations(in: column, of: field, rowCount: count)
                }
                guard field.isNullable else { continue }
                #expect(throws: StopoverError.self) {
                    try codec.filled(column, with: .string(""), rowCount: count)
                }
            }
            let batch = Batch(rowCount: 2, columns: [column])
            #expect(throws: StopoverError.self) { try codec.keeping([true], of: batch) }
        }
    }

    @Test(
        "is refused or edited, and never trapped on, when its bytes are damaged", arguments: groups)
    func damage(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 100) { seed throws in
            var random = WireRandom(seed: seed)
            let field = NastyRows.field(random.pick(NastyRows.types), &random)
            let rows = NastyRows.rows(field, &random)
            var column = try GeneratedColumn.column(field, rows, &random)
            var payload = Array(column.payload)
            for _ in 0..<random.int(1...3) where !payload.isEmpty {
                payload[random.int(0...payload.count - 1)] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            let form = try ColumnForm(parsing: column)
            column = form.column(payload.dropLast(random.pick([0, 0, 1, 4])))
            let isKept = rows.map { _ in random.chance(50) }
            let batch = Batch(rowCount: rows.count, columns: [column])
            _ = try? codec.violations(in: column, of: field, rowCount: rows.count)
            _ = try? codec.filled(column, with: .string("x"), rowCount: rows.count)
            guard let kept = try? codec.keeping(isKept, of: batch) else { return }
            let count = isKept.count { $0 }
            let again = [Bool](repeating: true, count: count)
            #expect(throws: Never.self) { try codec.keeping(again, of: kept) }
        }
    }

    // MARK: Instants

    @Test("writes instants as the C library does", arguments: groups)
    func instants(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 50) { seed throws in
            var random = WireRandom(seed: seed)
            // From the year 1 to the year 9999.
            let seconds = random.int(-62_135_596_800...253_402_300_799)
            let fraction = random.pick([0, 1, 999_999, random.int(0...999_999)])
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            let expected =
                String(
                    format: "%04d-%02d-%02dT%02d:%02d:%02d", Int(parts.tm_year) + 1900,
                    Int(parts.tm_mon) + 1, Int(parts.tm_mday), Int(parts.tm_hour),
                    Int(parts.tm_min), Int(parts.tm_sec))
                + (fraction == 0 ? "Z" : String(format: ".%06dZ", fraction))
            let microseconds = Int64(seconds) * 1_000_000 + Int64(fraction)
            #expect(InstantText.utc(microseconds: microseconds) == expected, "seed \(seed)")
        }
    }

    @Test("writes no instant that takes more than four digits of a year")
    func instantsOutOfRange() {
        #expect(InstantText.utc(microseconds: -62_135_596_800_000_001) == nil)
        #expect(InstantText.utc(microseconds: 253_402_300_800_000_000) == nil)
        #expect(InstantText.utc(microseconds: .min) == nil)
        #expect(InstantText.utc(microseconds: .max) == nil)
    }
}
