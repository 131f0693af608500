import MilvusProto
import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("A dynamic key that becomes a field")
struct PromotionTests {
    static let groups = 0..<20

    private func field(
        _ name: String, _ type: DataType, isNullable: Bool = true, maximum: Int? = nil
    ) -> FieldSchema {
        var field = FieldSchema(name: name, type: type)
        field.isNullable = isNullable
        if let maximum { field.typeParams["max_length"] = "\(maximum)" }
        return field
    }

    /// What protobuf decodes.
    private func rows(_ column: Column, _ field: FieldSchema) throws -> [RowValue] {
        let bytes = column.head + column.payload + column.tail
        let data = try MilvusFieldData(serializedBytes: bytes)
        #expect(data.fieldName == field.name)
        #expect(data.validData.isEmpty == !field.isNullable)
        #expect(try ColumnForm(parsing: column).column(column.payload) == column)
        return try Reference.rows(data, field)
    }

    private var meta: FieldSchema {
        FieldSchema(name: CollectionSchema.dynamicFieldName, type: .json)
    }

    private func texts(_ column: Column) throws -> [String] {
        let data = try MilvusFieldData(
            serializedBytes: column.head + column.payload + column.tail)
        #expect(data.isDynamic)
        return try Reference.values(data, meta).map { String(decoding: $0.rawBytes, as: UTF8.self) }
    }

    // MARK: Against a slow reference

