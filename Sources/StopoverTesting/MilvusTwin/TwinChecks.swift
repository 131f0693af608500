import StopoverCore

/// What a server refuses of a value that is whole on the wire (validate_util.go in the proxy of
/// Milvus from 2.4 on, ValidateSparseFloatRows in its typeutil).
extension TwinField {
    static let jsonLimit = 65_536

    func check(_ cell: UnsafeRawBufferPointer) throws {
        switch type {
        case .varchar: try checkLength(cell.count)
        case .int8, .int16:
            var reader = ByteReader(cell, 0..<cell.count)
            try checkRange(reader.varint(), of: type)
        case .float, .double, .floatVector, .float16Vector, .bfloat16Vector:
            try checkFinite(cell, of: type)
        case .sparseFloatVector: try checkSparse(cell)
        case .json where cell.count > TwinField.jsonLimit:
            throw TwinRefusal.badParameter(
                "the length (\(cell.count)) of json field (\(name)) exceeds max length "
                    + "(\(TwinField.jsonLimit))")
        case .array, .arrayOfVector: _ = try elementCount(cell)
        default: break
        }
    }

    private func checkLength(_ count: Int) throws {
        guard let maxLength, count > maxLength else { return }
        throw TwinRefusal.badParameter(
            "the length (\(count)) of a string exceeds max length (\(maxLength)) of field \(name)")
    }

    private func checkRange(_ value: UInt64, of type: DataType) throws {
        let value = Int64(bitPattern: value)
        guard type == .int8 ? Int8(exactly: value) == nil : Int16(exactly: value) == nil else {
            return
        }
        throw TwinRefusal.badParameter(
            "the element (\(value)) of field \(name) is out of range of \(type.milvusName)")
    }

    private func checkFinite(_ bytes: UnsafeRawBufferPointer, of type: DataType) throws {
        func isFinite<Bits: FixedWidthInteger>(_ exponent: Bits) -> Bool {
            stride(from: 0, to: bytes.count, by: MemoryLayout<Bits>.size).allSatisfy {
                bytes.loadUnaligned(fromByteOffset: $0, as: Bits.self) & exponent != exponent
            }
        }
        let isFinite =
            switch type {
            case .float, .floatVector: isFinite(UInt32(0x7F80_0000))
            case .double: isFinite(UInt64(0x7FF0_0000_0000_0000))
            case .float16Vector: isFinite(UInt16(0x7C00))
            case .bfloat16Vector: isFinite(UInt16(0x7F80))
            default: true
            }
        guard !isFinite else { return }
        throw TwinRefusal.badParameter("a value of field \(name) is not a number or infinity")
    }

    /// Pairs of an index and a weight, 4 bytes each, by rising index.
    private func checkSparse(_ row: UnsafeRawBufferPointer) throws {
        guard row.count % 8 == 0 else {
            throw TwinRefusal.badParameter(
                "invalid data length in sparse float vector: \(row.count)")
        }
        var last: UInt32?
        for position in stride(from: 0, to: row.count, by: 8) {
            let index = row.loadUnaligned(fromByteOffset: position, as: UInt32.self)
            let weight = row.loadUnaligned(fromByteOffset: position + 4, as: Float.self)
            guard weight.isFinite, weight >= 0 else {
                throw TwinRefusal.badParameter(
                    "a weight of sparse float vector \(name) is negative, infinite or not a number")
            }
            guard index < UInt32.max, last.map({ $0 < index }) ?? true else {
                throw TwinRefusal.badParameter("unsorted or same indices in sparse float vector")
            }
            last = index
        }
    }

    // MARK: Arrays

    /// How many elements a row of an array or of an array of vectors has.
    /// - Throws: for a row that does not say its type: 2.5 and later refuse it, 2.3.5 dies of it.
    func elementCount(_ row: UnsafeRawBufferPointer) throws -> Int {
        guard let element else { throw mismatch }
        var reader = ByteReader(row, 0..<row.count)
        var data: Range<Int>?
        while let (number, wire) = try reader.tag() {
            switch (number, wire) {
            case (1, 0) where type == .arrayOfVector:
                guard try reader.varint() == UInt64(dimension ?? 0) else { throw mismatch }
            case (elementField(element), 2) where data == nil: data = try reader.delimited()
            default: throw mismatch
            }
        }
        guard let data else { throw mismatch }
        let count = try count(row, data, element)
        guard count <= maxCapacity ?? 4096 else {
            throw TwinRefusal.badParameter(
                "the length (\(count)) of array field \(name) exceeds max capacity "
                    + "(\(maxCapacity ?? 4096))")
        }
        return count
    }

    private var mismatch: TwinRefusal {
        .badParameter("array field '\(name)' is illegal, array type mismatch")
    }

    /// Number of the `oneof` of ScalarField or VectorField; 0 for what no array holds.
    private func elementField(_ element: DataType) -> Int {
        switch element {
        case .bool: 1
        case .int8, .int16, .int32, .floatVector: 2
        case .int64, .binaryVector: 3
        case .float, .float16Vector: 4
        case .double, .bfloat16Vector: 5
        case .varchar: 6
        case .int8Vector: 7
        default: 0
        }
    }

    private func count(
        _ row: UnsafeRawBufferPointer, _ data: Range<Int>, _ element: DataType
    ) throws -> Int {
        let isBytes = element.isVector && element != .floatVector
        var runs = isBytes ? [data] : []
        var reader = ByteReader(row, isBytes ? data.upperBound..<data.upperBound : data)
        while let (number, wire) = try reader.tag() {
            guard number == 1, wire == 2 else { throw ByteReader.malformed("an array's elements") }
            runs.append(try reader.delimited())
        }
        guard element != .varchar else {
            for run in runs { try checkLength(run.count) }
            return runs.count
        }
        return try runs.reduce(0) { try $0 + count(row, packed: $1, element) }
    }

    private func count(
        _ row: UnsafeRawBufferPointer, packed run: Range<Int>, _ element: DataType
    ) throws -> Int {
        let width: Int
        switch element {
        case .bool, .int8, .int16, .int32, .int64:
            var reader = ByteReader(row, run)
            var count = 0
            while !reader.isAtEnd {
                let value = try reader.varint()
                if element == .int8 || element == .int16 { try checkRange(value, of: element) }
                count += 1
            }
            return count
        case .float: width = 4
        case .double: width = 8
        case .floatVector: width = 4 * (dimension ?? 0)
        case .float16Vector, .bfloat16Vector: width = 2 * (dimension ?? 0)
        case .binaryVector: width = (dimension ?? 0) / 8
        default: width = dimension ?? 0
        }
        guard width > 0, run.count % width == 0 else { throw mismatch }
        if element.isVector {
            try checkFinite(UnsafeRawBufferPointer(rebasing: row[run]), of: element)
        }
        return run.count / width
    }
}
