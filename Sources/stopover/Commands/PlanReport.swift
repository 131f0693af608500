import StopoverCore

/// A plan for people: what maps to what, then everything worth knowing before a byte moves.
struct PlanReport {
    private let plan: MigrationPlan

    init(_ plan: MigrationPlan) {
        self.plan = plan
    }

    func lines(width: Int?) -> [String] {
        var lines = [
            "source  \(plan.source.address)  \(plan.source.identity.version)",
            "target  \(plan.target.address)  \(plan.target.identity.version)",
            "",
        ]
        var table = TextTable([
            .init("source"), .init("target"), .init("rows", .right), .init("about", .right),
            .init("keys"), .init("partitions"),
        ])
        for transfer in plan.transfers {
            table.add([
                "\(transfer.source.name)", "\(transfer.target.name)",
                Figures.grouped(transfer.sourceRows),
                "\(ByteCount(transfer.estimatedBytes))",
                transfer.regeneratesKeys ? "new" : "kept",
                transfer.partitions.map { "\($0.count)" } ?? "as one",
            ])
        }
        lines += table.lines(width: width)
        lines += [""]
        for promise in Set(plan.transfers.map(\.promise)).sorted() {
            let which = plan.transfers.filter { $0.promise == promise }.map { "\($0.source.name)" }
            lines.append("\(promise)  (\(which.joined(separator: ", ")))")
        }
        if let capacity = plan.capacity { lines += ["", capacity.line] }
        let findings = plan.allFindings
        if !findings.isEmpty { lines.append("") }
        for finding in findings {
            let mark = finding.severity == .refusal ? "REFUSED" : "note"
            lines.append("\(mark)  \(finding.code)  \(finding.subject): \(finding.message)")
            if !finding.remedy.isEmpty { lines.append("  → \(finding.remedy)") }
        }
        return lines
    }
}

/// A plan that cannot be carried out, as the error that ends a command.
struct RefusedPlan {
    private let plan: MigrationPlan

    init(_ plan: MigrationPlan) {
        self.plan = plan
    }

    var error: StopoverError {
        let refusals = plan.refusals
        let lines = refusals.map { "\($0.code) \($0.subject): \($0.message)" }
        return StopoverError(
            .planRefused,
            "the plan is refused, nothing was written:\n  " + lines.joined(separator: "\n  "),
            remedy: refusals.map(\.remedy).filter { !$0.isEmpty }.uniqued.joined(
                separator: "\n  → "))
    }
}

extension StopoverError.Code {
    static let planRefused = Self("STO-PLAN-REFUSED", exit: .refused)
}

extension [String] {
    fileprivate var uniqued: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}

extension MigrationPlan {
    /// For people and programs: the servers' own bytes of a schema are for the copy alone.
    var withoutEncodedSchemas: MigrationPlan {
        var plan = self
        for index in plan.transfers.indices {
            plan.transfers[index].source.schema.encoded = []
            plan.transfers[index].target.schema.encoded = []
        }
        return plan
    }
}
