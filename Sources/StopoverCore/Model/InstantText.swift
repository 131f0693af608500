/// Instants as servers write them in a TIMESTAMPTZ column: `2024-02-29T23:59:59.000001Z`.
public enum InstantText {
    /// - Parameter microseconds: since 1970-01-01T00:00:00Z.
    /// - Returns: nil outside of the years 1 to 9999, which ISO 8601 cannot write in four digits.
    public static func utc(microseconds: Int64) -> String? {
        let (days, ofDay) = floorDivision(microseconds, 86_400_000_000)
        let (year, month, day) = civil(daysSince1970: days)
        guard (1...9999).contains(year) else { return nil }
        let (seconds, fraction) = floorDivision(ofDay, 1_000_000)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
            .joined(separator: ":")
        return "\(date)T\(time)" + (fraction == 0 ? "Z" : ".\(padded(fraction, 6))Z")
    }

    /// The instant that a text of RFC 3339 names, in microseconds since 1970-01-01T00:00:00Z.
    /// - Returns: nil for another text: without an offset, which stands for another instant on each
    ///   server; with a leap second; with parts of a microsecond; outside of the years 1 to 9999,
    ///   in its own offset or in UTC.
    public static func microseconds(_ text: String) -> Int64? {
        var rest = text.utf8[...]
        func digits(_ count: Int, _ range: ClosedRange<Int64>) -> Int64? {
            let digits = rest.prefix(count)
            guard digits.count == count, digits.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            rest = rest.dropFirst(count)
            let number = digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
            return range.contains(number) ? number : nil
        }
        func takes(_ character: Character) -> Bool {
            guard rest.first == character.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = digits(4, 1...9999), takes("-"), let month = digits(2, 1...12), takes("-"),
            let day = digits(2, 1...31), takes("T"), let hour = digits(2, 0...23), takes(":"),
            let minute = digits(2, 0...59), takes(":"), let second = digits(2, 0...59)
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        // The 30th of February is a day of March.
        guard civil(daysSince1970: days) == (year, month, day) else { return nil }
        var fraction: Int64 = 0
        if takes(".") {
            let count = rest.prefix { (48...57).contains($0) }.count
            guard (1...6).contains(count), let number = digits(count, 0...999_999) else {
                return nil
            }
            fraction = (count..<6).reduce(number) { number, _ in number * 10 }
        }
        var offset: Int64 = 0
        if !takes("Z") {
            let isWest = takes("-")
            guard isWest || takes("+"), let hours = digits(2, 0...23), takes(":"),
                let minutes = digits(2, 0...59)
            else { return nil }
            offset = (hours * 60 + minutes) * (isWest ? -60 : 60)
        }
        guard rest.isEmpty else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        let microseconds = seconds * 1_000_000 + fraction
        return utc(microseconds: microseconds) == nil ? nil : microseconds
    }

    /// The inverse of ``civil(daysSince1970:)`` (Hinnant, `days_from_civil`).
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivision(month <= 2 ? year - 1 : year, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The Gregorian date of a day, by eras of 400 years that begin in March, so that the leap day
    /// is the last of its year (Hinnant, `civil_from_days`).
    private static func civil(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivision(daysSince1970 + 719_468, 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func floorDivision(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
