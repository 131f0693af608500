import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("A row as JSON")
struct RowJSONTests {
    static let groups = 0..<20

    // MARK: Against Foundation

    @Test("says what is in the row, as Foundation reads it", arguments: groups)
    func property(_ group: Int) throws {
        for seed in UInt64(group) * 50..<UInt64(group) * 50 + 50 {
            let reply = GeneratedReply(seed: seed)
            let page = try #require(
                try QueryReply.walk(reply.bytes[...], asked: reply.fields).page)
            var random = WireRandom(seed: seed)
            let rows = (0..<page.batch.rowCount).filter { _ in random.chance(60) }
            let lines = try FieldDataCodec().json(rows, of: page.batch)
            #expect(lines.count == rows.count)
            for (line, row) in zip(lines, rows) {
                #expect(!line.contains { $0 < 0x20 }, "seed \(seed), row \(row)")
                let object = try #require(FoundationJSON.object(line), "seed \(seed), row \(row)")
                #expect(object.count == reply.fields.count)
                for field in reply.fields {
                    let value = try #require(reply.rows[field.name])[row]
                    #expect(
                        object[field.name] == ExpectedJSON.value(value, field),
                        "seed \(seed), row \(row), \(field): \(String(decoding: line, as: UTF8.self))"
                    )
                }
            }
        }
    }

    @Test("is a line of JSON or an error, whatever the column's bytes", arguments: groups)
    func damage(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group) + 7000)
        var refused = 0
        var written = 0
        for round in 0..<1_000 {
            let reply = GeneratedReply(
                seed: random.next(), rowCount: random.int(1...4), columns: 1...4)
            guard var batch = try QueryReply.walk(reply.bytes[...], asked: reply.fields).page?.batch
            else { continue }
            let place = random.int(0...batch.columns.count - 1)
            batch.columns[place] = try damaged(batch.columns[place], &random)
            do throws(StopoverError) {
                let lines = try FieldDataCodec().json(Array(0..<batch.rowCount), of: batch)
                written += 1
                for line in lines {
                    var grammar = JSONGrammar(line)
                    let isLine = grammar.isJSON() && String(validating: line, as: UTF8.self) != nil
                    #expect(isLine, "seed \(group + 7000), round \(round)")
                    #expect(!line.contains { $0 == 0x0A || $0 == 0x0D })
                }
            } catch {
                refused += 1
                #expect(error.code == .wireMalformed)
            }
        }
        #expect(refused > 50)
        #expect(written > 50)
    }

    /// Damaged in its values, its flags or its head; now and then with a head that fits.
    private func damaged(_ column: Column, _ random: inout WireRandom) throws -> Column {
        var column = column
        switch random.int(0...5) {
        case 0: column.head = JSONMutation.mutate(column.head, &random)
        case 1: column.tail = JSONMutation.mutate(column.tail, &random)
        case 2: column.payload = JSONMutation.mutate(Array(column.payload), &random)[...]
        default:
            let payload = JSONMutation.mutate(Array(column.payload), &random)
            column = try ColumnForm(parsing: column).column(payload[...])
        }
        return column
    }

    // MARK: One by one

    private func line(
        _ type: DataType, _ layout: ValueLayout, dataField: Int, second: UInt64? = nil,
        dimension: UInt64? = nil, _ payload: [UInt8]
    ) throws -> String {
        let form = ColumnForm(
            name: "f", type: type, layout: layout, dataField: dataField, dimension: dimension,
            second: second)
        let batch = Batch(rowCount: 1, columns: [form.column(payload[...])])
        let lines = try FieldDataCodec().json([0], of: batch)
        let text = String(decoding: try #require(lines.first), as: UTF8.self)
        #expect(text.hasPrefix(#"{"f":"#) && text.hasSuffix("}"))
        return String(text.dropFirst(5).dropLast())
    }

    private func record(_ bytes: [UInt8]) -> [UInt8] {
        WireWriter.message { $0.bytes(1, bytes) }
    }

    private func varint(_ number: Int64) -> [UInt8] {
        var writer = WireWriter()
        writer.raw(varint: UInt64(bitPattern: number))
        return writer.bytes
    }

    @Test(
        "has integers with all their digits", arguments: [0, -1, 9_007_199_254_740_993, .min, .max])
    func integers(_ number: Int64) throws {
        #expect(try line(.int64, .varints, dataField: 3, varint(number)) == "\(number)")
        #expect(try line(.timestamptz, .varints, dataField: 11, varint(number)) == "\(number)")
    }

    @Test("has truth as truth")
    func booleans() throws {
        #expect(try line(.bool, .varints, dataField: 1, [1]) == "true")
        #expect(try line(.bool, .varints, dataField: 1, [0]) == "false")
    }

    @Test(
        "has floats that read back as themselves",
        arguments: [
            (Float(0.1), "0.1"), (-0.0, "-0.0"), (16_777_216, "16777216.0"), (1e20, "1e+20"),
            (.leastNonzeroMagnitude, "1e-45"), (.nan, #""NaN""#), (.infinity, #""Infinity""#),
            (-.infinity, #""-Infinity""#),
        ])
    func floats(_ number: Float, _ text: String) throws {
        let bytes = number.bitPattern.littleEndianBytes
        #expect(try line(.float, .fixed(width: 4), dataField: 4, bytes) == text)
        #expect(
            try line(.floatVector, .fixed(width: 8), dataField: 2, dimension: 2, bytes + bytes)
                == "[\(text),\(text)]")
        let wide = Double(number).bitPattern.littleEndianBytes
        let double = try line(.double, .fixed(width: 8), dataField: 5, wide)
        #expect(number.isFinite ? Double(double) == Double(number) : double == text)
    }

    @Test("has half floats as the numbers that they are")
    func halfFloats() throws {
        func halves(_ type: DataType, _ field: Int, _ halves: [UInt16]) throws -> String {
            try line(
                type, .fixed(width: 2 * halves.count), dataField: field,
                dimension: UInt64(halves.count), halves.flatMap(\.littleEndianBytes))
        }
        #expect(
            try halves(.float16Vector, 4, [0x3C00, 0x2E66, 0x8001, 0x7C00, 0x7E00])
                == #"[1.0,0.0999755859375,-5.960464477539063e-08,"Infinity","NaN"]"#)
        #expect(
            try halves(.bfloat16Vector, 5, [0x3F80, 0x3DCD, 0xFF80, 0xFFC0])
                == #"[1.0,0.10009765625,"-Infinity","NaN"]"#)
    }

    @Test("has every half float there is, exactly")
    func allHalfFloats() throws {
        let bits = (UInt16.min...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 }
        let text = try line(
            .float16Vector, .fixed(width: 2 * bits.count), dataField: 4,
            dimension: UInt64(bits.count), bits.flatMap(\.littleEndianBytes))
        let numbers = text.dropFirst().dropLast().split(separator: ",")
        #expect(numbers.compactMap { Double($0).map { Float16($0).bitPattern } } == bits)
    }

    @Test("has text as text, and what is no text as base64")
    func texts() throws {
        func text(_ bytes: [UInt8]) throws -> String {
            try line(.varchar, .records, dataField: 6, record(bytes))
        }
        #expect(
            try text(Array("é\"\\\n\r\t\0\u{1F}\u{7F}/👍".utf8))
                == #""é\"\\\n\r\t\u0000\u001f\u007f/👍""#)
        #expect(try text([]) == #""""#)
        #expect(try text([0xFF]) == #"{"base64":"/w=="}"#)
        #expect(try text([0xFF, 0xFE]) == #"{"base64":"//4="}"#)
        #expect(try text([0xFF, 0xFE, 0x3E]) == #"{"base64":"//4+"}"#)
        #expect(try text([0xED, 0xA0, 0x80]) == #"{"base64":"7aCA"}"#)
    }

    @Test("has JSON as it is, on one line")
    func json() throws {
        func json(_ text: String) throws -> String {
            try line(.json, .records, dataField: 9, record(Array(text.utf8)))
        }
        #expect(try json(#" {"a" : [1.50, "\n\u00e9"]}"#) == #" {"a" : [1.50, "\n\u00e9"]}"#)
        #expect(try json("[1,\r\n2]") == "[1,  2]")
        #expect(try json("12345678901234567890.10") == "12345678901234567890.10")
        #expect(try json("{") == #"{"base64":"ew=="}"#)
        #expect(try json("") == #"{"base64":""}"#)
    }

    @Test("has arrays as arrays, however their numbers are packed")
    func arrays() throws {
        func array(_ element: DataType, _ row: [UInt8]) throws -> String {
            try line(
                .array, .records, dataField: 8, second: UInt64(element.rawValue), record(row))
        }
        let packed = WireWriter.message { $0.message(3) { $0.bytes(1, varint(7) + varint(-8)) } }
        #expect(try array(.int64, packed) == "[7,-8]")
        let mixed = WireWriter.message { row in
            row.message(2) {
                $0.varint(1, 1)
                $0.bytes(1, [2, 3])
                $0.varint(9, 9)
                $0.varint(1, 4)
            }
        }
        #expect(try array(.int16, mixed) == "[1,2,3,4]")
        let loose = WireWriter.message { row in
            row.message(5) { $0.fixed(1, Double(0.5).bitPattern.littleEndianBytes) }
        }
        #expect(try array(.double, loose) == "[0.5]")
        let texts = WireWriter.message { row in
            row.message(6) {
                $0.text(1, "a,")
                $0.bytes(1, [0xFF])
                $0.text(1, "")
            }
        }
        #expect(try array(.varchar, texts) == #"["a,",{"base64":"/w=="},""]"#)
        #expect(try array(.bool, WireWriter.message { $0.bytes(1, []) }) == "[]")
        #expect(try array(.bool, []) == "[]")
        #expect(throws: StopoverError.self) { try array(.bool, packed) }
        #expect(throws: StopoverError.self) { try array(.json, packed) }
    }

    @Test("has other vectors and geometry so that they can be restored")
    func bytes() throws {
        #expect(
            try line(.binaryVector, .fixed(width: 2), dataField: 3, dimension: 16, [1, 0xFF])
                == #"{"base64":"Af8="}"#)
        #expect(
            try line(.int8Vector, .fixed(width: 3), dataField: 7, dimension: 3, [1, 0x80, 0xFF])
                == "[1,-128,-1]")
        let sparse =
            UInt32(3).littleEndianBytes + Float(0.5).bitPattern.littleEndianBytes
            + UInt32.max.littleEndianBytes + Float(-1).bitPattern.littleEndianBytes
        #expect(
            try line(.sparseFloatVector, .records, dataField: 6, second: 9, record(sparse))
                == #"{"3":0.5,"4294967295":-1.0}"#)
        #expect(try line(.sparseFloatVector, .records, dataField: 6, record([])) == "{}")
        #expect(
            try line(.sparseFloatVector, .records, dataField: 6, record([1, 2, 3]))
                == #"{"base64":"AQID"}"#)
        let point = Array("POINT (1 2)".utf8)
        #expect(try line(.geometry, .records, dataField: 12, record(point)) == #""POINT (1 2)""#)
        #expect(
            try line(.geometry, .records, dataField: 10, record([0x41])) == #"{"base64":"QQ=="}"#)
    }

    @Test("has its columns in their order, nulls, and the dynamic fields as $meta")
    func wholeRows() throws {
        let names = ColumnForm(
            name: "na\"me", type: .varchar, layout: .records, dataField: 6, valid: [1, 0, 0, 1])
        let keys = ColumnForm(name: "k", type: .int64, layout: .varints, dataField: 3)
        let batch = Batch(
            rowCount: 4,
            columns: [
                keys.column([5, 6, 0x80, 1, 8][...]),
                names.column((record(Array("x".utf8)) + record(Array("y".utf8)))[...]),
                DynamicColumn.column(#"{"a":1}"#, "{}", "{ }", #"{"b":null}"#),
            ])
        func texts(_ rows: [Int]) throws -> [String] {
            try FieldDataCodec().json(rows, of: batch).map { String(decoding: $0, as: UTF8.self) }
        }
        let all = [
            #"{"k":5,"na\"me":"x","$meta":{"a":1}}"#, #"{"k":6,"na\"me":null,"$meta":{}}"#,
            #"{"k":128,"na\"me":null,"$meta":{ }}"#, #"{"k":8,"na\"me":"y","$meta":{"b":null}}"#,
        ]
        #expect(try texts([0, 1, 2, 3]) == all)
        #expect(try texts([3]) == [all[3]])
        #expect(try texts([1, 3]) == [all[1], all[3]])
        #expect(try texts([]) == [])
        for rows in [[4], [-1], [1, 0], [2, 2]] {
            #expect(throws: StopoverError.self) { try texts(rows) }
        }
        #expect(throws: StopoverError.self) {
            try FieldDataCodec().json([0], of: Batch(rowCount: 3, columns: batch.columns))
        }
    }
}
