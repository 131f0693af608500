import StopoverCore

/// A number for what each row says in a column, the same however the bytes say it: what a source sent
/// and what a target gives back differ in their encodings, not in their values.
///
///     integers, booleans   the value, as 64 bits        numbers     their bits (-0.0 is not 0.0), but
///     null                 a number of its own                      that every NaN is one: 2.3.5 gives
///                                                                   back another than it was given
///     text, vectors        the bytes                     sparse      the pairs, by their index
///     JSON, $meta          ``JSONDigest``                arrays      the elements, in their order
///     structs              the sub-fields by their names
///
/// XXH3-64 with a seed, so that rows cannot be made to collide by one who does not know it.
extension FieldDataCodec {
    public func digests(
        of column: Column, rowCount: Int, seed: UInt64
    ) throws(StopoverError) -> [UInt64] {
        if column.type == .arrayOfStruct {
            return try structDigests(of: column, rowCount: rowCount, seed: seed)
        }
        return try FieldDataCodec.edit(column) { form throws(WireError) in
            let valid = try form.flags(rowCount: rowCount)
            let present = valid?.count { $0 != 0 } ?? rowCount
            var values = ValueDigests(form: form, seed: seed)
            let digests = try values.digests(of: column.payload, count: present)
            guard let valid, present < rowCount else { return digests }
            let null = ValueDigests.null(seed)
            var spread: [UInt64] = []
            spread.reserveCapacity(rowCount)
            var next = 0
            for flag in valid {
                guard flag != 0 else {
                    spread.append(null)
                    continue
                }
                spread.append(digests[next])
                next += 1
            }
            return spread
        }
    }

    private func structDigests(
        of column: Column, rowCount: Int, seed: UInt64
    ) throws(StopoverError) -> [UInt64] {
        let parts: [Column]
        do throws(WireError) { parts = try StructPayload.columns(column.payload) } catch {
            throw FieldDataCodec.refuse("column \(column.name): \(error.what)")
        }
        // Servers give the sub-fields in orders of their own, and some with the struct's name before.
        var named: [(name: [UInt8], digests: [UInt64])] = []
        for part in parts {
            let name = StructFieldName.plain(Array(part.name.utf8)[...], of: column.name)
            named.append((Array(name), try digests(of: part, rowCount: rowCount, seed: seed)))
        }
        named.sort { $0.name.lexicographicallyPrecedes($1.name) }
        let names = named.map { $0.name.withUnsafeBytes { ValueDigests.hash($0, seed) } }
        var row: [UInt64] = []
        return (0..<rowCount).map { index in
            row.removeAll(keepingCapacity: true)
            for (name, part) in zip(names, named) {
                row.append(name)
                row.append(part.digests[index])
            }
            return row.withUnsafeBytes { ValueDigests.hash($0, seed) }
        }
    }
}

/// The digests of the values of a payload, one by one.
private struct ValueDigests {
    private let form: ColumnForm
    private let seed: UInt64
    private var json: JSONDigest
    private var arrays: ArrayRows?
    private var pairs: [UInt64] = []
    private var elements: [UInt64] = []

    init(form: ColumnForm, seed: UInt64) {
        self.form = form
        self.seed = seed
        json = JSONDigest(seed: seed)
    }

    static func null(_ seed: UInt64) -> UInt64 {
        withUnsafeBytes(of: UInt8(0)) { hash($0, ~seed) }
    }

    static func hash(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
        ContentHash.of(bytes, seed: seed)
    }

