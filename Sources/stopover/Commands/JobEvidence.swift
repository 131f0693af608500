import StopoverCore

/// What a job leaves behind for those who were not there: its result, what differs, the receipt and the
/// report.
enum JobEvidence {
    static func write(
        _ results: [TransferResult], _ directory: JobDirectory, _ ledger: Ledger
    ) async throws -> JobReport.Evidence {
        try JobResult(transfers: results).write(directory)
        let mismatches = try await MismatchFiles(directory).write(ledger)
        let receipt = try await ReceiptWriter(directory, ledger).write(results)
        try ReportPage(receipt).write(directory)
        return JobReport.Evidence(
            receipt: receipt.path, seal: receipt.seal, report: directory.reportPath,
            mismatches: mismatches)
    }
}
