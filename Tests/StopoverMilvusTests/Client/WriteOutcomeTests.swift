import MilvusProto
import StopoverCore
import StopoverMilvus
import Testing

@Suite("A write")
struct WriteOutcomeTests {
    static let destination = InsertDestination(
        collection: CollectionName(database: "d", collection: "c"), partition: "p")
    let batch = Batch(rowCount: 2, columns: [])

    private func write(_ reply: ScriptedTransport.Reply, _ mode: WriteMode = .insert) async
        -> WriteOutcome
    {
        let transport = ScriptedTransport([.insert: [reply], .upsert: [reply]])
        let outcome = await MilvusCluster.scripted(transport).write(
            batch, to: Self.destination, mode: mode)
        #expect(transport.methods == [mode == .insert ? .insert : .upsert])
        return outcome
    }

    private func acknowledgement(
        ids: [Int64], inserted: Int64 = 0, upserted: Int64 = 0, failed: [UInt32] = []
    ) throws -> ScriptedTransport.Reply {
        try .message(
            MilvusMutationResult.with {
                $0.ids.intID.data = ids
                $0.insertCnt = inserted
                $0.upsertCnt = upserted
                $0.errIndex = failed
            })
    }

    @Test("is acknowledged when the answer accounts for every row")
    func acknowledged() async throws {
        let insert = await write(try acknowledgement(ids: [1, 2], inserted: 2))
        guard case .acknowledged(.int64([1, 2])) = insert else {
            Issue.record("\(insert)")
            return
        }
        let upsert = await write(try acknowledgement(ids: [1, 2], upserted: 2), .upsert)
        guard case .acknowledged = upsert else {
            Issue.record("\(upsert)")
            return
        }
    }

    @Test("is in doubt when the answer accounts for fewer rows, or for none")
    func shortAcknowledgements() async throws {
        let replies = [
            try acknowledgement(ids: [1, 2], inserted: 1),
            try acknowledgement(ids: [1], inserted: 2),
            try acknowledgement(ids: [1, 2], inserted: 2, failed: [1]),
            try acknowledgement(ids: [1, 2, 3], inserted: 3), .bytes([]),
        ]
        for reply in replies {
            let outcome = await write(reply)
            guard case .inDoubt(let error) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(error.code == .clusterContract)
        }
    }

    @Test("is in doubt when the answer cannot be read")
    func damaged() async {
        let outcome = await write(.bytes([0xFF]))
        guard case .inDoubt = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("ends as the status table says")
    func refusals() async throws {
        if case .refused(let error) = await write(try .status(code: 8)) {
            #expect(error.isTransient)
        } else {
            Issue.record("a rate limit is not a refusal")
        }
        guard case .fenced = await write(try .status(code: 100)) else {
            Issue.record("a missing collection is not a fence")
            return
        }
        guard case .rejected = await write(try .status(code: 1100)) else {
            Issue.record("a bad parameter is not a rejection")
            return
        }
        let large = CallFailure(
            .resourceExhausted, "received message larger than max", wasSent: true)
        guard case .tooLarge = await write(.failure(large)) else {
            Issue.record("RESOURCE_EXHAUSTED is not too large")
            return
        }
    }

    @Test("that was lost is in doubt when it began to leave, and unreached when it did not")
    func lost() async throws {
        guard
            case .inDoubt = await write(
                .failure(CallFailure(.unavailable, "reset", wasSent: true)))
        else {
            Issue.record("sent and lost is not in doubt")
            return
        }
        guard
            case .unreached(let error) = await write(
                .failure(CallFailure(.unavailable, "refused", wasSent: false)))
        else {
            Issue.record("never sent is not unreached")
            return
        }
        #expect(error.code == .clusterUnreachable)
    }
}
