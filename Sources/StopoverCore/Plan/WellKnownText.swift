/// A geometry in well-known text (OGC 06-103r4, 7.2), as GEOMETRY fields are given it.
struct WellKnownText: Hashable {
    enum Kind: String, CaseIterable {
        case point, lineString, polygon, multiPoint, multiLineString, multiPolygon
        case geometryCollection
    }

    let kind: Kind
    /// Numbers of each point: 2 to 4; 0 when the geometry is empty or a collection.
    private(set) var dimensions = 0
    /// Lists directly within the outermost one: the rings of a polygon.
    private(set) var partCount = 0

    /// nil for what is no well-known text.
    init?(_ text: String) {
        var reader = Reader(rest: text.utf8[...])
        guard let geometry = WellKnownText(&reader), reader.word().isEmpty, reader.isAtEnd else {
            return nil
        }
        self = geometry
    }

    /// What Lite 3 holds: `POINT (1 2)` and polygons of one ring (`schema/geometry.py` of 3.2.2).
    var isHeldByLite: Bool {
        dimensions == 2 && (kind == .point || kind == .polygon && partCount == 1)
    }

    private init?(_ reader: inout Reader) {
        let word = reader.word()
        guard let kind = Kind.allCases.first(where: { $0.rawValue.lowercased() == word }) else {
            return nil
        }
        self.kind = kind
        var next = reader.word()
        // The tag says how many numbers a point has.
        let tagged = ["z": 3, "m": 3, "zm": 4][next]
        if tagged != nil { next = reader.word() }
        if next == "empty" { return }
        guard next.isEmpty else { return nil }
        if kind == .geometryCollection {
            guard reader.takes("(") else { return nil }
            repeat {
                guard WellKnownText(&reader) != nil else { return nil }
            } while reader.takes(",")
            guard reader.takes(")") else { return nil }
            return
        }
        let depth =
            switch kind {
            case .point, .lineString: 1
            case .polygon, .multiPoint, .multiLineString: 2
            case .multiPolygon, .geometryCollection: 3
            }
        guard list(&reader, depth: depth), tagged == nil || tagged == dimensions else {
            return nil
        }
    }

    /// `(…, …)` of lists, or at depth 1 of points.
    private mutating func list(_ reader: inout Reader, depth: Int) -> Bool {
        guard reader.takes("(") else { return false }
        var count = 0
        repeat {
            // The points of a MULTIPOINT may stand without their brackets.
            let isPoint = depth == 1 || kind == .multiPoint && !reader.isBefore("(")
            guard isPoint ? point(&reader) : list(&reader, depth: depth - 1) else { return false }
            count += 1
        } while reader.takes(",")
        partCount = count
        return reader.takes(")") && (kind != .point || count == 1)
    }

    private mutating func point(_ reader: inout Reader) -> Bool {
        var count = 0
        while let number = reader.number() {
            guard number.isFinite else { return false }
            count += 1
        }
        if dimensions == 0 { dimensions = count }
        return (2...4).contains(count) && count == dimensions
    }

    private struct Reader {
        var rest: Substring.UTF8View

        var isAtEnd: Bool { rest.isEmpty }

        /// The next word in small letters; empty when none is next.
        mutating func word() -> String {
            skipSpace()
            let word = rest.prefix { (65...90).contains($0 & 0xDF) }
            rest = rest.dropFirst(word.count)
            return (String(word) ?? "").lowercased()
        }

        mutating func number() -> Double? {
            skipSpace()
            let number = rest.prefix { (43...57).contains($0) && $0 != 44 || $0 & 0xDF == 69 }
            guard let value = String(number).flatMap(Double.init) else { return nil }
            rest = rest.dropFirst(number.count)
            return value
        }

        mutating func takes(_ character: Character) -> Bool {
            guard isBefore(character) else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func isBefore(_ character: Character) -> Bool {
            skipSpace()
            return rest.first == character.asciiValue
        }

        private mutating func skipSpace() {
            rest = rest.drop { [9, 10, 13, 32].contains($0) }
        }
    }
}
