import Foundation

/// One part of the way of a row, to be measured.
struct Part {
    var name: String
    /// Of one turn.
    var bytes: Int
    /// Of one turn; 0 where rows do not tell.
    var rows: Int
    var turn: () async throws -> Void

    /// Turns for about so long, and copies of as many bytes for a quarter of it.
    func sample(_ seconds: Double) async throws -> Sample {
        let part = try await Part.cost(seconds) { try await turn() }
        let copies = CopiedBytes(min(bytes, CopiedBytes.most))
        let copy = await Part.cost(seconds / 4) { copies.copy() }
        let perByte = part / Double(bytes)
        return Sample(
            secondsPerGB: perByte * 1e9, ratio: perByte / (copy / Double(copies.count)),
            rowsPerSecond: Double(rows) / part)
    }

    /// Seconds of processor, of all threads, that one turn takes.
    private static func cost(
        _ seconds: Double, _ turn: () async throws -> Void
    ) async rethrows -> Double {
        try await turn()
        let begun = ContinuousClock.now
        let before = processor()
        var turns = 0
        repeat {
            try await turn()
            turns += 1
        } while ContinuousClock.now - begun < .seconds(seconds)
        return max(processor() - before, 1e-9) / Double(turns)
    }

    private static func processor() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

struct Sample {
    var secondsPerGB: Double
    /// To a plain copy of the same bytes, measured a moment later.
    var ratio: Double
    var rowsPerSecond: Double
}

/// The floor: memory to memory.
final class CopiedBytes {
    static let most = 8 << 20
    let count: Int
    private let from: UnsafeMutableRawBufferPointer
    private let into: UnsafeMutableRawBufferPointer

    init(_ count: Int) {
        self.count = max(count, 4096)
        from = .allocate(byteCount: self.count, alignment: 64)
        into = .allocate(byteCount: self.count, alignment: 64)
        from.initializeMemory(as: UInt8.self, repeating: 1)
        into.initializeMemory(as: UInt8.self, repeating: 2)
    }

    deinit {
        from.deallocate()
        into.deallocate()
    }

    func copy() { into.copyMemory(from: UnsafeRawBufferPointer(from)) }
}
