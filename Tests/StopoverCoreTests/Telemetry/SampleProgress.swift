import StopoverCore

extension ProgressSnapshot {
    /// A job of four transfers in four phases, one of them with a name that would harm a terminal.
    static var sample: ProgressSnapshot {
        var moving = TransferProgress.named("packages", .moving, expected: 6_000_000)
        moving.rowsRead = 3_200_000
        moving.rowsSpooled = 3_150_000
        moving.rowsLoaded = 2_500_000
        moving.rowsPerSecond = 12_345
        moving.bytesPerSecond = 19_012_345
        moving.etaSeconds = 283
        var done = TransferProgress.named("日本語のコレクション名です", .published, expected: 1200)
        done.rowsLoaded = 1200
        var checking = TransferProgress.named(
            "evil\u{1b}[2J\n\u{202e}name", .checking, expected: 10)
        checking.rowsLoaded = 10
        let planned = TransferProgress.named(
            "a_very_long_name_of_a_collection_indeed", .planned, expected: 0)
        return ProgressSnapshot(
            job: "night-0a1b2c3d", elapsedSeconds: 3725,
            transfers: [done, checking, moving, planned], spoolUsedBytes: 3 << 29,
            spoolLimitBytes: 20 << 30, limitingStage: .targetWaiting,
            waits: [
                Wait(side: .target, reason: "the server does not\u{7} answer", seconds: 42)
            ], retries: 1234)
    }
}

extension TransferProgress {
    static func named(
        _ name: String, _ phase: TransferPhase = .moving, expected: Int64 = 100
    ) -> TransferProgress {
        TransferProgress(
            source: CollectionName(collection: name),
            target: CollectionName(database: "lib", collection: name), phase: phase,
            rowsExpected: expected)
    }
}
