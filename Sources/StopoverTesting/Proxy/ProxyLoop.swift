import Foundation

/// The thread of a ``FaultProxy``: all its connections, by `poll`.
final class ProxyLoop {
    private let listener: LoopbackSocket
    private let upstream: Int
    private let board: ProxyBoard
    private let wake: WakePipe

    private var links: [ProxyLink] = []
    private var replays: [ReplayedConnection] = []
    private var laterReplays: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
    private var orders: [FaultOrder] = []
    private var refusesUntil: ContinuousClock.Instant?
    private var script: FaultScript?
    private var scripted: (due: ContinuousClock.Instant, order: FaultOrder)?
    private var counts = FaultCounts()
    private var now = ContinuousClock.now

    /// Orders of a script that find nobody do not pile up: the oldest goes.
    private static let orderLimit = 2

    init(listener: LoopbackSocket, upstream: Int, board: ProxyBoard, wake: WakePipe) {
        self.listener = listener
        self.upstream = upstream
        self.board = board
        self.wake = wake
    }

    func run() {
        while obeyCommands() {
            wait()
            now = .now
            for link in links {
                for notice in link.readClient() { hear(notice, of: link) }
                for notice in link.readServer() { hear(notice, of: link) }
                link.tick(now)
                counts.bytes += link.write()
            }
            for replay in replays {
                replay.read(now)
                replay.write()
                replay.tick(now)
            }
            tick()
            accept()
            links.removeAll { $0.state == .closed }
            for replay in replays where replay.isDone { counts.secondAnswers += replay.answered }
            replays.removeAll(where: \.isDone)
            board.publish(counts)
        }
    }

    /// False when the proxy is to end.
    private func obeyCommands() -> Bool {
        for command in board.takeCommands() {
            switch command {
            case .order(let order): obey(order)
            case .script(let script):
                self.script = script
                nextOfScript()
            case .calm:
                script = nil
                scripted = nil
                orders = []
            case .end: return false
            }
        }
        return true
    }

    private func obey(_ order: FaultOrder) {
        if case .refuse(let time) = order.fault {
            refuse(until: .now + time)
        } else {
            orders.append(order)
        }
    }

    private func nextOfScript() {
        guard let next = script?.next() else { return }
        scripted = (.now + next.after, next.1)
    }

    // MARK: Waiting

    private func wait() {
        var polls = [pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0)]
        func add(_ descriptor: Int32?, _ reads: Bool, _ writes: Bool) {
            guard let descriptor else { return }
            let events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0)
            // Without a wish a descriptor is left out: a broken one would end every wait.
            if events != 0 {
                polls.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
            }
        }
        if refusesUntil == nil { add(listener.descriptor, true, false) }
        for link in links {
            add(link.client?.descriptor, link.readsClient, link.writesClient)
            add(link.server?.descriptor, link.readsServer, link.writesServer)
        }
        for replay in replays { add(replay.descriptor, true, replay.writes) }
        var due = links.compactMap(\.due) + replays.map(\.due) + laterReplays.map(\.due)
        if let refusesUntil { due.append(refusesUntil) }
        if let scripted { due.append(scripted.due) }
        // A throttled connection becomes writable by time alone.
        if links.contains(where: \.isThrottled) { due.append(.now + .milliseconds(10)) }
        let milliseconds = due.min().map { Int32(($0 - .now) / .milliseconds(1)) + 1 }
        _ = poll(&polls, nfds_t(polls.count), milliseconds.map { max(0, $0) } ?? -1)
        wake.drain()
    }

    private func tick() {
        if let due = scripted?.due, now >= due, let order = scripted?.order {
            if orders.count >= ProxyLoop.orderLimit { orders.removeFirst() }
            obey(order)
            nextOfScript()
        }
        if let until = refusesUntil, now >= until {
            refusesUntil = nil
            try? listener.listenAgain()
        }
        for later in laterReplays where now >= later.due {
            if let replay = try? ReplayedConnection(later.bytes, to: upstream, now: now) {
                replays.append(replay)
            }
        }
        laterReplays.removeAll { now >= $0.due }
    }

    private func accept() {
        guard refusesUntil == nil else { return }
        while let client = listener.accepted() {
            guard let server = try? LoopbackSocket.connected(to: upstream) else {
                client.resetOnClose()
                continue
            }
            counts.connections += 1
            links.append(ProxyLink(client: client, server: server))
        }
    }

    // MARK: Faults

    private func hear(_ notice: ProxyLink.Notice, of link: ProxyLink) {
        switch notice {
        case .lateAnswer: counts.lateAnswers += 1
        case .grew(let bytes):
            met(by: link) { order in
                !order.fault.isOfWholeRequest && order.requestBytes <= bytes ?? 0
            }.map { inflict($0, on: link) }
        case .whole(let stream, let bytes, let end):
            met(by: link) { order in
                order.fault.isOfWholeRequest && order.requestBytes <= bytes
                    && (order.fault.kind != .deliverTwice || link.record != nil)
            }.map { inflict($0, on: link, stream: stream, end: end) }
        }
    }

    /// The first order that this connection meets, unless it has its fault already.
    private func met(by link: ProxyLink, _ isMet: (FaultOrder) -> Bool) -> Fault? {
        guard link.state == .passing, let at = orders.firstIndex(where: isMet) else { return nil }
        return orders.remove(at: at).fault
    }

    private func inflict(_ fault: Fault, on link: ProxyLink) {
        counts.faults[fault.kind, default: 0] += 1
        switch fault {
        case .reset: link.reset()
        case .halfOpen(let time): link.fallSilent(until: now + time, goesOn: false)
        case .stall(let time): link.fallSilent(until: now + time, goesOn: true)
        case .throttle(let bytesPerSecond, let time):
            link.requests.throttle(bytesPerSecond, from: now, until: now + time)
            link.answers.throttle(bytesPerSecond, from: now, until: now + time)
        case .cut(let bytes, .requests): link.requests.cut = link.requests.passed + bytes
        case .cut(let bytes, .answers): link.answers.cut = link.answers.passed + bytes
        case .refuse, .dropAnswer, .hold, .deliverTwice: break
        }
    }

    private func inflict(_ fault: Fault, on link: ProxyLink, stream: UInt32, end: Int) {
        counts.faults[fault.kind, default: 0] += 1
        switch fault {
        case .dropAnswer: link.swallowAnswer(to: stream)
        case .hold(let time): link.hold(stream, end: end, until: now + time)
        case .deliverTwice(let time):
            guard let bytes = link.record else { return }
            laterReplays.append((now + time, bytes.prefix(end)))
        case .reset, .halfOpen, .stall, .throttle, .refuse, .cut: break
        }
    }

    private func refuse(until: ContinuousClock.Instant) {
        counts.faults[.refuse, default: 0] += 1
        if refusesUntil == nil { listener.stopListening() }
        refusesUntil = until
        for link in links where link.client != nil { link.reset() }
    }
}
