import Foundation
import MilvusProto
import StopoverCore
import StopoverTesting

/// A column of the table, as the page explains it.
enum MatrixVariant: String, CaseIterable, Sendable {
    case plain, nulls
    case allNull = "all null"
    case empty
    case noRows = "no rows"
    case extreme, infinite, nasty

    var isNullable: Bool { self == .nulls || self == .allNull }
    var database: String { rawValue.replacing(" ", with: "_") }
}

extension MatrixType {
    /// A value a row, nil for null; random ones follow from the type's name.
    /// - Returns: nil where the type has no value of the variant.
    func cells(_ variant: MatrixVariant) throws -> [MatrixCell?]? {
        var random = SeededRandom(
            seed: "\(name)/\(variant.rawValue)".utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        switch variant {
        case .noRows: return []
        case .allNull where isDynamic: return try json(["{\"a\":null,\"b\":null}"])
        case .allNull: return Array(repeating: nil, count: 10)
        case .nulls:
            // A dynamic field is never null, but its keys may be.
            let null = isDynamic ? try json(["{\"a\":null}"])[0] : nil
            return try values(.plain, &random)?.map {
                Int.random(in: 0..<3, using: &random) == 0 ? null : $0
            }
        default: return try values(variant, &random)
        }
    }

    private func values(
        _ variant: MatrixVariant, _ random: inout SeededRandom
    ) throws -> [MatrixCell]? {
        switch type {
        case .array: return try arrays(variant, &random)
        case .arrayOfStruct: return try structs(variant, &random)
        default: return try type.values(variant, isDynamic: isDynamic, &random)
        }
    }

    private func json(_ texts: [String]) throws -> [MatrixCell] {
        texts.map(MatrixCell.init(json:))
    }

    // MARK: Arrays

    /// Rows of the element's values: of each length, and of the greatest.
    private func arrays(
        _ variant: MatrixVariant, _ random: inout SeededRandom
    ) throws -> [MatrixCell]? {
        guard variant != .empty else { return try Array(repeating: array([]), count: 10) }
        guard let values = try element?.values(variant, isDynamic: false, &random) else {
            return nil
        }
        let lengths =
            variant == .plain
            ? values.indices.map { 1 + $0 % 7 }
            : [values.count, 0, 1, variant == .extreme ? fullLength : 2]
        return try lengths.map { length in try array(cycled(values, length)) }
    }

    /// As many elements as an array holds; of texts fewer, for they are of the greatest length.
    private var fullLength: Int {
        element == .varchar ? 8 : isSubField ? MatrixType.structCapacity : MatrixType.capacity
    }

    private func cycled(_ values: [MatrixCell], _ count: Int) -> [MatrixCell] {
        (0..<count).map { values[$0 % values.count] }
    }

    private func array(_ elements: [MatrixCell]) throws -> MatrixCell {
        guard let element else { return MatrixCell() }
        var cell = MatrixCell()
        if type == .arrayOfVector {
            cell.vector.dim = Int64(MatrixType.dimension)
            cell.vector.vectorArray.dim = cell.vector.dim
            cell.vector.vectorArray.elementType = element.rawValue
            cell.vector.vectorArray.data = [
                try MilvusVectorField.empty(element).joined(elements.map(\.vector))
            ]
        } else {
            cell.scalar.arrayData.elementType = element.rawValue
            cell.scalar.arrayData.data = [
                try MilvusScalarField.empty(element).joined(elements.map(\.scalar))
            ]
        }
        return cell
    }

    /// As many elements in each sub-field; one that has no value of the variant takes plain ones.
    private func structs(
        _ variant: MatrixVariant, _ random: inout SeededRandom
    ) throws -> [MatrixCell]? {
        var own: [[MatrixCell]] = []
        var isAny = [.plain, .empty].contains(variant)
        for sub in subs {
            let values = try sub.element?.values(variant, isDynamic: false, &random)
            isAny = isAny || values != nil
            let plain = try sub.element?.values(.plain, isDynamic: false, &random)
            own.append(values ?? plain ?? [])
        }
        guard isAny else { return nil }
        let most = own.map(\.count).max() ?? 0
        let lengths =
            switch variant {
            case .empty: Array(repeating: 0, count: 10)
            case .plain: (0..<40).map { $0 % 5 }
            case .extreme: [most, 0, 1, subs.map(\.fullLength).min() ?? 0]
            default: [most, 0, 1, 2]
            }
        return try lengths.map { length in
            var cell = MatrixCell()
            cell.subs = try zip(subs, own).map { sub, values in
                try sub.array(sub.cycled(values, min(length, MatrixType.structCapacity)))
            }
            return cell
        }
    }
}

extension MatrixCell {
    init(json: String) { scalar.jsonData.data = [Data(json.utf8)] }
}

extension DataType {
    /// Values of a type that is no array: 40 plain ones, or all that there are of a variant.
    fileprivate func values(
        _ variant: MatrixVariant, isDynamic: Bool, _ random: inout SeededRandom
    ) throws -> [MatrixCell]? {
        if isVector { return vectors(variant, &random) }
        let texts = try MatrixTexts.of(self, variant, isDynamic: isDynamic, &random)
        return texts?.map(cell) ?? numbers(variant, &random)?.map(cell)
    }

