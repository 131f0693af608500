import StopoverCore

/// One load of a transfer, from its first chunk to its last flush: the very
/// ``LoadCoordinator`` that ships, under a clock, a network, a server and a process that fail by a
/// seed. The shell around it is ``LoadStage``'s, without the waiting.
///
/// What is drawn by each seed (swarm): which faults there are at all, and how often. A run is the
/// same for the same seed.
public struct LoadSimulation {
    public struct Outcome: Sendable, Hashable {
        public var lost = 0
        public var doubled = 0
        /// It did not end within its time.
        public var isStuck = false
        /// What ended it, when that was no success.
        public var error: String?

        public var isGood: Bool { lost == 0 && doubled == 0 && !isStuck && error == nil }
    }

    /// A fault of the protocol, put in to see that it is found.
    public enum Mutant: String, Sendable, CaseIterable {
        /// Upserts go to the collection under its old name.
        case noFence
        /// Upserts begin while older requests may still be running.
        case noDrain
        /// A chunk's file goes when the chunk is acknowledged.
        case trustsAcknowledgements
        /// The flush is skipped and called done.
        case noFlush
        /// A request in doubt is sent again as it was.
        case insertsAgain
        /// What was acknowledged and not flushed stays so when the target is lost.
        case trustsRestart
        /// A run that takes over does not ask what the one before may have sent.
        case forgetsWhatWasSent
        /// A run that takes over trusts what the one before saw acknowledged.
        case trustsEarlierRun
        /// "May have been sent" is recorded after it was sent.
        case recordsLate
        /// A request in doubt counts as acknowledged.
        case optimist
        /// A doubtful upsert is not repeated.
        case trustsUpsert
        /// What the server refused is dropped.
        case dropsRefused
        /// The end does without a sweep.
        case noSweep
        /// A chunk is disowned, and the keys of its acknowledged rows stay.
        case keepsDisownedKeys
        /// What the target counts beside the acknowledged rows is left there.
        case noCount
        /// A chunk that waits for room says nothing.
        case waitsSilently

        /// Whether it changes anything for this kind of keys.
        public func applies(to keys: Keys) -> Bool {
            switch self {
            case .noSweep, .keepsDisownedKeys, .noCount: keys == .made
            case .trustsUpsert, .waitsSilently: keys != .made
            default: true
            }
        }
    }

    /// Who makes the primary keys of the target.
    public enum Keys: String, Sendable, CaseIterable {
        /// The source: case A of exactly-once.md.
        case kept
        /// We, in a collection in which an upsert would make others: what is settled is deleted and
        /// inserted. Rung B1.
        case minted
        /// The target: rung B2.
        case made
    }

    /// What keeps a late request out.
    public enum Fence: String, Sendable, CaseIterable {
        /// The next epoch's name, and a drain.
        case name
        /// Time alone: a target that cannot rename, rung B4.
        case time
    }

    /// Milliseconds of the simulated clock after which a run counts as stuck.
    /// Two requests have to come through for one that is settled with minted keys: on a network that
    /// lets hardly one pass it takes the square of the tries. Where time is the fence, each doubt is
    /// waited out ten times as long.
    private var longest: Int {
        (keys == .minted ? 48 : 4) * 3_600_000 * (fence == .time ? Self.quiet / Self.drain : 1)
    }
    static let deadline = 2_000
    static let drain = 3_000
    static let quiet = 10 * drain
    static let flushEvery = 5_000
    /// From the last flush to the count: index and load. What the network delivers twice has come by then.
    static let finalising = 2 * deadline
    static let longestDelay = 12_000

    /// What this seed is like.
    struct Weather {
        var chunks: Int
        var rowsPerChunk: Int
        var workers: Int
        var late = 0.0
        var dropped = 0.0
        var lostReply = 0.0
        var refused = 0.0
        var partial = 0.0
        var slow = 0.0
        /// Requests of more rows are too large.
        var mostRows = Int.max
        var clientCrashes = 0
        var serverCrashes = 0
        /// Requests that arrive twice, the second time behind our back. Where the keys are the source's that
        /// makes copies that no load can see.
        var twice = 0.0
        /// Chunks that the disk of the spool has room for: the load takes its spool for larger.
        var room = Int.max

        init(_ random: inout SeededRandom, _ keys: Keys) {
            chunks = Int.random(in: 3...25, using: &random)
            rowsPerChunk = Int.random(in: 1...6, using: &random)
            workers = Int.random(in: 1...6, using: &random)
            func rate(_ most: Double) -> Double {
                Bool.random(using: &random) ? Double.random(in: 0...most, using: &random) : 0
            }
            late = rate(0.25)
            dropped = rate(0.15)
            lostReply = rate(0.3)
            refused = rate(0.3)
            partial = rate(0.2)
            slow = rate(0.6)
            mostRows = Int.random(in: 0..<4, using: &random) == 0 ? 2 : .max
            clientCrashes = Bool.random(using: &random) ? Int.random(in: 1...6, using: &random) : 0
            serverCrashes = Bool.random(using: &random) ? Int.random(in: 1...5, using: &random) : 0
            if keys == .made { twice = rate(0.2) }
            if Bool.random(using: &random) { room = Int.random(in: 1...chunks, using: &random) }
        }
    }

