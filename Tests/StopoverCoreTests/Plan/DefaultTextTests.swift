import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("A default that migration.yaml writes")
struct DefaultTextTests {
    private func value(_ text: String, _ type: DataType) -> DefaultValue? {
        try? DefaultValue(text, for: FieldSchema(name: "f", type: type))
    }

    @Test(
        "is an instant in microseconds for TIMESTAMPTZ",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999Z", -1),
            ("2024-02-29T23:59:59.000001Z", 1_709_251_199_000_001),
            ("2024-02-29T23:59:59.5+02:00", 1_709_243_999_500_000),
            ("2024-02-29T23:59:59-00:30", 1_709_252_999_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func instant(_ text: String, _ microseconds: Int64) {
        #expect(value(text, .timestamptz) == .timestamptz(microseconds))
    }

    @Test(
        "is none that stands for no instant, or for one of another server's time zone",
        arguments: [
            "", "soon", "2024-02-29", "2024-02-29T23:59:59", "2024-02-29 23:59:59Z",
            "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-04-31T00:00:00Z",
            "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z",
            "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2016-12-31T23:59:60Z",
            "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567Z", "2024-01-01T00:00:00+2:00",
            "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00Z ", "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2024-01-01T00:00:00.+1Z",
            "1709251199000001",
        ])
    func noInstant(_ text: String) throws {
        #expect(value(text, .timestamptz) == nil)
    }

    @Test("is read back from how servers write it, whatever the instant")
    func instants() {
        var random = SeededRandom(seed: 12)
        let range: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999
        for _ in 0..<10_000 {
            let instant = Int64.random(in: range, using: &random)
            let text = InstantText.utc(microseconds: instant) ?? ""
            #expect(InstantText.microseconds(text) == instant)
        }
    }

    @Test(
        "is well-known text for GEOMETRY, as it is written",
        arguments: [
            "POINT (1 2)", "point(-1.5 2e3)", " POINT Z (1 2 3) ", "POINT ZM (1 2 3 4)",
            "POINT EMPTY", "LINESTRING (0 0, 1 1)", "POLYGON ((0 0, 0 1, 1 1, 0 0))",
            "POLYGON((0 0,0 9,9 9,0 0),(1 1,1 2,2 2,1 1))", "MULTIPOINT (1 2, 3 4)",
            "MULTIPOINT ((1 2), (3 4))", "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
            "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))",
            "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))",
        ])
    func geometry(_ text: String) {
        #expect(value(text, .geometry) == .string(text))
    }

    @Test(
        "is no geometry when it is no well-known text",
        arguments: [
            "", "1 2", "POINT", "POINT (1)", "POINT (1 2", "POINT (1 x)", "POINT (1, 2)",
            "POINT (1 2, 3 4)", "POINT (1 inf)", "POINT (1 1e999)", "POINT Z (1 2)",
            "POINT (1 2) 3", "POINT ((1 2))", "CIRCLE (1 2)", "POLYGON (0 0, 0 1, 1 1, 0 0)",
            "LINESTRING (0 0, 1 1 1)", "GEOMETRYCOLLECTION (1 2)", "EMPTY", "POINT () ",
        ])
    func noGeometry(_ text: String) {
        #expect(value(text, .geometry) == nil)
    }

    @Test("says what it may be, where it is no value")
    func sentences() {
        func sentence(_ text: String, _ type: DataType) -> String {
            DefaultValue.Fault.notOfTheType.sentence(text, FieldSchema(name: "f", type: type))
        }
        #expect(
            sentence("soon", .timestamptz)
                == "the default \"soon\" is no value of type TIMESTAMPTZ, as "
                + "2024-02-29T23:59:59.5Z or 2024-02-29T23:59:59+02:00")
        #expect(
            sentence("1 2", .geometry)
                == "the default \"1 2\" is no value of type GEOMETRY, as POINT (1 2)")
        #expect(sentence("x", .int8) == "the default \"x\" is no value of type INT8")
    }

    @Test(
        "is refused for a geometry that Lite 3 does not hold",
        arguments: [
            ("POINT (1 2)", true), ("POLYGON ((0 0, 0 1, 1 1, 0 0))", true),
            ("LINESTRING (0 0, 1 1)", false), ("POINT Z (1 2 3)", false), ("POINT EMPTY", false),
            ("POLYGON ((0 0, 0 9, 9 9, 0 0), (1 1, 1 2, 2 2, 1 1))", false),
        ])
    func lite(_ text: String, _ isHeld: Bool) {
        let place = FieldSchema.sample("place", .geometry) { $0.defaultValue = .string(text) }
        let made = CollectionDescription.articles { $0.schema.fields.append(place) }
        let codes = isHeld ? ["STO-PLAN-LIMIT"] : ["STO-PLAN-LIMIT", "STO-PLAN-TARGET-CANNOT-HOLD"]
        let findings = TargetRules(.lite3).findings(for: made)
        #expect(findings.filter { $0.subject.hasSuffix("place") }.map(\.code) == codes)
        let refusal = findings.first { $0.code == "STO-PLAN-TARGET-CANNOT-HOLD" }
        #expect(isHeld == (refusal == nil) && refusal?.message.contains(text) != false)
    }
}
