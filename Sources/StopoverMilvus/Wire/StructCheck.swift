import StopoverCore

extension ColumnCheck {
    /// What does not fit in the sub-columns of a struct array; of several in one row, that of the
    /// first sub-field.
    func structFaults(valueCount: Int) throws(WireError) -> [Fault] {
        var faults: [Int: Fault] = [:]
        let columns = try StructPayload.columns(payload)
        guard columns.count == field.structFields.count || valueCount == 0 else {
            throw WireError("\(columns.count) sub-fields of \(field.structFields.count)")
        }
        for column in columns {
            guard var sub = field.structFields.first(where: { $0.name == column.name }) else {
                throw WireError("a sub-field \(column.name) that the field does not have")
            }
            // Clients say it of the struct array and of each sub-field, or of the sub-fields alone.
            sub.typeParams["max_capacity"] =
                sub.typeParams["max_capacity"] ?? field.typeParams["max_capacity"]
            sub.takesNonFinite = field.takesNonFinite
            let form = try ColumnForm(parsing: column)
            guard form.type == sub.type else {
                throw WireError("\(form.type.milvusName) for a field of \(sub.type.milvusName)")
            }
            let check = ColumnCheck(form: form, payload: column.payload, field: sub)
            for var fault in try check.faults(valueCount: valueCount)
            where faults[fault.value] == nil {
                fault.sub = sub.name
                faults[fault.value] = fault
            }
        }
        return faults.values.sorted { $0.value < $1.value }
    }

    /// Rows of an ARRAY_OF_VECTOR, which stand in struct arrays only.
    func vectorRowFaults(valueCount: Int) throws(WireError) -> [Fault] {
        if let faults = wrongDimension(valueCount) { return faults }
        var check = try VectorRowCheck(field, dimension: form.dimension)
        var reader = WireReader(payload)
        var faults: [Fault] = []
        var value = 0
        while let row = try ValueRun.record(&reader, field: form.layout.recordField) {
            if let reason = try check.fault(of: row) {
                faults.append(Fault(value: value, reason: reason))
            }
            value += 1
        }
        guard value == valueCount else {
            throw WireError("\(value) values for \(valueCount) rows")
        }
        return faults
    }
}

/// How many vectors a row of an ARRAY_OF_VECTOR has, and whether their numbers are finite: 2.6
/// holds them against both (checkArrayOfVectorFieldData in the proxy of Milvus).
struct VectorRowCheck {
    private var rows: ArrayRows
    private let maximumCount: Int?
    /// nil where every number is taken.
    private let floats: FloatCheck?

    init(_ field: FieldSchema, dimension: UInt64?) throws(WireError) {
        rows = try ArrayRows(of: field.type, element: field.elementType, dimension: dimension)
        maximumCount = field.typeParams["max_capacity"].flatMap { Int($0) }
        floats =
            field.takesNonFinite ? nil : field.elementType.flatMap { FloatCheck(type: $0) }
    }

    mutating func fault(of row: ArraySlice<UInt8>) throws(WireError) -> String? {
        guard let run = try rows.elements(of: row) else {
            return "does not say the type of its elements"
        }
        let count = try run.count()
        if let maximumCount, count > maximumCount {
            return "has \(count.grouped) elements, of at most \(maximumCount.grouped)"
        }
        guard let floats, count > 0 else { return nil }
        let width = run.payload.count / count
        return run.payload.withUnsafeBytes { bytes in
            guard !floats.isFinite(bytes) else { return nil }
            for element in 0..<count {
                let vector = bytes[element * width..<(element + 1) * width]
                if let reason = floats.fault(
                    in: UnsafeRawBufferPointer(rebasing: vector), isVector: true)
                {
                    return "\(reason) (element \(element.grouped), counted from 0)"
                }
            }
            return nil
        }
    }
}
