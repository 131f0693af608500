/// A number of bytes, as people write it: `512MiB`, `20 GB`, `1.5GiB`, `4096`.
public struct ByteCount: Hashable, Sendable, Codable, Comparable {
    public var bytes: Int64

    public init(_ bytes: Int64) { self.bytes = bytes }
    public static func kibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 10) }
    public static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(count << 20) }
    public static func gibibytes(_ count: Int64) -> ByteCount { ByteCount(count << 30) }

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    // A number on its own, so that JSON shows `1073741824` rather than `{"bytes":1073741824}`.
    public init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }

    private static let binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    private static let decimalUnits = ["B", "KB", "MB", "GB", "TB", "PB", "EB"]

    /// nil when `text` is no size, or one that 63 bits do not hold. Case of the unit does not
    /// matter; a unit without `B` (`4G`) is refused, because tools disagree on what it means.
    public init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }),
            let whole = Int64(parts[0])
        else { return nil }
        let factor: Int64
        if unit.isEmpty {
            guard text.count == digits.count, parts.count == 1 else { return nil }
            factor = 1
        } else if let power = Self.binaryUnits.firstIndex(where: { $0.lowercased() == unit }) {
            factor = 1 << Int64(10 * power)
        } else if let power = Self.decimalUnits.firstIndex(where: { $0.lowercased() == unit }) {
            factor = (0..<power).reduce(1) { value, _ in value * 1000 }
        } else {
            return nil
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard let part = Double("0." + parts[1]), factor > 1 else { return nil }
            fraction = Int64((part * Double(factor)).rounded())
        }
        let (sum, carried) = product.addingReportingOverflow(fraction)
        guard !carried else { return nil }
        bytes = sum
    }
}

extension ByteCount: CustomStringConvertible {
    /// Three digits or so, in binary units: `1 GiB`, `1.5 GiB`, `342 MiB`, `17 B`.
    public var description: String { Self.text(Double(bytes), units: Self.binaryUnits, base: 1024) }

    /// As networks and disks are measured: `12.3 MB`.
    public static func decimal(_ bytes: Double) -> String {
        text(bytes, units: decimalUnits, base: 1000)
    }

    private static func text(_ bytes: Double, units: [String], base: Double) -> String {
        guard bytes.isFinite, bytes >= 0 else { return "?" }
        var value = bytes
        var power = 0
        // Half a unit of the last digit earlier, so that rounding never prints 1,024 or 1,000.
        while value >= base - 0.5, power < units.count - 1 {
            value /= base
            power += 1
        }
        if power == 0 || value >= 99.95 { return "\(Int64(value.rounded())) \(units[power])" }
        let tenths = Int64((value * 10).rounded())
        let text = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        return "\(text) \(units[power])"
    }
}
