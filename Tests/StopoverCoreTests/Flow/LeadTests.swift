import Testing

@testable import StopoverCore

@Suite("How far reading may be ahead")
struct LeadTests {
    @Test("is bounded while rows are taken")
    func bounded() {
        let lead = Lead(most: 100)
        #expect(lead.isShort())
        lead.spooled(90)
        lead.loaded(10)
        #expect(lead.isShort())
        lead.spooled(60)
        #expect(!lead.isShort())
        lead.loaded(40)
        #expect(lead.isShort())
        // What is written again was counted before.
        lead.loaded(1_000)
        lead.spooled(100)
        #expect(lead.isShort())
        lead.spooled(1)
        #expect(!lead.isShort())
    }

    @Test("is the spool's limit alone while the target takes none")
    func down() {
        let lead = Lead(most: 100)
        lead.spooled(1_000)
        #expect(lead.isShort(), "it has not begun")
        lead.loaded(1)
        #expect(!lead.isShort())
        #expect(lead.isShort(at: .now + Lead.patience + .milliseconds(1)))
    }

    @Test("ends its wait with a stop")
    func stop() async throws {
        let (lead, stop) = (Lead(most: 1), StopSignal())
        lead.loaded(1)
        lead.spooled(10)
        #expect(!lead.isShort())
        stop.request()
        try await lead.wait(stop)
    }
}
