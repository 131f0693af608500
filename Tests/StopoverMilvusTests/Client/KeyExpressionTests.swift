import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("A key expression")
struct KeyExpressionTests {
    let int = KeyExpression(FieldSchema(name: "id", type: .int64))
    let text = KeyExpression(FieldSchema(name: "name", type: .varchar))

    @Test("is true for every key when the range is open")
    func open() throws {
        #expect(try int.text(.all) == "id <= 9223372036854775807")
        #expect(try text.text(.all) == "name >= \"\"")
    }

    @Test("joins two plain comparisons, which all servers read alike")
    func bounded() throws {
        #expect(
            try int.text(KeyRange(after: .int64(-5), through: .int64(7))) == "id > -5 and id <= 7")
        #expect(try int.text(KeyRange(after: .int64(.max))) == "id > 9223372036854775807")
        #expect(
            try text.text(KeyRange(after: .varchar(""), through: .varchar("b")))
                == "name > \"\" and name <= \"b\"")
    }

    @Test("never writes INT64_MIN, which 2.3.5 cannot read")
    func least() throws {
        #expect(try int.text(KeyRange(after: .int64(.min))) == "id >= -9223372036854775807")
        #expect(try int.text(KeyRange(through: .int64(.min))) == "id < -9223372036854775807")
        #expect(
            try int.text(KeyRange(after: .int64(.min), through: .int64(.min)))
                == "id >= -9223372036854775807 and id < -9223372036854775807")
        #expect(
            try int.text(KeyRange(after: .int64(.min + 1))) == "id > -9223372036854775807")
    }

    @Test(
        "escapes what would end or change the literal, and nothing else",
        arguments: [
            ("plain", "\"plain\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("it's", "\"it's\""),
            ("back\\slash", "\"back\\\\slash\""),
            ("ends with \\", "\"ends with \\\\\""),
            ("\\n", "\"\\\\n\""),
            ("line\nbreak", "\"line\\nbreak\""),
            ("\r\n", "\"\\r\\n\""),
            ("tab\t", "\"tab\\t\""),
            ("👩‍👩‍👧‍👦 é e\u{301}", "\"👩‍👩‍👧‍👦 é e\u{301}\""),
            ("nul\0byte", "\"nul\0byte\""),
            ("\u{1}\u{7F}\u{2028}", "\"\u{1}\u{7F}\u{2028}\""),
            ("a' or 1 == 1 --", "\"a' or 1 == 1 --\""),
            ("", "\"\""),
        ])
    func escapes(_ key: String, _ literal: String) throws {
        let expression = try text.text(KeyRange(after: .varchar(key)))
        #expect(Array(expression.utf8) == Array("name > \(literal)".utf8))
    }

    @Test("refuses a key that is not UTF-8 rather than ask for another")
    func invalidKey() {
        #expect {
            try text.text(KeyRange(after: .varchar([0x61, 0xFF])))
        } throws: {
            ($0 as? StopoverError)?.code == .keyNotUTF8
        }
    }
}
