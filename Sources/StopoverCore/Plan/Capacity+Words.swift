extension Capacity {
    /// One line for people.
    public var line: String {
        var text =
            "\(Figures.grouped(rows)) rows, about \(ByteCount(bytes)); spool up to "
            + "\(ByteCount(spoolBytes))"
        if let seconds, let limit, let bytesPerSecond {
            text +=
                "; at least \(Capacity.duration(seconds)) at "
                + "\(ByteCount.decimal(bytesPerSecond))/s (\(limit.rawValue))"
        } else {
            text += "; duration not known: nothing bounds it but the two clusters and the wire"
        }
        return text
    }

    static func duration(_ seconds: Double) -> String {
        let minutes = Int((seconds / 60).rounded(.up))
        if minutes < 120 { return "\(minutes) min" }
        let hours = minutes / 60
        return hours < 72 ? "\(hours) h \(minutes % 60) min" : "\(hours / 24) d \(hours % 24) h"
    }

    /// What does not fit.
    public var findings: [Finding] {
        var findings: [Finding] = []
        if let free = freeDiskBytes, free < spoolBytes {
            findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-DISK", subject: "limits.spool",
                    message: "the spool may need \(ByteCount(spoolBytes)), and its disk has "
                        + "\(ByteCount(free)) free",
                    remedy: "Lower `limits.spool` (\(ByteCount(MigrationLimits.leastSpool.bytes)) "
                        + "is the least), or name another disk with `limits.spool_dir`."))
        }
        if exceedsFreePlan {
            findings.append(
                Finding(
                    .note, code: "STO-PLAN-CAPACITY", subject: ClusterPlan.free.title,
                    message: "a Free cluster stores about a million vectors of 768 dimensions "
                        + "(\(ByteCount(Capacity.freePlanBytes))); these are about "
                        + "\(ByteCount(bytes))"))
        }
        return findings
    }
}
