extension VerificationSummary {
    /// What was found, what it proves and what not, and what it cost: for people.
    public func lines(_ style: OutputStyle = .plain) -> [String] {
        var lines: [String] = []
        if isClean {
            lines.append("proven (\(level.rawValue)): \(proof)")
        } else {
            let found = [
                (missing, "missing"), (extra, "extra"), (differ, "differ"),
                (unreadable, "unreadable"),
            ].filter { $0.0 > 0 }.map { "\(Figures.grouped($0.0)) \($0.1)" }
            lines.append(
                style.paint("differs (\(level.rawValue)):", .red)
                    + " \(found.joined(separator: ", ")); \(Figures.grouped(equalChunks)) of "
                    + "\(Figures.grouped(chunks)) chunks are equal")
        }
        lines.append("not proven: \(noProof)")
        if let limitation { lines.append("limited: \(limitation)") }
        lines.append(
            "cost: \(ByteCount.decimal(Double(bytes))) read back in \(Figures.clock(seconds))")
        return lines
    }
}
