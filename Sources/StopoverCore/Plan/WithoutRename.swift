/// A target that knows no RenameCollection: rows are loaded under the final name, and time is the only
/// fence (exactly-once.md, 2.3, rung B4).
extension TransferPlan {
    mutating func doWithoutRename() {
        guard !appends else { return }
        lacksRename = true
        findings.append(
            Finding(
                .note, code: "STO-PLAN-NO-RENAME", subject: "\(target.name)",
                message:
                    "the target cannot rename collections: rows are loaded under the final name, "
                    + "so that a copy in the making looks like a whole one until `stopover run` says "
                    + "complete"))
        guard request.mapping.onExisting == .replace else { return }
        findings.append(
            Finding(
                .refusal, code: "STO-PLAN-NO-RENAME", subject: "\(target.name)",
                message: "a target that cannot rename collections cannot replace one",
                remedy: "Drop the collection there, and leave out `on_existing: replace`."))
    }
}
