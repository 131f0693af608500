import Foundation
import StopoverCore

@testable import StopoverMilvus

/// What Foundation should find in a row.
enum ExpectedJSON {
    static func value(_ value: RowValue, _ field: FieldSchema) -> FoundationJSON? {
        guard value != .null else { return .null }
        switch field.type {
        case .json: return json(value.rawBytes)
        case .binaryVector: return base64(value.rawBytes)
        case .geometry where value.rawBytes.first == 0xFF: return base64(value.rawBytes)
        case .int8Vector: return .array(value.rawBytes.map { .number(Int8(bitPattern: $0)) })
        case .float16Vector: return halves(value.rawBytes, exponentBits: 5)
        case .bfloat16Vector: return halves(value.rawBytes, exponentBits: 8)
        case .sparseFloatVector: return sparse(value.rawBytes)
        default: return plain(value)
        }
    }

    private static func plain(_ value: RowValue) -> FoundationJSON {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let number): .number(number)
        case .float(let bits): number(Float(bitPattern: bits))
        case .double(let bits): number(Double(bitPattern: bits))
        case .bytes(let bytes): .text(String(decoding: bytes, as: UTF8.self))
        case .list(let values): .array(values.map(plain))
        }
    }

    private static func number(
        _ number: some BinaryFloatingPoint & CustomStringConvertible
    ) -> FoundationJSON {
        if number.isNaN { return .text("NaN") }
        guard number.isFinite else { return .text(number < 0 ? "-Infinity" : "Infinity") }
        return .number(number)
    }

    private static func base64(_ bytes: [UInt8]) -> FoundationJSON {
        .object(["base64": .text(Data(bytes).base64EncodedString())])
    }

    private static func json(_ bytes: [UInt8]) -> FoundationJSON? {
        var grammar = JSONGrammar(bytes)
        guard grammar.isJSON(), String(validating: bytes, as: UTF8.self) != nil else {
            return base64(bytes)
        }
        return FoundationJSON.value(bytes)
    }

    private static func sparse(_ bytes: [UInt8]) -> FoundationJSON {
        guard bytes.count % 8 == 0 else { return base64(bytes) }
        var pairs: [String: FoundationJSON] = [:]
        for start in stride(from: 0, to: bytes.count, by: 8) {
            let index = little(bytes[start..<start + 4])
            pairs["\(index)"] = plain(.float(little(bytes[start + 4..<start + 8])))
        }
        return .object(pairs)
    }

    private static func little(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 * 256 + UInt32($1) }
    }

    /// By the definition of the format: sign, exponent, mantissa.
    private static func halves(_ bytes: [UInt8], exponentBits: Int) -> FoundationJSON {
        let numbers = stride(from: 0, to: bytes.count, by: 2).map { start in
            let bits = Int(bytes[start]) + Int(bytes[start + 1]) * 256
            let mantissaBits = 15 - exponentBits
            let mantissa = Double(bits % (1 << mantissaBits)) / Double(1 << mantissaBits)
            let exponent = (bits >> mantissaBits) % (1 << exponentBits)
            let bias = (1 << (exponentBits - 1)) - 1
            let sign: Double = bits >> 15 == 0 ? 1 : -1
            if exponent == (1 << exponentBits) - 1 {
                return number(mantissa == 0 ? sign * .infinity : .nan)
            }
            let isSubnormal = exponent == 0
            let power = pow(2, Double((isSubnormal ? 1 : exponent) - bias))
            return number(sign * (isSubnormal ? mantissa : 1 + mantissa) * power)
        }
        return .array(numbers)
    }
}
