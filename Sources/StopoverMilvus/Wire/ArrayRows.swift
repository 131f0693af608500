import StopoverCore

/// The rows of an ARRAY or ARRAY_OF_VECTOR column: each a message of its own (`ScalarField`,
/// `VectorField`) that holds the row's elements, of one type in all rows.
struct ArrayRows {
    /// The elements of a row, as a column of their own.
    private var elements: ColumnForm
    private let isVector: Bool

    /// - Parameter dimension: of the vectors; not used for scalars.
    /// - Throws: when no array can have elements of that type.
    init(of type: DataType, element: DataType?, dimension: UInt64?) throws(WireError) {
        isVector = type == .arrayOfVector
        guard let element,
            let field = isVector
                ? FieldLayout.vectorElementField(element) : FieldLayout.elementField(element),
            let layout = FieldLayout.layout(
                type: element, dataField: field, dimension: isVector ? dimension : nil)
        else { throw WireError("an array of elements that are not known") }
        elements = ColumnForm(
            name: "", type: element, layout: layout, dataField: field,
            dimension: isVector ? dimension : nil)
    }

    /// How many elements a row holds; nil for one that does not even say their type.
    /// - Throws: when it holds other than whole elements of the right type. Nulls among the
    ///   elements (`valid_data` of the row, in servers after 2.6) are refused too.
    mutating func elementCount(_ row: ArraySlice<UInt8>) throws(WireError) -> Int? {
        try elements(of: row)?.count()
    }

    /// The elements of a row, not yet counted; nil for one that does not say their type.
    mutating func elements(of row: ArraySlice<UInt8>) throws(WireError) -> ValueRun? {
        var reader = WireReader(row)
        var run: ValueRun?
        while let (field, wire) = try reader.tag() {
            if isVector, field == 1, wire == .varint {
                try elements.checkDimension(try reader.varint())
                continue
            }
            guard field == elements.dataField, wire == .bytes, run == nil else {
                throw WireError("an array row with field \(field), not \(elements.dataField)")
            }
            let data = try reader.delimited()
            let values =
                elements.hasInnerMessage ? try ColumnWalk.values(data, &elements, nil) : data
            run = ValueRun(layout: elements.layout, payload: values)
        }
        return run
    }

    /// The record to send in the place of a row that does not say its elements' type: one without
    /// elements that says it, `0A 02 tag 00`, and for vectors `12 length 08 dim tag 00`. An untyped
    /// one kills 2.3.5, and is refused by 2.5 and later (edit 2; for vectors: "nil vector array
    /// data" in the proxy of newer servers). nil for a row that is good as it is.
    mutating func replacement(for row: ArraySlice<UInt8>) throws(WireError) -> [UInt8]? {
        guard try elementCount(row) == nil else { return nil }
        var inner: [UInt8] = []
        if let dimension = elements.dimension { inner.append(field: 1, varint: dimension) }
        inner.append(field: elements.dataField, bytes: [])
        var record: [UInt8] = []
        record.append(field: isVector ? 2 : 1, bytes: inner)
        return record
    }
}
