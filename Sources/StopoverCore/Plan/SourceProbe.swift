/// Reads the first pages of a collection, one after the other, to see how fast its rows come and
/// how large they are. Reads only; what it read is forgotten.
struct SourceProbe {
    /// The probe ends with the first page after this.
    static let duration = Duration.seconds(2)
    /// Fewer rows tell nothing: a small migration has no probe.
    static let leastRows: Int64 = 50_000

    let source: any Source
    let transfers: [TransferPlan]

    /// The rate of one cursor over the largest collection; nil where none is large, or none can be
    /// read yet.
    func run() async throws(StopoverError) -> Capacity.Probe? {
        guard let plan = transfers.max(by: { $0.sourceRows < $1.sourceRows }),
            plan.sourceRows >= SourceProbe.leastRows, plan.refusals.isEmpty
        else { return nil }
        var cursor = SplitCursor(
            remaining: .all,
            sizer: PageSizer(
                targetBytes: EngineLimits().pageBytes,
                estimatedRowBytes: plan.source.schema.estimatedRowBytes))
        let start = ContinuousClock.now
        var rows = 0
        var bytes = 0
        while ContinuousClock.now - start < SourceProbe.duration {
            guard case .ask(let range, let rowLimit) = cursor.next else { break }
            do throws(StopoverError) {
                let page = try await source.page(
                    PageRequest(
                        rows: plan.rows(of: plan.readPartitions[0], in: range),
                        fields: plan.readFields, rowLimit: rowLimit, timestamp: nil))
                rows += page.batch.rowCount
                bytes += page.batch.byteCount
                try cursor.pageArrived(page)
            } catch {
                guard error.code == .pageTooLarge else { throw error }
                try cursor.pageWasTooLarge(error)
            }
        }
        guard rows > 0 else { return nil }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return Capacity.Probe(
            rowsPerSecond: Double(rows) / seconds,
            rowBytes: averageRowBytes(with: Double(bytes) / Double(rows), of: plan))
    }

    /// Over all rows of the migration, the probed collection's by what was seen.
    private func averageRowBytes(with probed: Double, of plan: TransferPlan) -> Double {
        let rows = transfers.reduce(0.0) { $0 + Double($1.sourceRows) }
        let bytes = transfers.reduce(0.0) { $0 + Double($1.estimatedBytes) }
        let corrected = bytes - Double(plan.estimatedBytes) + Double(plan.sourceRows) * probed
        return corrected / max(rows, 1)
    }
}
