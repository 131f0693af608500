import Foundation
import MilvusProto
import StopoverCore
import StopoverTesting

/// Values of vectors, which are written as the bits of their elements.
extension DataType {
    func vectors(
        _ variant: MatrixVariant, _ random: inout SeededRandom
    ) -> [MatrixCell]? {
        guard self != .sparseFloatVector else { return sparse(variant, &random) }
        let dimension = MatrixType.dimension
        switch variant {
        case .plain:
            return (0..<40).map { _ in
                dense((0..<dimension).map { _ in plainElement(&random) })
            }
        case .extreme, .infinite:
            let ends = variant == .extreme ? extremeElements : infiniteElements
            guard !ends.isEmpty else { return nil }
            return ends.indices.map { start in
                dense((0..<dimension).map { ends[(start + $0) % ends.count] })
            }
        default: return nil
        }
    }

    /// A finite element's bits.
    private func plainElement(_ random: inout SeededRandom) -> UInt32 {
        switch self {
        case .floatVector: Float.random(in: -1...1, using: &random).bitPattern
        // Exponents below that of 2.
        case .float16Vector, .bfloat16Vector: UInt32.random(in: 0...0xFFFF, using: &random) & 0xBFFF
        default: .random(in: 0...0xFF, using: &random)
        }
    }

    private var extremeElements: [UInt32] {
        switch self {
        case .floatVector: [0x7F7F_FFFF, 0xFF7F_FFFF, 1, 0x8000_0001, 0x8000_0000, 0x3F80_0001]
        case .float16Vector: [0x7BFF, 0xFBFF, 1, 0x8001, 0x8000, 0x3C01]
        case .bfloat16Vector: [0x7F7F, 0xFF7F, 1, 0x8001, 0x8000, 0x3F81]
        default: [0x80, 0x7F, 0, 0xFF, 1]
        }
    }

    private var infiniteElements: [UInt32] {
        switch self {
        case .floatVector: [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000]
        case .float16Vector: [0x7C00, 0xFC00, 0x7E00]
        case .bfloat16Vector: [0x7F80, 0xFF80, 0x7FC0]
        default: []
        }
    }

    private func dense(_ elements: [UInt32]) -> MatrixCell {
        var cell = MatrixCell()
        cell.vector = .empty(self)
        let halves = Data(elements.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8 & 0xFF)] })
        let bytes = Data(elements.map { UInt8($0 & 0xFF) })
        switch self {
        case .binaryVector: cell.vector.binaryVector = bytes.prefix(elements.count / 8)
        case .float16Vector: cell.vector.float16Vector = halves
        case .bfloat16Vector: cell.vector.bfloat16Vector = halves
        case .int8Vector: cell.vector.int8Vector = bytes
        default: cell.vector.floatVector.data = elements.map { Float(bitPattern: $0) }
        }
        return cell
    }

    /// Indices and the bits of their weights.
    private func sparse(
        _ variant: MatrixVariant, _ random: inout SeededRandom
    ) -> [MatrixCell]? {
        let greatest = UInt32.max - 1
        let rows: [[(UInt32, Float)]]
        switch variant {
        case .plain:
            rows = (0..<40).map { row in
                (0..<UInt32(1 + row % 9)).map {
                    (
                        $0 * 1000 + .random(in: 0..<1000, using: &random),
                        .random(in: 0.01...9, using: &random)
                    )
                }
            }
        case .empty: rows = Array(repeating: [], count: 10)
        case .extreme:
            rows = [
                [(0, 1)], [(greatest, 0.5)],
                [(0, .leastNonzeroMagnitude), (greatest, .greatestFiniteMagnitude)],
                (0..<3000).map { ($0 * 7, Float($0) + 0.5) },
            ]
        case .infinite: rows = [[(1, .infinity)], [(1, .nan)]]
        default: return nil
        }
        return rows.map { row in
            var cell = MatrixCell()
            cell.vector.sparseFloatVector.contents = [
                row.reduce(into: Data()) { data, pair in
                    withUnsafeBytes(of: pair.0.littleEndian) { data.append(contentsOf: $0) }
                    withUnsafeBytes(of: pair.1.bitPattern.littleEndian) {
                        data.append(contentsOf: $0)
                    }
                }
            ]
            return cell
        }
    }
}
