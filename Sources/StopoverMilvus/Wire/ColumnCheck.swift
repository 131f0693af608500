import StopoverCore

/// Holds a column against the field of a target that it is for: what the server would refuse, would
/// take unchecked, or could die of.
///
/// The rules are those of a Go server's proxy (`validate_util.go`, 2.3 to 2.6), which is the
/// strictest; Lite 3 checks less (neither NaN nor an array's strings, and `max_length` by
/// characters), so its collections may hold rows that no other server takes.
struct ColumnCheck {
    let form: ColumnForm
    let payload: ArraySlice<UInt8>
    let field: FieldSchema

    /// A value (not a row) that does not fit, and why.
    struct Fault {
        var value: Int
        var reason: String
        /// The sub-field of a struct array.
        var sub: String?
    }

    /// At most one per row, ascending.
    func violations(rowCount: Int) throws(WireError) -> [RowViolation] {
        guard form.type == field.type else {
            throw WireError("\(form.type.milvusName) for a field of \(field.type.milvusName)")
        }
        let valid = try form.flags(rowCount: rowCount)
        let present = valid?.count { $0 != 0 } ?? rowCount
        let faults = try faults(valueCount: present)
        // A null where there is a default is for the server to fill.
        let refusesNulls = !field.isNullable && field.defaultValue == nil
        guard let valid, refusesNulls ? present < rowCount : present < rowCount && !faults.isEmpty
        else { return faults.map { violation(row: $0.value, $0) } }

        var violations: [RowViolation] = []
        var remaining = faults[...]
        var value = 0
        for row in 0..<rowCount {
            if valid[row] == 0 {
                if refusesNulls {
                    violations.append(violation(row: row, Fault(value: value, reason: "is null")))
                }
                continue
            }
            if let fault = remaining.first, fault.value == value {
                violations.append(violation(row: row, fault))
                remaining.removeFirst()
            }
            value += 1
        }
        return violations
    }

    private func violation(row: Int, _ fault: Fault) -> RowViolation {
        let name = fault.sub.map { "\(field.name)[\($0)]" } ?? field.name
        return RowViolation(row: row, field: name, reason: fault.reason)
    }

    /// Values that do not fit, ascending. Types of which every value fits are not walked.
    func faults(valueCount: Int) throws(WireError) -> [Fault] {
        switch field.type {
        case .bool, .int64: return []
        case .int8, .int16, .int32:
            return try each(valueCount, IntegerCheck(type: field.type))
        case .float, .double:
            return try floats(valueCount, isVector: false)
        case .floatVector, .float16Vector, .bfloat16Vector:
            if let faults = wrongDimension(valueCount) { return faults }
            return try floats(valueCount, isVector: true)
        case .binaryVector, .int8Vector:
            if let faults = wrongDimension(valueCount) { return faults }
            try checkSize(valueCount)
            return []
        case .sparseFloatVector: return try each(valueCount, SparseCheck())
        case .varchar, .text:
            return try each(valueCount, TextCheck(maximumBytes: field.maximumBytes))
        case .json: return try each(valueCount, JSONCheck(isDynamic: field.isDynamic))
        case .array:
            guard let check = ArrayCheck(field) else {
                throw WireError("an array of elements that are not known")
            }
            return try each(valueCount, check)
        // As text they are protobuf strings, which must be UTF-8; as numbers and WKB, anything.
        case .timestamptz where form.layout == .records, .geometry where form.dataField == 12:
            return try each(valueCount, TextCheck(maximumBytes: nil))
        case .timestamptz, .geometry: return []
        case .arrayOfStruct: return try structFaults(valueCount: valueCount)
        case .arrayOfVector: return try vectorRowFaults(valueCount: valueCount)
        case .structure: return []
        }
    }

    // MARK: Values of fixed width

    /// Every value, where the column's dimension is not the field's; nil where it is.
    func wrongDimension(_ valueCount: Int) -> [Fault]? {
        guard let wanted = field.dimension, let dimension = form.dimension, dimension != wanted
        else { return nil }
        let reason = "has \(dimension.grouped) dimensions instead of \(wanted.grouped)"
        return (0..<valueCount).map { Fault(value: $0, reason: reason) }
    }

    private func checkSize(_ valueCount: Int) throws(WireError) {
        guard try ValueRun(layout: form.layout, payload: payload).count() == valueCount else {
            throw WireError("\(payload.count) bytes for \(valueCount) values")
        }
    }

    /// Nothing is done row by row unless the payload holds a number that is not finite.
    private func floats(_ valueCount: Int, isVector: Bool) throws(WireError) -> [Fault] {
        try checkSize(valueCount)
        guard !field.takesNonFinite, let check = FloatCheck(type: field.type),
            case .fixed(let width) = form.layout
        else { return [] }
        return payload.withUnsafeBytes { bytes in
            guard !check.isFinite(bytes) else { return [] }
            return (0..<valueCount).compactMap { value in
                let row = bytes[value * width..<(value + 1) * width]
                return check.fault(
                    in: UnsafeRawBufferPointer(rebasing: row), isVector: isVector
                ).map { Fault(value: value, reason: $0) }
            }
        }
    }

    // MARK: Values one by one

    /// Holds each value against `check`, in one pass.
    private func each<Check: ValueCheck>(
        _ valueCount: Int, _ check: Check
    ) throws(WireError) -> [Fault] {
        try payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
            var check = check
            var cursor = ValueCursor(bytes)
            var faults: [Fault] = []
            for value in 0..<valueCount {
                if let reason = try check.fault(next: &cursor) {
                    faults.append(Fault(value: value, reason: reason))
                }
            }
            guard cursor.isAtEnd else { throw WireError("values beyond the last row") }
            return faults
        }
    }
}

/// A rule for values that are looked at one by one.
protocol ValueCheck {
    /// Reads one value off the cursor; nil when it fits, else why it does not, as a clause.
    mutating func fault(next cursor: inout ValueCursor) throws(WireError) -> String?
}

extension FieldDataCodec {
    /// A column whose values cannot break a rule is not walked, so that a wrong number of them is
    /// found only where it costs nothing.
    public func violations(
        in column: Column, of field: FieldSchema, rowCount: Int
    ) throws(StopoverError) -> [RowViolation] {
        try FieldDataCodec.edit(column) { form throws(WireError) in
            let check = ColumnCheck(form: form, payload: column.payload, field: field)
            return try check.violations(rowCount: rowCount)
        }
    }
}

extension FieldSchema {
    /// `max_length`, in bytes of UTF-8; nil where nothing is said, or where the server makes the
    /// keys itself: a Go server that is given such keys does not check them (milvus#25580).
    var maximumBytes: Int? { isAutoID ? nil : typeParams["max_length"].flatMap { Int($0) } }
}

extension BinaryInteger {
    /// As people read it: 65,535.
    var grouped: String {
        let digits = String(magnitude)
        var grouped = self < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped.append(",") }
            grouped.append(digit)
        }
        return grouped
    }
}
