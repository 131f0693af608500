/// A number of JSON as it is written, `±magnitude × 10^scale`, before it is one of any type: an
/// INT64 beyond 2^53 is no double on its way.
struct JSONNumber {
    /// The number as an integer.
    enum Whole: Hashable {
        case value(Int64)
        case fraction
        case outOfRange
    }

    private var isNegative = false
    /// Without zeros at its end, so that a negative scale is a fraction.
    private var magnitude: UInt64 = 0
    private var scale = 0
    /// Whether there are more digits than `magnitude` holds.
    private var isLong = false
    private let text: UnsafeBufferPointer<UInt8>

    /// Beyond it an exponent is as good as endless: no text in memory has as many digits.
    private static let largestExponent = 1 << 40

    /// - Parameter text: walked by ``JSONWalk``; valid as long as this number.
    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        var zeros = 0
        var fractionDigits = 0
        var isFraction = false
        var position = 0
        if text.first == UInt8(ascii: "-") {
            isNegative = true
            position = 1
        }
        scan: while position < text.count {
            let byte = text[position]
            position += 1
            switch byte {
            case UInt8(ascii: "."):
                isFraction = true
                continue scan
            case UInt8(ascii: "0"):
                // Zeros count when a digit follows them, and before the point.
                if magnitude > 0 || isLong { zeros += 1 }
            case UInt8(ascii: "1")...UInt8(ascii: "9"):
                append(byte - UInt8(ascii: "0"), behind: zeros)
                zeros = 0
            default: break scan
            }
            if isFraction { fractionDigits += 1 }
        }
        // Behind the loop stands the exponent, or nothing.
        let isSmall = position < text.count && text[position] == UInt8(ascii: "-")
        var exponent = 0
        while position < text.count {
            let byte = text[position]
            position += 1
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= byte else { continue }
            exponent = min(
                exponent * 10 + Int(byte - UInt8(ascii: "0")), JSONNumber.largestExponent)
        }
        scale = zeros - fractionDigits + (isSmall ? -exponent : exponent)
    }

    private mutating func append(_ digit: UInt8, behind zeros: Int) {
        // Most numbers end before they could overflow.
        if zeros == 0, !isLong, magnitude < UInt64.max / 10 {
            magnitude = magnitude * 10 + UInt64(digit)
            return
        }
        var rest = zeros + 1
        var next = magnitude
        while rest > 0, !isLong {
            let (product, overflows) = next.multipliedReportingOverflow(by: 10)
            next = product
            isLong = overflows
            rest -= 1
        }
        let (sum, overflows) = next.addingReportingOverflow(UInt64(digit))
        isLong = isLong || overflows
        if !isLong { magnitude = sum }
    }

    /// The number as an integer: `1.0` and `1e0` are 1.
    var whole: Whole {
        if magnitude == 0, !isLong { return .value(0) }
        guard scale >= 0 else { return .fraction }
        // 10^18 is the largest power of ten in an INT64.
        guard !isLong, scale <= 18 else { return .outOfRange }
        var whole = magnitude
        for _ in 0..<scale {
            let (product, overflows) = whole.multipliedReportingOverflow(by: 10)
            guard !overflows else { return .outOfRange }
            whole = product
        }
        guard isNegative else { return Int64(exactly: whole).map { .value($0) } ?? .outOfRange }
        guard whole <= Int64.min.magnitude else { return .outOfRange }
        return .value(Int64(truncatingIfNeeded: 0 &- whole))
    }

    /// The nearest double; nil beyond the largest.
    var double: Double? {
        // Both sides of the operation are exact, so its result is the nearest (Clinger 1990).
        if !isLong, magnitude <= 1 << 53, scale.magnitude < JSONNumber.powersOfTen.count {
            let power = JSONNumber.powersOfTen[Int(scale.magnitude)]
            let value = scale < 0 ? Double(magnitude) / power : Double(magnitude) * power
            return isNegative ? -value : value
        }
        return JSONNumber.finite(Double(String(decoding: text, as: UTF8.self)))
    }

    /// The nearest float; nil beyond the largest.
    var float: Float? {
        guard let double else { return nil }
        // Rounded twice, a number is rounded right unless the double lies half-way between two
        // floats: its lower 29 bits are then 1 and zeros. Tiny floats have fewer bits.
        let isHalfway = double.bitPattern & 0x1FFF_FFFF == 0x1000_0000
        let isTiny = double.magnitude < Double(Float.leastNormalMagnitude)
        guard isHalfway || isTiny, double != 0 else { return JSONNumber.finite(Float(double)) }
        return JSONNumber.finite(Float(String(decoding: text, as: UTF8.self)))
    }

    private static func finite<Number: BinaryFloatingPoint>(_ number: Number?) -> Number? {
        guard let number, number.isFinite else { return nil }
        return number
    }

    /// Those that a double holds exactly.
    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
