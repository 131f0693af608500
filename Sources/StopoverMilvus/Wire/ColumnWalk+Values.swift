import StopoverCore

/// The values of a column, within `ScalarField` or `VectorField`.
extension ColumnWalk {
    /// The values of `LongArray`, `StringArray`, `ArrayArray`, … as one run, a slice where the
    /// message holds them as one.
    /// - Parameter element: type of the elements, for arrays.
    static func values(
        _ message: ArraySlice<UInt8>, _ form: inout ColumnForm, _ element: DataType?
    ) throws(WireError) -> ArraySlice<UInt8> {
        form.layout.isPackedField
            ? try packed(message, form)
            : try records(message, &form, element)
    }

    private static func packed(
        _ message: ArraySlice<UInt8>, _ form: ColumnForm
    ) throws(WireError) -> ArraySlice<UInt8> {
        let width = form.type.payloadElementWidth
        let element: ValueLayout = form.layout == .varints ? .varints : .fixed(width: width)
        var reader = WireReader(message)
        var run: ArraySlice<UInt8>?
        var joined: [UInt8] = []
        func add(_ bytes: ArraySlice<UInt8>) throws(WireError) {
            if let first = run {
                // Each must end with a number, or two halves would join into one.
                _ = try ValueRun(layout: element, payload: bytes).count()
                if joined.isEmpty {
                    _ = try ValueRun(layout: element, payload: first).count()
                    joined = Array(first)
                }
                joined += bytes
            } else {
                run = bytes
            }
        }
        while let (field, wire) = try reader.tag() {
            switch (field, wire, element) {
            case (1, .bytes, _): try add(try reader.delimited())
            // Not packed: legal, and joined into the packed form.
            case (1, .varint, .varints):
                let start = reader.position
                _ = try reader.varint()
                try add(message[start..<reader.position])
            case (1, .fixed32, .fixed(width: 4)), (1, .fixed64, .fixed(width: 8)):
                try add(try reader.fixed(width))
            case (1, _, _): throw WireError("values of another kind")
            default: try reader.skip(wire)
            }
        }
        return joined.isEmpty ? run ?? [] : joined[...]
    }

    /// Repeated bytes, strings or arrays. Array rows are looked into (``ArrayRows``): an empty one
    /// without its type is given one.
    private static func records(
        _ message: ArraySlice<UInt8>, _ form: inout ColumnForm, _ element: DataType?
    ) throws(WireError) -> ArraySlice<UInt8> {
        var reader = WireReader(message)
        var start: Int?
        var end = message.startIndex
        var rewritten: [UInt8]?
        let recordField = form.layout.recordField
        var rows: ArrayRows?
        if [.array, .arrayOfVector].contains(form.type) {
            rows = try ArrayRows(of: form.type, element: element, dimension: form.dimension)
        }
        while true {
            let before = reader.position
            guard let (field, wire) = try reader.tag() else { break }
            guard field == recordField, wire == .bytes else {
                try besideRecords(field, wire, &reader, &form)
                continue
            }
            let value = try reader.delimited()
            if start == nil {
                start = before
                end = before
            }
            let patched = try rows?.replacement(for: value)
            if patched != nil || before != end, rewritten == nil {
                // From here on the run is a copy: a row changed, or something stood between rows.
                rewritten = Array(message[(start ?? before)..<end])
            }
            if let patched {
                rewritten? += patched
            } else {
                rewritten? += message[before..<reader.position]
            }
            end = reader.position
        }
        // By the schema, which the rows were held against; a server may leave it out.
        if rows != nil, let element { form.second = UInt64(element.rawValue) }
        if let rewritten { return rewritten[...] }
        return start.map { message[$0..<end] } ?? []
    }

    /// What may stand beside records: the dimension of sparse vectors, and what arrays say of
    /// their elements, which the schema says too.
    private static func besideRecords(
        _ field: Int, _ wire: WireType, _ reader: inout WireReader, _ form: inout ColumnForm
    ) throws(WireError) {
        switch (field, wire) {
        case (2, .varint) where form.type == .sparseFloatVector: form.second = try reader.varint()
        case (1, .varint) where form.type == .arrayOfVector:
            try form.checkDimension(try reader.varint())
        case (form.layout.recordField, _): throw WireError("values of another kind")
        default: try reader.skip(wire)
        }
    }
}
