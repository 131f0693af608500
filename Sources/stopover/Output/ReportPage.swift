import Foundation
import StopoverCore

/// A finished job on one page for people: what moved, what proves it and what nothing proves, what was
/// left out or changed, how fast it went. It opens without a network.
struct ReportPage {
    private let receipt: ReceiptWriter.Written
    private var plan: MigrationPlan { receipt.head.stored.plan }
    private var results: [TransferResult] { receipt.end.results }

    init(_ receipt: ReceiptWriter.Written) { self.receipt = receipt }

    func write(_ directory: JobDirectory) throws(StopoverError) {
        try directory.write(Data(text.utf8), to: directory.reportPath)
    }

    /// Collections that have a section of their own; the others are in the table alone.
    private static let mostSections = 50

    private var isComplete: Bool { results.allSatisfy(\.isComplete) }

    private var text: String {
        let job = HTML.escaped(receipt.head.job.name)
        return """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>stopover: \(job)</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>\(ReportPage.style)</style>
            <main>
            <header>
            <p class="verdict \(isComplete ? "good" : "bad")">\(isComplete ? "Complete" : "Mismatch")</p>
            <h1>\(job)</h1>
            <p class="way">\(HTML.escaped(plan.source.address)) <span>→</span> \(HTML.escaped(plan.target.address))</p>
            \(summary)
            </header>
            \(overview)
            \(ThroughputPlot(receipt.end.throughput).section)
            \(sections)
            \(evidence)
            </main>
            </html>

            """
    }

    private var summary: String {
        var figures: [(String, String)] = [
            (Figures.grouped(results.reduce(0) { $0 + $1.counts.loaded }), "rows moved"),
            ("\(results.count)", results.count == 1 ? "collection" : "collections"),
        ]
        let summaries = results.compactMap(\.verification)
        if summaries.isEmpty {
            figures.append(("counts", "compared"))
        } else {
            figures.append(
                (
                    "\(Figures.grouped(summaries.reduce(0) { $0 + $1.equalChunks })) of "
                        + Figures.grouped(summaries.reduce(0) { $0 + $1.chunks }),
                    "chunks equal to what was sent"
                ))
        }
        if let seconds = seconds {
            figures.append((Figures.clock(seconds), "from first row to last check"))
        }
        return "<dl class=\"figures\">"
            + figures.map {
                "<div><dt>\(HTML.escaped($0.1))</dt><dd>\(HTML.escaped($0.0))</dd></div>"
            }
            .joined(separator: "\n") + "</dl>"
    }

    private var seconds: Double? {
        guard let first = receipt.end.throughput.first, let last = receipt.end.throughput.last
        else { return nil }
        return last.at - first.at
    }

    private var overview: String {
        let rows = results.map { result in
            let counts = result.counts
            return [
                "\(result.source)", "\(result.target)", Figures.grouped(counts.sourceAtEnd),
                Figures.grouped(counts.read), Figures.grouped(counts.loaded),
                counts.target.map(Figures.grouped) ?? "not counted",
                Figures.grouped(counts.quarantined), result.isComplete ? "complete" : "differs",
            ]
        }
        return "<section><h2>What moved</h2>"
            + HTML.table(
                [
                    "source", "target", "rows there", "read", "loaded", "counted after",
                    "set aside", "",
                ],
                rows) + "</section>"
    }

    private var sections: String {
        let shown = Array(zip(plan.transfers, results).prefix(ReportPage.mostSections))
        let more = results.count - shown.count
        return shown.map { section($0, $1) }.joined(separator: "\n")
            + (more > 0 ? "<p>\(more) more collections are in receipt.json.</p>" : "")
    }

    private func section(_ plan: TransferPlan, _ result: TransferResult) -> String {
        "<section><h2>\(HTML.escaped("\(result.source) → \(result.target)"))</h2>"
            + proof(plan, result) + fields(plan) + changes(plan, result) + "</section>"
    }

    private func proof(_ plan: TransferPlan, _ result: TransferResult) -> String {
        var proven: [String] = []
        var open: [String] = []
        if let summary = result.verification {
            if summary.isClean {
                proven.append(summary.proof)
            } else {
                open += summary.lines().prefix(1)
            }
            open.append(summary.noProof)
            if let limitation = summary.limitation { open.append(limitation) }
        } else {
            proven.append("the target counts as many rows as were loaded")
            open.append("the content of rows: counts alone were compared")
        }
        open.append("what an index finds: recall is the target's")
        open += result.counts.differences + result.drift + result.unreadable
        let cost = result.verification.map { summary in
            "<p class=\"aside\">\(HTML.escaped(summary.lines().last ?? "")), ended "
                + "\(ReportPage.date(summary.ended))</p>"
        }
        return "<p>Moved \(HTML.escaped(plan.promise)).</p>"
            + "<div class=\"columns\"><div><h3>Proven</h3>\(HTML.list(proven))</div>"
            + "<div><h3>Not proven</h3>\(HTML.list(open))</div></div>" + (cost ?? "")
    }

