import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("A struct array that is held against a field of the target")
struct StructCheckTests {
    /// Sub-fields `t`, ARRAY of VARCHAR, and `v`, vectors of two floats.
    static let field = {
        var field = TypedColumn.field(.arrayOfStruct)
        field.structFields = [
            TypedColumn.field(.array, element: .varchar),
            TypedColumn.field(.arrayOfVector, element: .floatVector, dim: 2),
        ]
        field.structFields[0].name = "t"
        field.structFields[1].name = "v"
        return field
    }()
    static let one = "0000803F 0000803F"

    /// A text of each struct and its vector in hex, row by row; null rows have no entry.
    private func violations(
        _ rows: [[(String, String)]], flags: String = "",
        _ change: (inout FieldSchema) -> Void = { _ in }
    ) throws -> [String] {
        let texts = rows.map { row in
            "0A:(32:(" + row.map { "0A:'\($0.0)'" }.joined() + "))"
        }
        let vectors = rows.map { row in
            "12:(0802 12:(0A:(" + row.map(\.1).joined() + ")))"
        }
        let valid = flags.isEmpty ? "" : "3A:(\(flags))"
        let reply = StructArrayTests.reply(
            "0816 12:'t' 1A:(42:(\(texts.joined()) 1015)) \(valid)",
            "086A 12:'v' 22:(0802 42:(0802 \(vectors.joined()) 1865)) \(valid)")
        var read = Self.field
        read.isNullable = !flags.isEmpty
        let rowCount = flags.isEmpty ? rows.count : flags.count / 2
        let batch = try TypedColumn.batch(reply, as: read, rowCount: rowCount)
        var wanted = read
        change(&wanted)
        let found = try FieldDataCodec().violations(
            in: batch.columns[1], of: wanted, rowCount: rowCount)
        return found.map { "\($0.row) \($0.field) \($0.reason)" }
    }

