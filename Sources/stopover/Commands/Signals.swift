import Dispatch
import Foundation
import StopoverCore

/// Ctrl-C and TERM ask for a stop; a second one ends the process at once. Either way the same
/// command carries on, so neither may lose anything.
final class Signals {
    private var sources: [any DispatchSourceSignal] = []

    init(_ stop: StopSignal, say: @escaping @Sendable (String) -> Void) {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if stop.isRequested { _exit(ExitStatus.interrupted.rawValue) }
                say("stopping: requests under way are ended first; once more ends at once")
                stop.request()
            }
            source.resume()
            sources.append(source)
        }
    }
}
