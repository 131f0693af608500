import Foundation
import StopoverCore

/// Shows a job's progress for as long as its task lives.
struct ProgressPrinter: Sendable {
    /// Faster than the eye needs; slower than a remote terminal minds.
    static let frameInterval = Duration.milliseconds(100)
    static let lineInterval = Duration.seconds(5)
    static let jsonInterval = Duration.seconds(1)

    let board: ProgressBoard
    let console: Console

    /// Returns when its task is cancelled, after it has shown the state of that moment.
    func run() async {
        var meter = ProgressMeter()
        let interval =
            switch console.mode {
            case .quiet: Duration.seconds(3600)
            case .live: Self.frameInterval
            case .plain: Self.lineInterval
            case .json: Self.jsonInterval
            }
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            show(meter.measure(board.snapshot()))
        }
    }

    private func show(_ snapshot: ProgressSnapshot) {
        switch console.mode {
        case .quiet: return
        case .live:
            let size = console.errors.size
            console.draw(
                ProgressTable.lines(
                    snapshot, width: size.columns, height: size.rows, style: console.errors.style))
        case .plain: console.above(ProgressLine.text(snapshot))
        case .json:
            if let line = try? JSONLine.progress(snapshot, at: .now) { console.above(line) }
        }
    }

    /// Runs `body` with progress beside it, and stops showing it before it returns or throws.
    static func showing<Value: Sendable>(
        _ board: ProgressBoard, on console: Console, _ body: () async throws -> Value
    ) async rethrows -> Value {
        let printer = ProgressPrinter(board: board, console: console)
        // Leaving the scope, either way, cancels it and waits for its last frame.
        async let _: Void = printer.run()
        return try await body()
    }
}