    @Test("holds as many structs as its max_capacity says, or each sub-field's")
    func capacity() throws {
        let rows = [1, 3, 2].map { [(String, String)](repeating: ("a", Self.one), count: $0) }
        #expect(
            try violations(rows) { $0.typeParams["max_capacity"] = "2" }
                == ["1 f[t] has 3 elements, of at most 2"])
        #expect(
            try violations(rows) { $0.structFields[1].typeParams["max_capacity"] = "1" }
                == ["1 f[v] has 3 elements, of at most 1", "2 f[v] has 2 elements, of at most 1"])
        #expect(try violations(rows).isEmpty)
    }

    @Test("holds texts as long as their sub-field's max_length, in bytes")
    func lengths() throws {
        let rows = [[("abc", Self.one)], [("ab", Self.one), ("éé", Self.one)]]
        #expect(
            try violations(rows) { $0.structFields[0].typeParams["max_length"] = "3" }
                == ["1 f[t] is 4 bytes long, of at most 3 (element 1, counted from 0)"])
    }

    @Test("holds no vector with a number that is not finite, unless its server takes it")
    func floats() throws {
        let rows = [
            [("a", Self.one)], [("a", Self.one), ("a", "0000803F 0000C07F")], [],
            [("a", "0000807F 0000803F")],
        ]
        #expect(
            try violations(rows) == [
                "1 f[v] is NaN at position 1, counted from 0 (element 1, counted from 0)",
                "3 f[v] is infinite at position 0, counted from 0 (element 0, counted from 0)",
            ])
        #expect(try violations(rows) { $0.takesNonFinite = true }.isEmpty)
    }

    @Test("holds vectors of its own dimension only")
    func dimensions() throws {
        let rows = [[("a", Self.one)], []]
        #expect(
            try violations(rows) { $0.structFields[1].typeParams["dim"] = "3" }
                == [
                    "0 f[v] has 2 dimensions instead of 3", "1 f[v] has 2 dimensions instead of 3",
                ])
    }

    @Test("counts its nulls among the rows, and is null as a whole")
    func nulls() throws {
        let rows = [[("a", Self.one)], [("abcd", Self.one)]]
        let long = "3 f[t] is 4 bytes long, of at most 3 (element 0, counted from 0)"
        #expect(
            try violations(rows, flags: "00010001") {
                $0.structFields[0].typeParams["max_length"] = "3"
            } == [long])
        #expect(
            try violations(rows, flags: "00010001") {
                $0.structFields[0].typeParams["max_length"] = "3"
                $0.isNullable = false
            } == ["0 f is null", "2 f is null", long])
    }

    @Test("names the first sub-field of a row in which several do not fit")
    func several() throws {
        let notANumber = "0000C07F 0000803F"
        let rows = [[("a", notANumber)], [("abcd", notANumber)]]
        #expect(
            try violations(rows) { $0.structFields[0].typeParams["max_length"] = "3" }
                == [
                    "0 f[v] is NaN at position 0, counted from 0 (element 0, counted from 0)",
                    "1 f[t] is 4 bytes long, of at most 3 (element 0, counted from 0)",
                ])
    }

    @Test("is refused whole when its sub-fields are others than the field's")
    func otherFields() throws {
        let rows = [[("a", Self.one)]]
        let changes: [(inout FieldSchema) -> Void] = [
            { $0.structFields[0].name = "x" }, { $0.structFields[0].type = .arrayOfVector },
            { $0.structFields.removeLast() }, { $0.structFields.append($0.structFields[0]) },
        ]
        for change in changes {
            #expect(throws: StopoverError.self) { try violations(rows, change) }
        }
    }

    static let groups = 0..<20

    @Test("names exactly the rows that do not fit", arguments: groups)
    func rows(_ group: Int) {
        PassThroughTests.each(seedsOf: group, 50) { seed throws in
            var random = WireRandom(seed: seed)
            let reply = StructReply(seed: seed, rowCount: random.int(1...12))
            let page = try QueryReply.walk(reply.bytes[...], asked: reply.fields).page
            let batch = try #require(page).batch
            for var wanted in reply.fields where wanted.type == .arrayOfStruct {
                let column = try #require(batch.columns.first { $0.name == wanted.name })
                let rows = try #require(reply.rows[wanted.name])
                for index in wanted.structFields.indices where random.chance(30) {
                    wanted.structFields[index].typeParams["max_capacity"] = random.pick(["1", "2"])
                    wanted.structFields[index].typeParams["max_length"] = random.pick(["0", "3"])
                }
                let found = try FieldDataCodec().violations(
                    in: column, of: wanted, rowCount: rows.count)
                let expected = rows.indices.filter { Self.misfit(rows[$0], wanted) != nil }
                #expect(found.map(\.row) == expected, "seed \(seed)")
                #expect(
                    found.map(\.field) == expected.map { Self.misfit(rows[$0], wanted) },
                    "seed \(seed)")
            }
        }
    }

    /// The first sub-field that does not fit, as a violation names it.
    private static func misfit(_ row: RowValue, _ field: FieldSchema) -> String? {
        guard row != .null else { return field.isNullable ? nil : field.name }
        let index = field.structFields.indices.first { index in
            let (sub, values) = (field.structFields[index], row.elements[index])
            guard sub.type == .arrayOfVector else {
                return !ReferenceChecks.fits(values, sub, dimension: nil)
            }
            var vector = FieldSchema(name: "", type: sub.elementType ?? .bool)
            vector.typeParams = sub.typeParams
            let capacity = sub.typeParams["max_capacity"].flatMap { Int($0) } ?? .max
            return values.elements.count > capacity
                || !values.elements.allSatisfy {
                    ReferenceChecks.fits($0, vector, dimension: vector.dimension)
                }
        }
        return index.map { "\(field.name)[\(field.structFields[$0].name)]" }
    }
}
