/// A client's connection and the one to the server that carries its bytes.
final class ProxyLink {
    enum State: Equatable {
        case passing
        /// Nothing passes; then it is reset, or goes on.
        case silent(until: ContinuousClock.Instant, goesOn: Bool)
        /// This stream's answer is swallowed when it comes.
        case swallowing(stream: UInt32)
        /// The client is gone; what it sent arrives later.
        case held(until: ContinuousClock.Instant, stream: UInt32)
        /// It has arrived, and the server may answer.
        case late(until: ContinuousClock.Instant, stream: UInt32)
        case closed
    }

    /// What to tell the one who orders faults.
    enum Notice {
        /// A message grew to so many bytes; nil for bytes of another kind.
        case grew(to: Int?)
        /// A request of so many bytes is whole, and what was read before this position holds it.
        case whole(stream: UInt32, bytes: Int, end: Int)
        case lateAnswer
    }

    /// What is kept of a connection, so that it can be delivered twice.
    static let recordLimit = 16 << 20
    /// How long a late request is given to be answered.
    static let latePatience = Duration.seconds(15)
    private static let readLimit = 256 << 10

    private(set) var client: LoopbackSocket?
    private(set) var server: LoopbackSocket?
    private(set) var state = State.passing
    var requests = ProxyFlow(isOfClient: true)
    var answers = ProxyFlow(isOfClient: false)
    /// Everything of the client so far, or nil when it was too much.
    private(set) var record: [UInt8]? = []

    init(client: LoopbackSocket, server: LoopbackSocket) {
        self.client = client
        self.server = server
    }

    var isThrottled: Bool { requests.isThrottled || answers.isThrottled }

    /// When something is due without any byte.
    var due: ContinuousClock.Instant? {
        switch state {
        case .silent(let until, _), .held(let until, _), .late(let until, _): until
        case .passing, .swallowing, .closed: nil
        }
    }

    // MARK: What it waits for

    private var isQuiet: Bool {
        if case .silent = state { true } else { false }
    }

    private var isHeld: Bool {
        if case .held = state { true } else { false }
    }

    var readsClient: Bool { !isQuiet && !requests.isFull }
    /// Behind a client that is gone everything is read, so that the server never waits.
    var readsServer: Bool { !isQuiet && (client == nil || !answers.isFull) }
    var writesClient: Bool { !isQuiet && !answers.ready.isEmpty }
    var writesServer: Bool { !isQuiet && !isHeld && !requests.ready.isEmpty }

    // MARK: Bytes

    func readClient() -> [Notice] {
        guard let client, readsClient else { return [] }
        do {
            let bytes = try client.read(ProxyLink.readLimit)
            record?.append(contentsOf: bytes)
            if record?.count ?? 0 > ProxyLink.recordLimit { record = nil }
            return notices(of: requests.take(bytes))
        } catch {
            if error != .wouldBlock { clientWent() }
            return []
        }
    }

    func readServer() -> [Notice] {
        guard let server, readsServer else { return [] }
        do {
            let bytes = try server.read(ProxyLink.readLimit)
            let events = answers.take(bytes)
            if client == nil { answers.went(answers.waiting) }
            return hearAnswers(events)
        } catch {
            if error != .wouldBlock { serverWent() }
            return []
        }
    }

    /// Returns the bytes that went on.
    func write() -> Int {
        var count = 0
        do {
            if writesServer, let server {
                let taken = try server.write(requests.ready)
                requests.went(taken)
                count += taken
            }
            if writesClient, let client {
                let taken = try client.write(answers.ready)
                answers.went(taken)
                count += taken
            }
        } catch {
            if error != .wouldBlock { reset() }
        }
        if requests.isCut || answers.isCut { reset() }
        return count
    }

    private func notices(of events: [FrameWatch.Event]) -> [Notice] {
        events.reduce(into: [.grew(to: nil)]) { notices, event in
            switch event {
            case .grew(_, let bytes): notices.append(.grew(to: bytes))
            case .whole(let stream, let bytes, let end):
                notices.append(.whole(stream: stream, bytes: bytes, end: end))
            case .headers, .settings, .window: break
            }
        }
    }

    private func hearAnswers(_ events: [FrameWatch.Event]) -> [Notice] {
        for case .headers(let stream, _) in events {
            switch state {
            case .swallowing(stream):
                reset()
                return []
            case .late(_, stream):
                close()
                return [.lateAnswer]
            default: break
            }
        }
        return [.grew(to: nil)]
    }

    private func clientWent() {
        // What it sent goes on: a client that closes has not taken anything back.
        client = nil
        if !isHeld, requests.waiting == 0 { close() }
    }

    private func serverWent() {
        if let client, answers.waiting > 0 {
            _ = try? client.write(answers.ready)
        }
        close()
    }

    // MARK: Faults

    func swallowAnswer(to stream: UInt32) { state = .swallowing(stream: stream) }

    /// - Parameter end: where the request ends: its last byte waits, and all behind it.
    func hold(_ stream: UInt32, end: Int, until: ContinuousClock.Instant) {
        requests.stop = end - 1
        state = .held(until: until, stream: stream)
        client?.resetOnClose()
        client = nil
    }

    func fallSilent(until: ContinuousClock.Instant, goesOn: Bool) {
        state = .silent(until: until, goesOn: goesOn)
    }

    func reset() {
        client?.resetOnClose()
        server?.resetOnClose()
        close()
    }

    private func close() {
        client = nil
        server = nil
        state = .closed
    }

    func tick(_ now: ContinuousClock.Instant) {
        requests.tick(now)
        answers.tick(now)
        switch state {
        case .silent(let until, let goesOn) where now >= until:
            if goesOn { state = .passing } else { reset() }
        case .held(let until, let stream) where now >= until:
            requests.stop = nil
            state = .late(until: now + ProxyLink.latePatience, stream: stream)
        case .late(let until, _) where now >= until: close()
        default: break
        }
        if client == nil, state == .passing, requests.waiting == 0 { close() }
    }
}