    mutating func digests(
        of payload: ArraySlice<UInt8>, count: Int
    ) throws(WireError) -> [UInt64] {
        if [.array, .arrayOfVector].contains(form.type) { return try arrayDigests(payload, count) }
        var digests: [UInt64] = []
        digests.reserveCapacity(count)
        try payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
            var cursor = ValueCursor(bytes)
            switch form.layout {
            case .fixed(let width):
                guard count == 0 || width > 0, bytes.count == count * width else {
                    throw WireError("values that are not those of \(count) rows")
                }
                let raw = UnsafeRawBufferPointer(bytes)
                for start in stride(from: 0, to: count * width, by: max(width, 1)) {
                    let value = UnsafeRawBufferPointer(rebasing: raw[start..<start + width])
                    digests.append(
                        NumberBits(value, form.type).map { number($0.canonical, form.type) }
                            ?? ValueDigests.hash(value, seed))
                }
                return
            case .varints:
                for _ in 0..<count { digests.append(number(try cursor.varint(), form.type)) }
            case .records:
                for _ in 0..<count { digests.append(record(try cursor.record())) }
            case .vectorRows, .structs: throw WireError("values within values")
            }
            guard cursor.isAtEnd else { throw WireError("values beyond the last row") }
        }
        return digests
    }

    private func number(_ value: UInt64, _ type: DataType) -> UInt64 {
        let canonical: UInt64 =
            switch type {
            case .bool: value == 0 ? 0 : 1
            // A negative one may have been written with 32 bits or with 64.
            case .int8, .int16, .int32:
                UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value)))
            default: value
            }
        return withUnsafeBytes(of: canonical.littleEndian) { ValueDigests.hash($0, seed) }
    }

    private mutating func record(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        switch form.type {
        case .json: json.digest(bytes)
        case .sparseFloatVector: sparse(bytes)
        default: ValueDigests.hash(UnsafeRawBufferPointer(bytes), seed)
        }
    }

    /// Pairs of a 4-byte index and a 4-byte float, by the index.
    private mutating func sparse(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let raw = UnsafeRawBufferPointer(bytes)
        let pairBytes = 8
        guard raw.count.isMultiple(of: pairBytes) else { return ValueDigests.hash(raw, seed) }
        pairs.removeAll(keepingCapacity: true)
        for start in stride(from: 0, to: raw.count, by: pairBytes) {
            let index = UInt32(
                littleEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            let value = UInt32(
                littleEndian: raw.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self))
            pairs.append(UInt64(index) << 32 | UInt64(value))
        }
        pairs.sort()
        return pairs.withUnsafeBytes { ValueDigests.hash($0, seed) }
    }

    // MARK: Arrays

    private mutating func arrayDigests(
        _ payload: ArraySlice<UInt8>, _ count: Int
    ) throws(WireError) -> [UInt64] {
        let element = form.second.flatMap { DataType(rawValue: Int32(clamping: $0)) }
        var rows = try ArrayRows(of: form.type, element: element, dimension: form.dimension)
        guard let element else { throw WireError("an array of elements that are not known") }
        var reader = WireReader(payload)
        var digests: [UInt64] = []
        digests.reserveCapacity(count)
        for _ in 0..<count {
            guard let row = try ValueRun.record(&reader, field: form.layout.recordField) else {
                throw WireError("rows beyond the end")
            }
            digests.append(try array(try rows.elements(of: row), of: element))
        }
        guard reader.isAtEnd else { throw WireError("values beyond the last row") }
        return digests
    }

    private mutating func array(
        _ run: ValueRun?, of element: DataType
    ) throws(WireError) -> UInt64 {
        elements.removeAll(keepingCapacity: true)
        if let run {
            try run.payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
                var cursor = ValueCursor(bytes)
                while !cursor.isAtEnd {
                    switch run.layout {
                    case .fixed(let width):
                        // All elements are as long: their bytes tell them apart.
                        let raw = UnsafeRawBufferPointer(bytes)
                        guard [.float, .double].contains(element) else {
                            elements.append(ValueDigests.hash(raw, seed))
                            return
                        }
                        for start in stride(from: 0, to: raw.count - width + 1, by: width) {
                            let value = UnsafeRawBufferPointer(
                                rebasing: raw[start..<start + width])
                            guard let bits = NumberBits(value, element) else { continue }
                            elements.append(bits.canonical)
                        }
                        return
                    case .varints: elements.append(number(try cursor.varint(), element))
                    case .records, .vectorRows, .structs:
                        let value = try cursor.record(field: run.layout.recordField)
                        elements.append(ValueDigests.hash(UnsafeRawBufferPointer(value), seed))
                    }
                }
            }
        }
        return elements.withUnsafeBytes { ValueDigests.hash($0, seed) }
    }
}

/// The bits of a scalar FLOAT or DOUBLE; nil of any other type.
private struct NumberBits {
    /// The same for every NaN.
    let canonical: UInt64

    init?(_ bytes: UnsafeRawBufferPointer, _ type: DataType) {
        switch type {
        case .float:
            let bits = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
            canonical =
                UInt64(Float(bitPattern: bits).isNaN ? Float.nan.bitPattern : bits)
        case .double:
            let bits = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            canonical = Double(bitPattern: bits).isNaN ? Double.nan.bitPattern : bits
        default: return nil
        }
    }
}
