import Testing

@testable import StopoverCore

@Suite("How far reading may be ahead")
struct LeadTests {
    private func chunk(_ number: Int64) -> ChunkID { ChunkID(number) }

    @Test("is bounded while rows are taken, however long the target is about it")
    func bounded() {
        let lead = Lead(most: 100)
        #expect(lead.isShort())
        lead.spooled(chunk(1), bytes: 90)
        #expect(lead.isShort())
        lead.spooled(chunk(2), bytes: 60)
        #expect(!lead.isShort(at: .now + .seconds(60)), "it was not asked yet")
        lead.taken(chunk(1))
        #expect(lead.isShort())
        // What is written again has left before.
        lead.taken(chunk(1))
        lead.spooled(chunk(3), bytes: 40)
        #expect(lead.isShort())
        lead.spooled(chunk(4), bytes: 1)
        #expect(!lead.isShort(at: .now + .seconds(60)))
    }

    @Test("is the spool's limit alone while the target takes none")
    func held() {
        let lead = Lead(most: 100)
        let start = ContinuousClock.now
        lead.spooled(chunk(1), bytes: 1_000)
        lead.held(at: start)
        lead.held(at: start + .seconds(1))
        #expect(!lead.isShort(at: start + Lead.patience), "a hitch")
        #expect(lead.isShort(at: start + Lead.patience + .milliseconds(1)))
        lead.spooled(chunk(2), bytes: 1_000)
        lead.taken(chunk(1))
        #expect(!lead.isShort(at: start + .seconds(60)), "it takes rows again")
    }

    @Test("does not count what waits in doubt for a fence")
    func left() {
        let lead = Lead(most: 100)
        lead.spooled(chunk(1), bytes: 60)
        lead.spooled(chunk(2), bytes: 60)
        #expect(!lead.isShort())
        lead.left([chunk(1)])
        #expect(lead.isShort())
    }

    @Test("ends its wait with a stop")
    func stop() async throws {
        let (lead, stop) = (Lead(most: 1), StopSignal())
        lead.spooled(chunk(1), bytes: 10)
        #expect(!lead.isShort())
        stop.request()
        try await lead.wait(stop)
    }
}
