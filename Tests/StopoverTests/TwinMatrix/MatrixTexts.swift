import Foundation
import StopoverCore
import StopoverTesting

/// Values that are written as text: VARCHAR, TEXT, JSON, geometries in WKT and times.
enum MatrixTexts {
    /// `common.JSON.maxLength` of Go servers, in bytes.
    private static let jsonLimit = 65_536

    /// nil where the type is not written as text, or has no value of the variant.
    static func of(
        _ type: DataType, _ variant: MatrixVariant, isDynamic: Bool, _ random: inout SeededRandom
    ) throws -> [String]? {
        func forty(_ text: (Int, inout SeededRandom) -> String) -> [String] {
            (0..<40).map { text($0, &random) }
        }
        switch (type, variant) {
        case (.varchar, .plain), (.text, .plain):
            return forty { row, random in
                String(
                    (0...row).map { _ in "abc xyz0189-_.äß".randomElement(using: &random) ?? "a" })
            }
        case (.varchar, .empty), (.text, .empty): return Array(repeating: "", count: 10)
        case (.varchar, .extreme): return longest(MatrixType.longest)
        // TEXT has no max_length.
        case (.text, .extreme): return longest(2 * MatrixType.longest)
        case (.varchar, .nasty), (.text, .nasty): return nasty
        case (.json, .plain):
            return forty { row, random in
                let ratio = Double.random(in: -1...1, using: &random)
                return "{\"name\":\"row \(row)\",\"ratio\":\(ratio),\"on\":true,"
                    + "\"list\":[1,2,\(row)],\"inner\":{\"depth\":2}}"
            }
        case (.json, .empty): return Array(repeating: "{}", count: 10)
        case (.json, .extreme): return jsons + (isDynamic ? [] : ["null", "7", "[]", "\"text\""])
        case (.json, .nasty): return try nasty.map { try object(["text": $0, "key " + $0: $0]) }
        case (.geometry, .plain): return forty { row, _ in "POINT (\(row) \(90 - row).5)" }
        case (.geometry, .empty): return Array(repeating: "POINT EMPTY", count: 10)
        case (.geometry, .extreme): return geometries
        case (.timestamptz, .plain):
            return forty { row, _ in "\(1971 + row)-0\(1 + row % 9)-17T12:34:56Z" }
        case (.timestamptz, .extreme): return times
        default: return nil
        }
    }

    private static func longest(_ bytes: Int) -> [String] {
        [("x", bytes), ("é", bytes / 2), ("👍", bytes / 4), ("", 1)].map {
            String(repeating: $0, count: $1)
        }
    }

    private static func object(_ object: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }

    private static let jsons = [
        "{\"a\":\"\(String(repeating: "x", count: jsonLimit - 8))\"}",
        "{\"a\":" + String(repeating: "[", count: 60) + String(repeating: "]", count: 60) + "}",
        "{" + (0..<2000).map { "\"key\($0)\":\($0)" }.joined(separator: ",") + "}",
        "{\"n\":[9223372036854775807,-9223372036854775808,1e308,-0.0,5e-324,0.1,1E+2]}",
        "{\"n\":123456789012345678901234567890.12345678901234567890}",
        " { \"spaces\" :\t1 , \"b\" : [ ] }\n",
    ]

    private static let geometries = [
        "POINT (179.9999999999999 -90)", "POINT Z (1 2 3)", "LINESTRING (0 0, 1e10 1, 2 2)",
        "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))", "MULTIPOINT ((0 0), (1 2))",
        "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), ((9 9, 8 9, 8 8, 9 9)))",
        "GEOMETRYCOLLECTION (POINT (4 6), LINESTRING (4 6, 7 10))",
    ]

    private static let times = [
        "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z",
        "2024-02-29T23:59:59.5Z", "2025-06-30T12:00:00+05:30", "9999-12-31T23:59:59.999999Z",
    ]

    private static let nasty = [
        "", " ", "  leading and trailing  ", "\"", "'", "\\", "\\\\", "\\n", "\\\"", "ends with \\",
        "line\nbreak", "\r\n", "\t", "null", "NULL", "true", "0", "1e3", "%", "*", "$meta", "{}",
        "{\"a\": 1}", "${HOME}", "; drop collection", "id in [1]", "(", "{name}",
        "\u{0}", "a\u{0}b", "\u{1}", "\u{7F}", "\u{85}", "\u{A0}", "\u{200B}", "\u{2028}",
        "\u{FEFF}", "\u{FFFD}", "\u{FFFF}", "\u{10FFFF}", "é", "e\u{301}", "ß", "İ", "日本語",
        "العربية", "עברית", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "𝔘𝔫𝔦",
        String(repeating: "\\", count: 1000), String(repeating: "\"", count: 1000),
    ]
}
