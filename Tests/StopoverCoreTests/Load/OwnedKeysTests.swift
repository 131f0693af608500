import StopoverCore
import Testing

@Suite("The keys that are ours")
struct OwnedKeysTests {
    private func keys(_ numbers: [[Int64]]) throws -> OwnedKeys {
        try OwnedKeys(numbers.map { IDRuns(.int64($0)) })
    }

    @Test("joins neighbours and leaves a gap wherever a stranger can be")
    func gaps() throws {
        let keys = try keys([[10, 11, 12], [1, 2], [13], [20], [.max]])
        #expect(keys == .int64([1...2, 10...13, 20...20, .max ... .max]))
        #expect(keys.count == 8)
        #expect(
            keys.gaps == [
                KeyRange(through: .int64(0)), KeyRange(after: .int64(2), through: .int64(9)),
                KeyRange(after: .int64(13), through: .int64(19)),
                KeyRange(after: .int64(20), through: .int64(.max - 1)),
            ])
        for key in Int64(-5)..<30 {
            #expect(keys.contains(.int64(key)) == !keys.gaps.contains { $0.contains(.int64(key)) })
        }
    }

    @Test("has nothing but a gap when no row was acknowledged")
    func nothing() throws {
        #expect(try keys([]).gaps == [.all])
        #expect(try !keys([]).contains(.int64(1)))
    }

    @Test("looks at every VARCHAR key")
    func texts() throws {
        let keys = try OwnedKeys([IDRuns(.varchar(["4", "5"])), IDRuns(.varchar(["7"]))])
        #expect(keys.gaps == [.all])
        #expect(keys.count == 3)
        #expect(keys.contains(.varchar("5")) && !keys.contains(.varchar("6")))
    }

    @Test("asks for exactly its rows, not too many in a question")
    func selections() throws {
        var numbers: [[Int64]] = [[.min, .min + 1], [.max]]
        for tens in Int64(0)..<250 { numbers.append([tens * 10, tens * 10 + 1]) }
        let rows = RowSelection(
            collection: CollectionName(collection: "c"),
            primaryKey: FieldSchema(name: "id", type: .int64))
        let keys = try keys(numbers)
        let asked = keys.selections(of: rows)
        #expect(asked.map(\.anyOf.count) == [100, 100, 52])
        let known: [Int64] = numbers.flatMap { $0 }
        for key in known.flatMap({ (key: Int64) -> [Int64] in [key &- 1, key, key &+ 1] }) {
            let isAsked = asked.contains { $0.anyOf.contains { $0.contains(.int64(key)) } }
            #expect(isAsked == keys.contains(.int64(key)), "\(key)")
        }
        let texts = try OwnedKeys([IDRuns(.varchar((0..<1_500).map { "\($0)" }))])
        #expect(texts.selections(of: rows).map(\.keys.count) == [1_000, 500])
    }

    @Test("refuses a key that was given twice", arguments: [[[1, 2], [2, 3]], [[5], [1], [5]]])
    func twice(_ numbers: [[Int64]]) {
        let error = #expect(throws: StopoverError.self) { try keys(numbers) }
        #expect(error?.code.rawValue == "STO-TARGET-KEYS-TWICE")
    }
}