    @Test("takes its values along, and leaves every other byte where it was", arguments: groups)
    func property(_ group: Int) throws {
        for seed in UInt64(group) * 60..<UInt64(group) * 60 + 60 {
            var random = WireRandom(seed: seed)
            let objects = (0..<random.int(1...12)).map { _ -> GeneratedObject? in
                random.chance(5) ? nil : GeneratedObject(&random)
            }
            let fields = GeneratedObject.promoted.shuffled(using: &random)
                .prefix(random.int(1...5)).map { name in
                    field(
                        name,
                        random.pick([
                            .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .json,
                        ]), isNullable: random.chance(60), maximum: random.pick([nil, 3, 20]))
                }
            let column = DynamicColumn.column(objects.map { $0?.bytes })
            let result = try FieldDataCodec().promoted(
                column, to: fields, rowCount: objects.count)

            var expected: [RowViolation] = []
            for (row, object) in objects.enumerated() {
                for field in fields where SlowPromotion.value(object, field) == nil {
                    expected.append(RowViolation(row: row, field: field.name, reason: ""))
                }
            }
            #expect(result.columns.count == fields.count)
            for (field, column) in zip(fields, result.columns) {
                let values = objects.map {
                    SlowPromotion.value($0, field) ?? SlowPromotion.nothing(field)
                }
                #expect(try rows(column, field) == values, "seed \(seed), \(field)")
            }
            #expect(
                result.violations.map { RowViolation(row: $0.row, field: $0.field, reason: "") }
                    == expected, "seed \(seed)")
            #expect(result.violations.allSatisfy { !$0.reason.isEmpty })
            try checkRemainder(result.remainder, objects, Set(fields.map(\.name)), seed)
        }
    }

    private func checkRemainder(
        _ remainder: Column, _ objects: [GeneratedObject?], _ keys: Set<String>, _ seed: UInt64
    ) throws {
        let texts = try texts(remainder)
        let present = objects.compactMap(\.self)
        #expect(texts == present.map { $0.text(without: keys) }, "seed \(seed)")
        let form = try ColumnForm(parsing: remainder)
        #expect(
            form.valid == (objects.contains { $0 == nil } ? objects.map { $0 == nil ? 0 : 1 } : nil)
        )
        for (text, object) in zip(texts, present) {
            var whole = try #require(FoundationJSON.object(object.bytes), "seed \(seed)")
            for key in keys { whole[key] = nil }
            guard Set(object.members.map(\.key)).count == object.members.count else { continue }
            #expect(FoundationJSON.object(Array(text.utf8)) == whole, "seed \(seed): \(text)")
        }
    }

    @Test("is counted in every row that has it", arguments: groups)
    func keyCounts(_ group: Int) throws {
        for seed in UInt64(group) * 50..<UInt64(group) * 50 + 50 {
            var random = WireRandom(seed: seed)
            let objects = (0..<random.int(0...20)).map { _ -> GeneratedObject? in
                random.chance(5) ? nil : GeneratedObject(&random)
            }
            var expected: [String: Int] = [:]
            for object in objects.compactMap(\.self) {
                let keys = try #require(FoundationJSON.object(object.bytes), "seed \(seed)").keys
                for key in keys { expected[key, default: 0] += 1 }
            }
            let counts = try FieldDataCodec().keyCounts(
                of: DynamicColumn.column(objects.map { $0?.bytes }), rowCount: objects.count)
            #expect(counts == expected, "seed \(seed)")
        }
    }

    @Test("is never taken from what is no JSON, whatever the bytes", arguments: groups)
    func mutations(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group) + 5000)
        let fields = zip(
            GeneratedObject.promoted, [.int64, .varchar, .double, .json, .bool, .float]
        ).map { field($0, $1) }
        for round in 0..<1_500 {
            let rows = (0..<3).map { _ -> [UInt8] in
                let bytes = GeneratedObject(&random).bytes
                return random.chance(60) ? JSONMutation.mutate(bytes, &random) : bytes
            }
            let column = DynamicColumn.column(rows)
            let result = try FieldDataCodec().promoted(column, to: fields, rowCount: 3)
            _ = try FieldDataCodec().keyCounts(of: column, rowCount: 3)
            for (row, bytes) in rows.enumerated() {
                var grammar = JSONGrammar(bytes)
                let isFit = grammar.isJSON() && JSONGrammar.isObject(bytes)
                #expect(
                    isFit
                        != result.violations.contains { $0.row == row && $0.field == column.name },
                    "seed \(group + 5000), round \(round): \(bytes)")
            }
            #expect(result.columns.allSatisfy { (try? ColumnForm(parsing: $0))?.valid?.count == 3 })
        }
    }

    @Test(
        "is refused, not trapped over, when the column's own bytes are damaged", arguments: groups)
    func damagedColumns(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group) + 6000)
        let fields = [field("color", .varchar), field("size", .int32, isNullable: false)]
        var refused = 0
        for _ in 0..<500 {
            var column = DynamicColumn.column((0..<3).map { _ in GeneratedObject(&random).bytes })
            column.payload = JSONMutation.mutate(Array(column.payload), &random)[...]
            let rebuilt = try ColumnForm(parsing: DynamicColumn.column("{}")).column(column.payload)
            do {
                let result = try FieldDataCodec().promoted(rebuilt, to: fields, rowCount: 3)
                #expect(try texts(result.remainder).count == 3)
            } catch let error as StopoverError {
                refused += 1
                #expect(error.code == .wireMalformed)
            }
        }
        #expect(refused > 50)
    }

    // MARK: One by one

    @Test(
        "takes a number as what it is",
        arguments: [
            ("9007199254740993", RowValue.int(9_007_199_254_740_993)), ("1.0", .int(1)),
            ("1e3", .int(1000)), ("-9223372036854775808", .int(.min)), ("-0.0", .int(0)),
            ("9e18", .int(9_000_000_000_000_000_000)), ("9223372036854775807.000", .int(.max)),
            ("120e-1", .int(12)),
            ("0.0000e-99999999999999999999", .int(0)),
        ])
    func integers(_ number: String, _ value: RowValue) throws {
        let result = try FieldDataCodec().promoted(
            DynamicColumn.column(#"{"k":\#(number)}"#), to: [field("k", .int64)], rowCount: 1)
        #expect(result.violations == [])
        #expect(try rows(result.columns[0], field("k", .int64)) == [value])
    }

    @Test("is the nearest float, next to half-way between two as well", arguments: groups)
    func nearest(_ group: Int) {
        var random = WireRandom(seed: UInt64(group) + 8000)
        for round in 0..<500 {
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            guard float.isFinite, float.nextUp.isFinite else { continue }
            let halfway = (Double(float) + Double(float.nextUp)) / 2
            let double = random.pick([halfway, halfway.nextUp, halfway.nextDown, Double(float)])
            // With digits behind the double's own, which decide between its neighbours.
            let parts = "\(double)".split(separator: "e")
            let digits = parts[0] + (random.chance(50) ? "" : "\(random.int(0...999_999))")
            let text = parts.count > 1 ? "\(digits)e\(parts[1])" : String(digits)
            let (first, second) = Array(text.utf8).withUnsafeBufferPointer {
                (JSONNumber($0).float, JSONNumber($0).double)
            }
            let place: Comment = "seed \(group + 8000), round \(round): \(text)"
            #expect(first?.bitPattern == Float(text)?.bitPattern, place)
            #expect(second?.bitPattern == Double(text)?.bitPattern, place)
        }
    }

    @Test(
        "is a violation where the field cannot hold it",
        arguments: [
            ("300", DataType.int8, "is 300, outside of -128 to 127"),
            ("-32769", .int16, "is -32,769, outside of -32,768 to 32,767"),
            ("9223372036854775808", .int64, "is outside of -9,223,372,036,854,775,808 to 9"),
            ("1e19", .int64, "is outside of"), ("1e99999999999999999999", .int64, "is outside of"),
            ("1.5", .int32, "is no whole"),
            ("1e-99999999999999999999", .int32, "is no whole number"),
            ("\"7\"", .int32, "is a text where INT32 is wanted"),
            ("7", .varchar, "is a number where VARCHAR is wanted"),
            ("1", .bool, "is a number where BOOL is wanted"),
            ("true", .double, "is true or false where DOUBLE is wanted"),
            ("[1]", .float, "is an array where FLOAT is wanted"),
            ("{}", .varchar, "is an object where VARCHAR is wanted"),
            ("1e39", .float, "is beyond the largest FLOAT"),
            ("-1e309", .double, "is beyond the largest DOUBLE"),
            ("\"éé\"", .varchar, "is 4 bytes long, of at most 3"),
            (#""\u00e9\u00e9""#, .varchar, "is 4 bytes long, of at most 3"),
            (#""\ud83d""#, .varchar, "has half of a surrogate pair"),
        ])
    func misfits(_ value: String, _ type: DataType, _ reason: String) throws {
        let column = DynamicColumn.column(#"{"x":1,"k":\#(value)}"#, "{}")
        for isNullable in [true, false] {
            let field = field("k", type, isNullable: isNullable, maximum: 3)
            let result = try FieldDataCodec().promoted(column, to: [field], rowCount: 2)
            let first = try #require(result.violations.first)
            #expect(first.row == 0)
            #expect(first.field == "k")
            #expect(first.reason.contains(reason), "\(first.reason)")
            #expect(result.violations.count == (isNullable ? 1 : 2))
            #expect(try texts(result.remainder) == [#"{"x":1}"#, "{}"])
            let nothing = SlowPromotion.nothing(field)
            #expect(try rows(result.columns[0], field) == [nothing, nothing])
        }
    }

    @Test("is null where it is missing or null, or a violation where the field takes no nulls")
    func nulls() throws {
        let column = DynamicColumn.column([Array(#"{"k":null}"#.utf8), nil, Array("{}".utf8)])
        for type in [DataType.bool, .int64, .float, .double, .varchar, .json] {
            let nullable = try FieldDataCodec().promoted(
                column, to: [field("k", type)], rowCount: 3)
            #expect(nullable.violations == [])
            #expect(try rows(nullable.columns[0], field("k", type)) == [.null, .null, .null])
            let strict = field("k", type, isNullable: false)
            let result = try FieldDataCodec().promoted(column, to: [strict], rowCount: 3)
            #expect(result.violations.map(\.row) == [0, 1, 2])
            #expect(result.violations[0].reason == "is null, and the field is not nullable")
            #expect(result.violations[1].reason == "is missing, and the field is not nullable")
        }
    }

    @Test("is known by its bytes, however it is written")
    func keys() throws {
        let column = DynamicColumn.column(
            #"{"\u006B":1,"e\u0301":2}"#, #"{"e\u0301":3 , "é":4}"#, #"{"\ud83d":5,"K":6}"#)
        let fields = [field("k", .int8), field("é", .int8)]
        let result = try FieldDataCodec().promoted(column, to: fields, rowCount: 3)
        #expect(try rows(result.columns[0], fields[0]) == [.int(1), .null, .null])
        #expect(try rows(result.columns[1], fields[1]) == [.null, .int(4), .null])
        #expect(
            try texts(result.remainder)
                == [#"{"e\u0301":2}"#, #"{"e\u0301":3 }"#, #"{"\ud83d":5,"K":6}"#])
    }

    @Test("has its last value when it comes twice, and leaves with all of them")
    func duplicates() throws {
        let column = DynamicColumn.column(
            #"{"k":1,"x":0,"k":"a","\u006b":3}"#, #"{"k":1,"k":null}"#, #"{"k":1,"k":"a"}"#)
        let result = try FieldDataCodec().promoted(column, to: [field("k", .int32)], rowCount: 3)
        #expect(try rows(result.columns[0], field("k", .int32)) == [.int(3), .null, .null])
        #expect(result.violations.map(\.row) == [2])
        #expect(try texts(result.remainder) == [#"{"x":0}"#, "{}", "{}"])
        let counts = try FieldDataCodec().keyCounts(of: column, rowCount: 3)
        #expect(counts == ["k": 3, "x": 1])
    }

    @Test("leaves a column that does not have it as the slice it was")
    func noCopy() throws {
        var column = DynamicColumn.column(#"{ "a" : 1 }"#, "{}")
        let buffer = [9, 9] + column.payload + [9]
        column.payload = buffer[2..<buffer.count - 1]
        let result = try FieldDataCodec().promoted(column, to: [field("k", .int8)], rowCount: 2)
        #expect(result.remainder == column)
        #expect(result.remainder.payload.startIndex == 2)
    }

    @Test("is in no row that is no object; the row stays, as a violation of the dynamic column")
    func malformedRows() throws {
        let rows = [#"{"k":1,"x":2}"#, #"{"k":1,"#, "[]", "", #"{"k":2}"#]
        let column = DynamicColumn.column(rows.map { Array($0.utf8) })
        let strict = field("k", .int8, isNullable: false)
        let result = try FieldDataCodec().promoted(column, to: [strict], rowCount: 5)
        #expect(result.violations.map(\.row) == [1, 2, 3])
        #expect(result.violations.allSatisfy { $0.field == "$meta" })
        #expect(
            result.violations.map(\.reason) == [
                "is not JSON: it ends within a value", "is no JSON object",
                "is not JSON: it ends within a value",
            ])
        #expect(try texts(result.remainder) == [#"{"x":2}"#, rows[1], rows[2], rows[3], "{}"])
        #expect(try FieldDataCodec().keyCounts(of: column, rowCount: 5) == ["k": 2, "x": 1])
    }

    @Test("is not UTF-8: no text, and no reason to stop")
    func notUTF8() throws {
        let bad = Array(#"{"k":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        let result = try FieldDataCodec().promoted(
            DynamicColumn.column([bad]), to: [field("k", .varchar)], rowCount: 1)
        #expect(result.violations.map(\.reason) == ["is not UTF-8"])
    }

    @Test("is a scalar or JSON: no vector, no array", arguments: [DataType.floatVector, .array])
    func types(_ type: DataType) throws {
        let error = #expect(throws: StopoverError.self) {
            try FieldDataCodec().promoted(
                DynamicColumn.column("{}"), to: [field("k", type)], rowCount: 1)
        }
        #expect(error?.code == .promotionType)
    }

    @Test("comes from as many rows as there are, or from none", arguments: [0, 1, 3])
    func rowCounts(_ rowCount: Int) {
        let column = DynamicColumn.column("{}", "{}")
        #expect(throws: StopoverError.self) {
            try FieldDataCodec().promoted(column, to: [field("k", .bool)], rowCount: rowCount)
        }
        #expect(throws: StopoverError.self) {
            try FieldDataCodec().keyCounts(of: column, rowCount: rowCount)
        }
    }
}
