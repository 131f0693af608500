import MilvusProto
import SwiftProtobuf
import Testing

@Suite("The reader of the matrix between our own servers")
struct MatrixReaderTests {
    private func request(
        _ type: MatrixType, _ cells: ArraySlice<MatrixCell?>, _ nullable: Bool
    ) throws -> MilvusInsertRequest {
        try .with {
            $0.numRows = UInt32(cells.count)
            var keys = MilvusFieldData()
            keys.fieldName = "key"
            keys.scalars.longData.data = cells.indices.map(Int64.init)
            $0.fieldsData = [keys, try type.column(Array(cells), nullable: nullable)]
        }
    }

    /// Not by ==, to which NaN is another and -0.0 the same.
    private func bytes(_ type: MatrixType, _ cell: MatrixCell?) throws -> [UInt8] {
        try type.column([cell], nullable: true).serializedBytes()
    }

    @Test(
        "finds equal rows in other requests, and one value, null, flag or description that differs",
        arguments: MatrixType.all)
    func finds(_ type: MatrixType) throws {
        for variant in MatrixVariant.allCases {
            guard let cells = try type.cells(variant), cells.count > 1 else { continue }
            let nullable = variant.isNullable && !type.isDynamic
            let whole = try request(type, cells[...], nullable)
            let reader = try MatrixReader([whole], key: "key")
            let middle = cells.count / 2
            let parts = [
                try request(type, cells[middle...], nullable),
                try request(type, cells[..<middle], nullable),
            ]
            #expect(
                try MatrixReader(parts, key: "key").difference(from: reader, in: type.fieldName)
                    == nil)
            #expect(throws: MatrixReader.Unreadable.self) {
                try MatrixReader(parts + [parts[0]], key: "key")
            }
            #expect(
                try MatrixReader([parts[0]], key: "key").difference(
                    from: reader, in: type.fieldName) != nil)

            func expectDifference(_ spoil: (inout MilvusFieldData) -> Void) throws {
                var spoiled = whole
                spoil(&spoiled.fieldsData[1])
                #expect(
                    try MatrixReader([spoiled], key: "key").difference(
                        from: reader, in: type.fieldName) != nil,
                    "\(variant)")
            }
            try expectDifference { $0.fieldID = 7 }
            try expectDifference { $0.isDynamic.toggle() }
            if type.subs.isEmpty { try expectDifference { $0.type += 1 } }
            guard variant != .empty, variant != .allNull else { continue }
            // Two rows, the second as the first: one of them is another one then.
            for row in cells.indices.dropFirst().prefix(8) {
                var other = cells
                other[row] = cells[row - 1]
                let isSame = try bytes(type, cells[row]) == bytes(type, cells[row - 1])
                let found = try MatrixReader([request(type, other[...], nullable)], key: "key")
                #expect(
                    (found.difference(from: reader, in: type.fieldName) == nil) == isSame,
                    "\(variant) \(row)")
            }
        }
    }
}