    private func cell(_ text: String) -> MatrixCell {
        var cell = MatrixCell()
        switch self {
        case .json: return MatrixCell(json: text)
        case .geometry: cell.scalar.geometryWktData.data = [text]
        default: cell.scalar.stringData.data = [text]
        }
        return cell
    }

    /// - Parameter bits: of a whole number its value, of a float its bit pattern.
    private func cell(_ bits: UInt64) -> MatrixCell {
        var cell = MatrixCell()
        switch self {
        case .bool: cell.scalar.boolData.data = [bits != 0]
        case .int64: cell.scalar.longData.data = [Int64(bitPattern: bits)]
        case .float: cell.scalar.floatData.data = [Float(bitPattern: UInt32(bits))]
        case .double: cell.scalar.doubleData.data = [Double(bitPattern: bits)]
        default: cell.scalar.intData.data = [Int32(truncatingIfNeeded: bits)]
        }
        return cell
    }

    private func numbers(
        _ variant: MatrixVariant, _ random: inout SeededRandom
    ) -> [UInt64]? {
        func signed<Number: FixedWidthInteger>(_: Number.Type) -> [UInt64]? {
            let values: [Number] =
                switch variant {
                case .plain: (0..<40).map { _ in .random(in: .min ... .max, using: &random) }
                case .extreme: [.min, .max, .min + 1, .max - 1, 0, 0 &- 1, 1]
                default: []
                }
            return values.isEmpty ? nil : values.map { UInt64(bitPattern: Int64($0)) }
        }
        switch (self, variant) {
        case (.bool, .plain): return (0..<40).map { _ in .random(in: 0...1, using: &random) }
        case (.bool, .extreme): return [1, 0]
        case (.int8, _): return signed(Int8.self)
        case (.int16, _): return signed(Int16.self)
        case (.int32, _): return signed(Int32.self)
        case (.int64, _): return signed(Int64.self)
        case (.float, .plain):
            return (0..<40).map { _ in UInt64(Float.random(in: -9...9, using: &random).bitPattern) }
        case (.float, .extreme):
            // ±greatest, ±least subnormal, least normal, -0.0, the neighbour of 1.
            return [
                0x7F7F_FFFF, 0xFF7F_FFFF, 1, 0x8000_0001, 0x0080_0000, 0x8000_0000, 0x3F80_0001,
            ]
        case (.float, .infinite): return [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC0_1234]
        case (.double, .plain):
            return (0..<40).map { _ in Double.random(in: -9...9, using: &random).bitPattern }
        case (.double, .extreme):
            return [
                0x7FEF_FFFF_FFFF_FFFF, 0xFFEF_FFFF_FFFF_FFFF, 1, 0x8000_0000_0000_0001, 1 << 52,
                1 << 63, 0x3FF0_0000_0000_0001,
            ]
        case (.double, .infinite):
            return [0x7FF << 52, 0xFFF << 52, 0x7FF8 << 48, 0xFFF8 << 48 | 7]
        default: return nil
        }
    }
}