    private func fields(_ plan: TransferPlan) -> String {
        var rows = plan.columns.map { mapping in
            [
                mapping.read.name, mapping.sent.name, mapping.sent.type.milvusName,
                note(mapping.read, mapping.sent),
            ]
        }
        rows += plan.promoted.map {
            ["\($0.name) of the dynamic field", $0.name, $0.type.milvusName, "made a field"]
        }
        let sent = Set(plan.columns.map(\.read.name))
        rows += plan.readFields.filter { !sent.contains($0.name) }.map { field in
            let isKey = field.isPrimaryKey
            return [
                field.name, isKey ? plan.target.schema.primaryKey?.name ?? "–" : "–",
                field.type.milvusName,
                isKey
                    ? (plan.keys == .minted ? "made anew, by us" : "made anew, by the target")
                    : "not sent",
            ]
        }
        return "<h3>Fields</h3>"
            + HTML.table(["source", "target", "type", "what was changed"], rows)
    }

    private func note(_ read: FieldSchema, _ sent: FieldSchema) -> String {
        var notes: [String] = []
        if read.name != sent.name { notes.append("renamed") }
        if sent.isNullable && !read.isNullable { notes.append("nullable") }
        if read.isNullable && !sent.isNullable { notes.append("nulls became the default") }
        if sent.isPartitionKey && !read.isPartitionKey { notes.append("partition key") }
        return notes.joined(separator: ", ")
    }

    private func changes(_ plan: TransferPlan, _ result: TransferResult) -> String {
        var changes = plan.findings.map { "\($0.subject): \($0.message)" }
        changes += result.droppedKeys.sorted { $0.key < $1.key }.map {
            "the dynamic key \($0.key) was not sent: in \(Figures.grouped($0.value)) rows"
        }
        changes += result.notes
        if result.counts.quarantined > 0 {
            changes.append(
                "\(Figures.grouped(result.counts.quarantined)) rows do not fit and were set aside")
        }
        if result.rewrittenRows > 0 {
            changes.append(
                "\(Figures.grouped(result.rewrittenRows)) rows were acknowledged, came into doubt "
                    + "before they were durable, and were written again"
                    + (result.lostRows.map { "; the target had lost \(Figures.grouped($0))" } ?? "")
            )
        }
        if let swept = result.sweptRows, swept > 0 {
            changes.append(
                "\(Figures.grouped(swept)) rows that no acknowledgement names were found and deleted"
            )
        }
        return changes.isEmpty
            ? "" : "<h3>Left out, changed, met on the way</h3>" + HTML.list(changes)
    }

    private var evidence: String {
        let job = receipt.head.job
        let rows = [
            ["job", "\(job.name), \(job.id.uuidString.lowercased())"],
            ["begun", receipt.head.begun.map(ReportPage.date) ?? "–"],
            ["written", ReportPage.date(receipt.end.written)],
            ["stopover", job.toolVersion],
            ["source server", plan.source.identity.version],
            ["target server", plan.target.identity.version],
            ["plan", plan.fingerprint],
            ["chunks", Figures.grouped(receipt.end.chunks)],
            ["last epoch", receipt.head.transfers.map { "\($0.epoch)" }.joined(separator: ", ")],
            ["seal of receipt.json", receipt.seal],
        ]
        return
            "<section><h2>To check it again</h2><p>On any machine that reaches the clusters, with "
            + "<code>receipt.json</code>, which lies beside this page:</p>"
            + "<pre>stopover verify ./receipt.json</pre>"
            + "<table class=\"facts\">"
            + rows.map { "<tr><th>\(HTML.escaped($0[0]))</th><td>\(HTML.escaped($0[1]))</td></tr>" }
            .joined(separator: "\n") + "</table></section>"
    }

    private static func date(_ date: Date) -> String {
        date.formatted(.iso8601)
    }

    private static let style = """

        :root {
            color-scheme: light dark;
            --ink: #1c2024; --soft: #60666d; --line: #dfe3e7; --paper: #ffffff; --good: #1f7a46;
            --bad: #b3261e; --loaded: #2a6fb0; --verified: #2f8f5b;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --ink: #e6e9ec; --soft: #9aa1a8; --line: #32383e; --paper: #15181b; --good: #5fca8c;
                --bad: #ff8a80; --loaded: #6fb1ef; --verified: #6fd09c;
            }
        }
        body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
        main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
        h1 { font-size: 1.9rem; margin: .25rem 0 0; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; overflow-wrap: anywhere; }
        h3 { font-size: .95rem; margin: 1.25rem 0 .4rem; color: var(--soft); }
        .verdict { display: inline-block; margin: 0; padding: .1rem .7rem; border-radius: 1rem; border: 1px solid; font-weight: 600; }
        .good { color: var(--good); } .bad { color: var(--bad); }
        .way { color: var(--soft); margin: .25rem 0 1.25rem; overflow-wrap: anywhere; }
        .figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 0; }
        .figures div { display: flex; flex-direction: column-reverse; }
        .figures dt { color: var(--soft); font-size: .85rem; }
        .figures dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
        .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 0 2rem; }
        ul { margin: 0; padding-left: 1.1rem; } li { margin: .2rem 0; overflow-wrap: anywhere; }
        section { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
        th { font-weight: 600; color: var(--soft); font-size: .85rem; }
        .facts th { width: 12rem; } .facts td { overflow-wrap: anywhere; }
        .aside { color: var(--soft); font-size: .85rem; }
        pre, code { font: .9rem/1.4 ui-monospace, monospace; }
        pre { border: 1px solid var(--line); padding: .6rem .8rem; border-radius: .4rem; overflow-x: auto; }
        svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
        svg .axis { stroke: var(--line); } svg path { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        svg .loaded { stroke: var(--loaded); } svg .verified { stroke: var(--verified); }
        svg text.loaded { fill: var(--loaded); stroke: none; } svg text.verified { fill: var(--verified); stroke: none; }

        """
}
