import Foundation
import StopoverCore
import Synchronization

/// All that a command writes: results to standard output, everything else to standard error.
final class Console: Sendable {
    enum Mode: Sendable {
        /// A frame that is drawn over itself.
        case live
        /// A line every few seconds.
        case plain
        /// One JSON object a line, on both streams.
        case json
        /// Results and errors only.
        case quiet
    }

    let mode: Mode
    let output: Terminal
    let errors: Terminal
    private let outputStream: StandardStream
    private let errorStream: StandardStream
    private let frame = Mutex(LiveFrame())

    init(json: Bool = false, quiet: Bool = false) {
        StandardStream.ignoreBrokenPipes()
        output = Terminal(STDOUT_FILENO)
        errors = Terminal(STDERR_FILENO)
        outputStream = StandardStream(STDOUT_FILENO)
        errorStream = StandardStream(STDERR_FILENO)
        mode = quiet ? .quiet : json ? .json : errors.isLive ? .live : .plain
        usesJSON = json
    }

    /// Also with `quiet`, which only says how much there is of it.
    let usesJSON: Bool

    /// The width for tables on standard output; nil in a pipe, where nothing is cut.
    var outputWidth: Int? { output.isLive ? output.size.columns : nil }

    // MARK: Results

    /// A result: lines for people, or an object of this type for programs.
    func result(
        _ type: String, _ payload: some Encodable, lines: @autoclosure () -> [String]
    ) throws(StopoverError) {
        let text = usesJSON ? try JSONLine.text(type, payload, at: .now) + "\n" : joined(lines())
        // The last frame stays above the result.
        frame.withLock { $0 = LiveFrame() }
        outputStream.write(text)
    }

    func result(_ report: JobReport) throws(StopoverError) {
        try result("result", report, lines: report.lines(style: output.style))
    }

    // MARK: Progress, notes, errors

    /// Something to know, once. Not with `quiet`.
    func note(_ text: String) {
        switch mode {
        case .quiet: return
        case .json:
            if let line = try? JSONLine.text("note", ["message": text], at: .now) { above(line) }
        case .live, .plain: above(text)
        }
    }

    /// How a command that failed says so: always, and last. The last frame stays above it.
    func failure(_ error: StopoverError) {
        frame.withLock { $0 = LiveFrame() }
        if usesJSON, let line = try? JSONLine.error(error, at: .now) {
            above(line)
        } else {
            above("\(error)")
        }
    }

    /// A line that is ready as it is, above the frame.
    func above(_ line: String) {
        frame.withLock { errorStream.write($0.erase() + line + "\n") }
    }

    /// Replaces the frame; only in live mode.
    func draw(_ lines: [String]) {
        frame.withLock { errorStream.write($0.draw(lines)) }
    }

    private func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
