/// Numbers as people read them. Locale-free: the same run prints the same text everywhere.
public enum Figures {
    /// `1,234,567`
    public static func grouped(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// Three digits: `999`, `12.3 k`, `1.23 M`, `4.56 G`.
    public static func short(_ number: Double) -> String {
        guard number.isFinite, number >= 0 else { return "?" }
        var value = number
        var unit = ""
        for next in [" k", " M", " G", " T"] where value >= 999.5 {
            value /= 1000
            unit = next
        }
        let decimals = unit.isEmpty || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
        return decimal(value, places: decimals) + unit
    }

    /// `3:12`, `1:02:03`, `4 d 06 h`; `–` when unknown.
    public static func clock(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0 else { return "–" }
        let whole = Int64(min(seconds.rounded(), 1e12))
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if whole < 3600 { return "\(whole / 60):\(two(whole % 60))" }
        if whole < 100 * 3600 {
            return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
        }
        let days = whole / 86_400
        return days > 999 ? "> 999 d" : "\(days) d \(two(whole / 3600 % 24)) h"
    }

    /// Rounded down: a transfer is not at 100 % before its last row.
    public static func percent(_ fraction: Double) -> String {
        "\(Int((fraction * 100).rounded(.down)))%"
    }

    static func count(_ number: Int64, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    private static func decimal(_ value: Double, places: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((value * Double(scale)).rounded())
        guard places > 0 else { return "\(scaled)" }
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: places - fraction.count)
        return "\(scaled / scale).\(zeros)\(fraction)"
    }
}