    struct Request {
        var number: Int
        var part: LoadCoordinator.Part
        var mode: WriteMode
        var epoch: Int
        /// Which life of our process sent it.
        var process: Int
        /// The first of the two requests that settle minted keys.
        var isDelete = false
        /// Delivered once more by the network: its answer is nobody's.
        var isSecond = false
    }

    enum Happening {
        case chunkReady
        case arrives(Request)
        case applies(Request, serverLife: Int)
        case replies(Request, LoadCoordinator.WriteEnd, WrittenIDs?)
        /// A look of the sweep, and its deletes; so many were deleted by the looks before.
        case sweeps(process: Int, removed: Int, looksLeft: Int)
        case flushArrives(process: Int)
        case flushReplies(process: Int, StopoverError?)
        case flushTick(process: Int)
        case pauseEnds(process: Int)
        case fenced(process: Int)
        /// The target is counted: the load has ended.
        case counts(process: Int)
        case processDies
        case processStarts
        case serverDies
        case serverStarts
        /// What was held back has arrived by now.
        case ends(String?)
    }

    let mutant: Mutant?
    let keys: Keys
    let fence: Fence
    var random: SeededRandom
    let weather: Weather
    var timeline = Timeline<Happening>()
    var server = SimulatedServer()
    var ledger: SimulatedLedger
    var coordinator: LoadCoordinator?
    var open: Set<Int> = []
    var process = 0
    var nextChunk = 1
    /// A chunk is cut and there is no room for it.
    var awaitsRoom = false
    var nextRequest = 0
    var outcome: Outcome?
    /// Whether a count may send the load back to a sweep: once in each run.
    var maySweep = true
    /// The load has ended, and what is still under way goes on.
    var isOver = false
    /// What happened, a line each, where it was asked for.
    var trace: [String]?

    init(seed: UInt64, _ keys: Keys, _ fence: Fence, mutant: Mutant?, traces: Bool) {
        self.mutant = mutant
        self.keys = keys
        self.fence = fence
        random = SeededRandom(seed: seed)
        weather = Weather(&random, keys)
        ledger = SimulatedLedger(rowsPerChunk: weather.rowsPerChunk)
        trace = traces ? [] : nil
    }

    /// Runs one seed to its end.
    public static func run(
        seed: UInt64, _ keys: Keys, fence: Fence = .name, mutant: Mutant? = nil
    ) -> Outcome {
        var simulation = LoadSimulation(seed: seed, keys, fence, mutant: mutant, traces: false)
        return simulation.run()
    }

    /// The same, with what happened.
    public static func trace(
        seed: UInt64, _ keys: Keys, fence: Fence = .name, mutant: Mutant? = nil
    ) -> (Outcome, [String]) {
        var simulation = LoadSimulation(seed: seed, keys, fence, mutant: mutant, traces: true)
        let outcome = simulation.run()
        return (outcome, simulation.trace ?? [])
    }

    private mutating func run() -> Outcome {
        timeline.add(.processStarts, after: 0)
        timeline.add(.chunkReady, after: 1)
        let span = 20_000
        for _ in 0..<weather.clientCrashes {
            timeline.add(.processDies, after: Int.random(in: 0..<span, using: &random))
        }
        for _ in 0..<weather.serverCrashes {
            timeline.add(.serverDies, after: Int.random(in: 0..<span, using: &random))
        }
        while outcome == nil, let happening = timeline.next() {
            if timeline.now > longest { break }
            if trace != nil { trace?.append("\(timeline.now) \(happening)") }
            happen(happening)
        }
        return outcome ?? Outcome(isStuck: true)
    }

    mutating func chance(_ rate: Double) -> Bool {
        rate > 0 && Double.random(in: 0..<1, using: &random) < rate
    }

    mutating func delay(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// It passes by itself.
    static let trouble = {
        var error = StopoverError(
            .init("STO-SIMULATED", exit: .failed), "simulated", remedy: "none")
        error.isTransient = true
        return error
    }()

    func chunk(_ id: ChunkID) -> LoadCoordinator.Chunk {
        LoadCoordinator.Chunk(id: id, rowCount: weather.rowsPerChunk, fileBytes: 100)
    }

    func rows(of part: LoadCoordinator.Part) -> Range<Int> {
        let first = Int(part.chunk.number - 1) * weather.rowsPerChunk
        return first + part.rows.lowerBound..<first + part.rows.upperBound
    }
}

/// Happenings in the order of their time; those of one moment in the order in which they were added.
struct Timeline<Item> {
    private struct Entry {
        var time: Int
        var order: Int
        /// Where its item is kept: items are large, and a heap moves what it holds.
        var slot: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.time == right.time ? left.order < right.order : left.time < right.time
        }
    }

    private(set) var now = 0
    private var heap: [Entry] = []
    private var items: [Item?] = []
    private var freeSlots: [Int] = []
    private var added = 0

    mutating func add(_ item: Item, after delay: Int) {
        let slot = freeSlots.popLast() ?? items.count
        if slot == items.count { items.append(item) } else { items[slot] = item }
        heap.append(Entry(time: now + delay, order: added, slot: slot))
        added += 1
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> Item? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
                if heap[child] < heap[least] { least = child }
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        now = first.time
        freeSlots.append(first.slot)
        return items[first.slot].take()
    }
}
