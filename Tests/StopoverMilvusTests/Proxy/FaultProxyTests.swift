import StopoverCore
import StopoverMilvus
import StopoverTesting
import Testing

/// Each fault against Lite 3, seen by our client and beside it.
@Suite("A proxy before a real server", .serialized)
struct FaultProxyTests {
    @Test("passes every byte, and counts")
    func passes() async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            let outcome = try await stage.write(0..<2_000)
            #expect(outcome.isAcknowledged, "\(outcome)")
            #expect(try await stage.rowCount() == 2_000)
            let counts = stage.proxy.counts
            #expect(counts.connections == 1 && counts.bytes > 2_000 * 1_024)
            #expect(counts.total == 0)
        }
    }

    @Test("drops an answer: the write is in doubt, and the rows are there")
    func dropAnswer() async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            stage.proxy.inflict(.dropAnswer, onRequestOf: ProxiedServer.writeBytes)
            // A call that is no write passes by.
            #expect(try await stage.cluster.identity().kind == .lite)
            #expect(stage.proxy.counts.total == 0)
            let outcome = try await stage.write(0..<500)
            #expect(outcome.isInDoubt, "\(outcome)")
            #expect(try await stage.rowCount() == 500)
            #expect(stage.proxy.counts.faults == [.dropAnswer: 1])
        }
    }

    @Test("holds a request: the write is in doubt, and its rows come later")
    func hold() async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            stage.proxy.inflict(.hold(for: .seconds(1)), onRequestOf: ProxiedServer.writeBytes)
            let outcome = try await stage.write(0..<500)
            #expect(outcome.isInDoubt, "\(outcome)")
            #expect(try await stage.rowCount() == 0)
            #expect(try await stage.rowCount(reaches: 500) == 500)
            try await stage.until { stage.proxy.counts.lateAnswers == 1 }
            #expect(stage.proxy.counts.lateAnswers == 1)
        }
    }

    @Test("holds a request past a rename, which fences it off")
    func holdPastRename() async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            stage.proxy.inflict(
                .hold(for: .milliseconds(700)), onRequestOf: ProxiedServer.writeBytes)
            let outcome = try await stage.write(0..<500)
            #expect(outcome.isInDoubt, "\(outcome)")
            let renamed = CollectionName(collection: "renamed")
            try await stage.direct.rename(ProxiedServer.name, to: renamed)
            try await stage.until { stage.proxy.counts.lateAnswers == 1 }
            #expect(stage.proxy.counts.lateAnswers == 1)
            try await stage.direct.loadWhole(renamed)
            let rows = RowSelection(collection: renamed, primaryKey: ProxiedServer.key)
            #expect(try await stage.direct.count(rows) == 0)
        }
    }

    @Test("delivers twice: rows whose keys the server makes are there twice")
    func deliverTwice() async throws {
        // A busy machine may take two seconds over so many rows, twice.
        try await ProxiedServer.with(isAutoID: true, writeTimeout: .seconds(20)) {
            (stage) async throws -> Void in
            let first = try await stage.write(0..<10, isAutoID: true)
            #expect(first.isAcknowledged, "\(first)")
            stage.proxy.inflict(
                .deliverTwice(after: .milliseconds(100)), onRequestOf: ProxiedServer.writeBytes)
            // More than the windows that a server gives at the start of a connection.
            let outcome = try await stage.write(0..<4_000, isAutoID: true)
            #expect(outcome.isAcknowledged, "\(outcome)")
            #expect(try await stage.rowCount(reaches: 8_020) == 8_020)
            try await stage.until { stage.proxy.counts.secondAnswers == 2 }
            #expect(stage.proxy.counts.secondAnswers == 2)
        }
    }

    @Test("resets in the middle of a request: in doubt, not there, and the next one passes")
    func reset() async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            stage.proxy.inflict(.reset, onRequestOf: ProxiedServer.writeBytes)
            let outcome = try await stage.write(0..<4_000)
            #expect(outcome.isInDoubt, "\(outcome)")
            #expect(try await stage.rowCount() == 0)
            try await stage.until { try await stage.write(0..<500).isAcknowledged }
            #expect(try await stage.rowCount() == 500)
            #expect(stage.proxy.counts.faults == [.reset: 1])
        }
    }

    @Test("cuts after so many bytes", arguments: Fault.Direction.allCases)
    func cut(_ direction: Fault.Direction) async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            stage.proxy.inflict(.cut(afterBytes: 20, direction), onRequestOf: 1_000)
            let outcome = try await stage.write(0..<500)
            #expect(outcome.isInDoubt, "\(outcome)")
            // Of a request 20 bytes more are not the whole; the answer is cut behind it, or before.
            let count = try await stage.rowCount()
            #expect(count == 0 || (direction == .answers && count == 500), "\(count)")
        }
    }

    @Test("falls silent: the deadline ends the write, and a reset the silence")
    func halfOpen() async throws {
        try await ProxiedServer.with(writeTimeout: .milliseconds(300)) {
            (stage) async throws -> Void in
            stage.proxy.inflict(
                .halfOpen(for: .seconds(1)), onRequestOf: ProxiedServer.writeBytes)
            let start = ContinuousClock.now
            let outcome = try await stage.write(0..<500)
            #expect(outcome.isInDoubt, "\(outcome)")
            #expect(.now - start >= .milliseconds(300))
            try await stage.until { try await stage.write(0..<500).isAcknowledged }
            #expect(.now - start >= .seconds(1))
        }
    }

    @Test("stalls: the request comes late, its cancellation behind it")
    func stall() async throws {
        try await ProxiedServer.with { (stage) async throws -> Void in
            stage.proxy.inflict(
                .stall(for: .milliseconds(800)), onRequestOf: ProxiedServer.writeBytes)
            let start = ContinuousClock.now
            let outcome = try await stage.write(0..<500)
            #expect(outcome.isAcknowledged, "\(outcome)")
            #expect(.now - start >= .milliseconds(800))
            #expect(try await stage.rowCount() == 500)
        }
    }

    @Test("throttles to so many bytes a second")
    func throttle() async throws {
        try await ProxiedServer.with(writeTimeout: .seconds(20)) { (stage) async throws -> Void in
            stage.proxy.inflict(
                .throttle(bytesPerSecond: 500_000, for: .seconds(20)), onRequestOf: 1_000)
            let start = ContinuousClock.now
            let outcome = try await stage.write(0..<1_000)
            #expect(outcome.isAcknowledged, "\(outcome)")
            // A megabyte, of which the first buffers are on their way before the throttle.
            #expect(.now - start >= .seconds(1))
        }
    }

    @Test("refuses connections for a while: nothing was sent, then all is well")
    func refuse() async throws {
        try await ProxiedServer.with(writeTimeout: .milliseconds(500)) {
            (stage) async throws -> Void in
            #expect(try await stage.write(0..<10).isAcknowledged)
            let start = ContinuousClock.now
            stage.proxy.inflict(.refuse(for: .seconds(2)))
            try await stage.until { stage.proxy.counts.faults[.refuse] == 1 }
            try await Task.sleep(for: .milliseconds(100))
            // Our client lets a call wait for a connection that is being made, or says that there is
            // none; what was never sent is never in doubt.
            try await stage.until {
                let outcome = try await stage.write(10..<500)
                #expect(!outcome.isInDoubt, "\(outcome)")
                return outcome.isAcknowledged
            }
            #expect(.now - start >= .seconds(2))
            #expect(try await stage.rowCount() == 500)
        }
    }
}
