import Testing

@testable import StopoverMilvus

@Suite("A walk over JSON")
struct JSONWalkTests {
    static let groups = 0..<20

    /// The keys of an object and its values, by the walk.
    private func members(
        _ bytes: [UInt8]
    ) throws(JSONFault) -> [(key: String, value: String, segment: String)] {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONFault) in
            var walk = JSONWalk()
            var members: [(key: String, value: String, segment: String)] = []
            try walk.begin(buffer)
            while let member = try walk.next() {
                var key: [UInt8] = []
                let written = UnsafeBufferPointer(rebasing: buffer[member.key])
                _ = JSONText.append(unescaped: written, to: &key)
                #expect(member.keyHasEscapes == written.contains(UInt8(ascii: "\\")))
                members.append(
                    (
                        String(decoding: key, as: UTF8.self),
                        String(decoding: buffer[member.value], as: UTF8.self),
                        String(decoding: buffer[member.segment], as: UTF8.self)
                    ))
            }
            return members
        }
    }

    private func fault(_ bytes: [UInt8]) -> JSONFault? {
        do throws(JSONFault) {
            _ = try members(bytes)
            return nil
        } catch { return error }
    }

    @Test("finds the members that were written", arguments: groups)
    func finds(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group))
        for round in 0..<250 {
            let object = GeneratedObject(&random)
            let found = try members(object.bytes)
            let place: Comment = "seed \(group), round \(round): \(object.text)"
            #expect(found.map(\.key) == object.members.map(\.key), place)
            #expect(found.map(\.value) == object.members.map(\.written), place)
            #expect(found.map(\.segment) == object.members.map(\.segment), place)
        }
    }

    @Test("finds the members that Foundation finds", arguments: groups)
    func agrees(_ group: Int) throws {
        var random = WireRandom(seed: UInt64(group) + 1000)
        for round in 0..<250 {
            let object = GeneratedObject(&random)
            let place: Comment = "seed \(group + 1000), round \(round): \(object.text)"
            let whole = try #require(FoundationJSON.object(object.bytes), place)
            let found = try members(object.bytes)
            #expect(Set(found.map(\.key)) == Set(whole.keys), place)
            guard whole.count == found.count else { continue }
            for member in found {
                let value = FoundationJSON.value(Array(member.value.utf8))
                #expect(value == whole[member.key], place)
            }
        }
    }

    /// Foundation takes what is no JSON, and refuses some that is: so the grammar itself, as a
    /// recursion that is too slow and too deep for data.
    @Test("refuses what the grammar refuses, at the same byte", arguments: groups)
    func refuses(_ group: Int) {
        var random = WireRandom(seed: UInt64(group) + 2000)
        var refused = 0
        for round in 0..<1_500 {
            let bytes = JSONMutation.mutate(GeneratedObject(&random).bytes, &random)
            let found = fault(bytes)
            var grammar = JSONGrammar(bytes)
            let place: Comment = "seed \(group + 2000), round \(round): \(bytes)"
            if grammar.isJSON() {
                let isObject = JSONGrammar.isObject(bytes)
                #expect(found?.kind == (isObject ? nil : .noObject), place)
            } else {
                refused += 1
                #expect(found?.position == grammar.position, place)
                #expect(
                    found?.kind == (grammar.position < bytes.count ? .outOfPlace : .endsEarly),
                    place)
            }
        }
        #expect(refused > 500)
    }

    @Test(
        "says where bytes are no JSON",
        arguments: [
            ("", 0, "it ends"), ("{", 1, "it ends"), (#"{"a"}"#, 4, "byte 4"),
            (#"{"a":1,}"#, 7, "byte 7"), (#"{,"a":1}"#, 1, "byte 1"), (#"{"a":01}"#, 6, "byte 6"),
            (#"{"a":1.}"#, 7, "byte 7"), (#"{"a":+1}"#, 5, "byte 5"), (#"{"a":tru}"#, 8, "byte 8"),
            (#"{"a":NaN}"#, 5, "byte 5"), (#"{'a':1}"#, 1, "byte 1"), (#"{"a":1} x"#, 8, "byte 8"),
            (#"{"a":"\x"}"#, 7, "byte 7"), (#"{"a":"\u12G4"}"#, 10, "byte 10"),
            ("{\"a\":\"b\nc\"}", 7, "byte 7"), (#"{"a":[1,2}"#, 9, "byte 9"),
            (#"{"a":{"b":[]"#, 12, "it ends"), (#"{"a":"bbbbbbbbbbbbbbbb"#, 22, "it ends"),
            (#"{"a":[1,]}"#, 8, "byte 8"), (#"{"a":{"b":1,}}"#, 12, "byte 12"),
            (#"{"a":{]}"#, 6, "byte 6"), ("[1,2", 4, "it ends"), ("x", 0, "byte 0"),
        ])
    func positions(_ text: String, _ position: Int, _ reason: String) {
        let fault = fault(Array(text.utf8))
        #expect(fault?.position == position)
        #expect(fault?.reason.contains(reason) == true, "\(fault?.reason ?? "")")
    }

    @Test("tells a value that is no object", arguments: ["1", "[]", "\"a\"", " null ", "true"])
    func noObject(_ text: String) {
        #expect(fault(Array(text.utf8))?.kind == .noObject)
    }

    @Test("goes as deep as its limit, and no deeper")
    func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((#"{"a":"# + String(repeating: "[", count: depth - 1)).utf8)
                + Array((String(repeating: "]", count: depth - 1) + "}").utf8)
        }
        #expect(fault(nested(JSONWalk.maximumDepth)) == nil)
        let deeper = fault(nested(JSONWalk.maximumDepth + 1))
        #expect(deeper?.kind == .tooDeep)
        #expect(deeper?.position == JSONWalk.maximumDepth + 4)
        #expect(deeper?.reason.contains("10,000 levels") == true)
    }

    @Test("takes a text's special byte wherever it stands among eight", arguments: 0..<20)
    func specialBytes(_ length: Int) throws {
        let letters = String(repeating: "é", count: length / 2) + (length % 2 == 1 ? "~" : "")
        for escape in ["", #"\""#, #"\\"#, #"\u00E9"#] {
            let bytes = Array(#"{"k":"\#(letters)\#(escape)\#(letters)"}"#.utf8)
            #expect(try members(bytes).map(\.value) == ["\"\(letters)\(escape)\(letters)\""])
        }
        for control in [UInt8(0), 0x0A, 0x1F] {
            let start = Array(#"{"k":"\#(letters)"#.utf8)
            #expect(fault(start + [control] + Array(#"abcdefgh"}"#.utf8))?.position == start.count)
        }
    }

    @Test(
        "reads escapes as they are meant, and a half of a pair as U+FFFD",
        arguments: [
            (#"\u00e9\u00E9"#, "éé", true), (#"\ud83d\udc4d"#, "👍", true),
            (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t", true), (#"\u0000"#, "\0", true),
            (#"\ud83d"#, "\u{FFFD}", false), (#"\udc4d\ud83d"#, "\u{FFFD}\u{FFFD}", false),
            (#"\ud83dx\udc4d"#, "\u{FFFD}x\u{FFFD}", false),
            (#"\ud83d\ud83d\udc4d"#, "\u{FFFD}👍", false), (#"\ud83d\n"#, "\u{FFFD}\n", false),
        ])
    func escapes(_ written: String, _ meant: String, _ isWhole: Bool) {
        var result: [UInt8] = []
        let whole = Array(written.utf8).withUnsafeBufferPointer {
            JSONText.append(unescaped: $0, to: &result)
        }
        #expect(result == Array(meant.utf8))
        #expect(whole == isWhole)
    }
}
