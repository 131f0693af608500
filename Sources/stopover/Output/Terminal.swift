import Foundation
import StopoverCore

/// What one of our output descriptors is connected to.
struct Terminal: Sendable {
    /// Where the width of a terminal cannot be told.
    static let usualSize = (columns: 80, rows: 24)

    let descriptor: Int32
    /// It is a terminal, and one that can be drawn on.
    let isLive: Bool
    let style: OutputStyle

    /// - Parameter environment: `NO_COLOR` (any value but an empty one) turns colour off,
    ///   `TERM=dumb` drawing as well.
    init(
        _ descriptor: Int32,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.descriptor = descriptor
        isLive = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        style = OutputStyle(usesColour: isLive && (environment["NO_COLOR"] ?? "").isEmpty)
    }

    /// Asked anew for every frame: a window is resized while a job runs.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return Self.usualSize }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
