import StopoverCore
import Testing

@testable import StopoverMilvus

@Suite("The status table")
struct StatusTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var code: Int32
        var errorCode: Int32
        var reason = ""
        var method = MilvusMethod.insert
        var outcome: Verdict.Outcome
        var name: StopoverError.Code?
        var testDescription: String { "\(code)/\(errorCode) \(reason) on \(method)" }
    }

    static let rows: [Row] = [
        Row(code: 0, errorCode: 0, outcome: .ok),
        // Wait and send again.
        Row(code: 8, errorCode: 49, outcome: .refused, name: .clusterRateLimited),
        Row(code: 8, errorCode: 1, outcome: .refused, name: .clusterRateLimited),
        Row(code: 0, errorCode: 49, outcome: .refused, name: .clusterRateLimited),
        Row(code: 9, errorCode: 1, outcome: .refused, name: .clusterWritesDenied),
        Row(code: 0, errorCode: 48, outcome: .refused, name: .clusterWritesDenied),
        Row(code: 65535, errorCode: 53, outcome: .refused, name: .clusterMemoryQuota),
        Row(code: 65535, errorCode: 54, outcome: .refused, name: .clusterDiskQuota),
        Row(code: 3, errorCode: 1, outcome: .refused, name: .clusterMemoryQuota),
        Row(code: 7, errorCode: 1, outcome: .refused, name: .clusterDiskQuota),
        Row(code: 1, errorCode: 56, outcome: .refused, name: .clusterBusy),
        Row(
            code: 1, errorCode: 1, reason: "service not ready[proxy]", outcome: .refused,
            name: .clusterBusy),
        Row(code: 2, errorCode: 1, outcome: .refused, name: .clusterBusy),
        Row(code: 4, errorCode: 1, outcome: .refused, name: .clusterBusy),
        Row(code: 12, errorCode: 1, outcome: .refused, name: .clusterBusy),
        Row(code: 103, errorCode: 1, outcome: .refused, name: .clusterBusy),
        Row(code: 106, errorCode: 1, outcome: .refused, name: .clusterBusy),
        Row(code: 202, errorCode: 1, outcome: .refused, name: .clusterBusy),
        Row(code: 1807, errorCode: 1, outcome: .refused, name: .clusterRateLimited),
        // A person must act.
        Row(code: 100, errorCode: 4, outcome: .missing, name: .collectionMissing),
        Row(code: 100, errorCode: 1, outcome: .missing, name: .collectionMissing),
        Row(code: 0, errorCode: 4, outcome: .missing, name: .collectionMissing),
        Row(code: 101, errorCode: 1, outcome: .rejected, name: .collectionNotLoaded),
        Row(code: 700, errorCode: 25, outcome: .rejected, name: .indexMissing),
        Row(code: 700, errorCode: 11, outcome: .rejected, name: .indexMissing),
        Row(code: 0, errorCode: 25, outcome: .rejected, name: .indexMissing),
        Row(code: 35, errorCode: 35, outcome: .rejected, name: .indexExists),
        Row(
            code: 65535, errorCode: 1,
            reason: "CreateIndex failed: at most one distinct index is allowed per field",
            method: .createIndex, outcome: .rejected, name: .indexExists),
        Row(code: 800, errorCode: 1, outcome: .rejected, name: .databaseMissing),
        Row(
            code: 6, errorCode: 6, reason: "database 'nodb' does not exist", outcome: .rejected,
            name: .databaseMissing),
        Row(
            code: 1, errorCode: 0, reason: "database 'nodb' does not exist",
            method: .showCollections,
            outcome: .rejected, name: .databaseMissing),
        Row(
            code: 6, errorCode: 6, reason: "database 'default' already exists", outcome: .rejected,
            name: .requestRefused),
        Row(
            code: 65535, errorCode: 1, reason: "partition name nop not found", outcome: .rejected,
            name: .partitionMissing),
        Row(code: 200, errorCode: 200, outcome: .rejected, name: .partitionMissing),
        Row(code: 1100, errorCode: 5, outcome: .rejected, name: .requestRefused),
        Row(
            code: 65535, errorCode: 1, reason: "field nofield not exist", outcome: .rejected,
            name: .requestRefused),
        Row(
            code: 6, errorCode: 6, reason: "FieldData 'pk' has 2 rows", outcome: .rejected,
            name: .requestRefused),
        Row(code: 1401, errorCode: 3, outcome: .rejected, name: .clusterPermission),
        Row(code: 0, errorCode: 3, outcome: .rejected, name: .clusterPermission),
        Row(code: 1400, errorCode: 1, outcome: .unauthenticated, name: .clusterUnauthenticated),
        Row(code: 10, errorCode: 1, outcome: .unimplemented, name: .clusterUnimplemented),
        // Too large.
        Row(
            code: 65535, errorCode: 1,
            reason: "query results exceed the maxOutputSize Limit 104857600",
            method: .query, outcome: .tooLarge, name: .pageTooLarge),
        Row(
            code: 65535, errorCode: 1, reason: "query results exceed the limit size",
            method: .query,
            outcome: .tooLarge, name: .pageTooLarge),
        Row(
            code: 65535, errorCode: 1, reason: "trying to send message larger than max (70 vs. 60)",
            method: .query, outcome: .tooLarge, name: .pageTooLarge),
        Row(code: 1102, errorCode: 5, outcome: .tooLarge, name: .requestTooLarge),
        // In doubt.
        Row(
            code: 65535, errorCode: 1, reason: "proxy TaskCondition context Done",
            outcome: .inDoubt, name: .clusterNoAnswer),
        Row(
            code: 1, errorCode: 1, reason: "context deadline exceeded", outcome: .inDoubt,
            name: .clusterNoAnswer),
        Row(
            code: 0, errorCode: 1, reason: "context canceled", outcome: .inDoubt,
            name: .clusterNoAnswer),
        Row(code: 10001, errorCode: 1, outcome: .inDoubt, name: .clusterNoAnswer),
        Row(code: 5, errorCode: 1, outcome: .inDoubt, name: .clusterNoAnswer),
        Row(code: 1302, errorCode: 1, outcome: .inDoubt, name: .clusterNoAnswer),
        Row(code: 4242, errorCode: 1, outcome: .inDoubt, name: .clusterNoAnswer),
        Row(code: 1, errorCode: 1, reason: "'_default'", outcome: .inDoubt, name: .clusterNoAnswer),
        Row(
            code: 1, errorCode: 1, reason: "collection 'pi' already exists",
            method: .createCollection,
            outcome: .rejected, name: .requestRefused),
        Row(
            code: 1, errorCode: 0, reason: "No space left on device", outcome: .inDoubt,
            name: .clusterNoAnswer),
    ]

    @Test("says of each status what it means", arguments: rows)
    func statuses(_ row: Row) {
        let verdict = StatusTable.judge(
            code: row.code, errorCode: row.errorCode, reason: row.reason, method: row.method)
        #expect(verdict.outcome == row.outcome)
        #expect(verdict.code == row.name)
    }

    @Test(
        "holds a call without a reply in doubt exactly when it began to leave",
        arguments: [
            CallFailure.Status.cancelled, .deadlineExceeded, .unavailable, .unknown, .aborted,
            .internal,
            .dataLoss,
        ])
    func lostCalls(_ status: CallFailure.Status) {
        let sent = StatusTable.judge(CallFailure(status, "gone", wasSent: true), method: .insert)
        #expect(sent.outcome == .inDoubt)
        let unsent = StatusTable.judge(CallFailure(status, "gone", wasSent: false), method: .insert)
        #expect(unsent == .refused(.clusterUnreachable))
    }

    @Test(
        "knows the gRPC refusals",
        arguments: [
            (CallFailure.Status.unauthenticated, "no", Verdict.unauthenticated),
            (.permissionDenied, "no", .rejected(.clusterPermission)),
            (.unimplemented, "no", .unimplemented),
            (.resourceExhausted, "grpc: received message larger than max", .tooLarge(.insert)),
            (.resourceExhausted, "rate limit exceeded", .refused(.clusterRateLimited)),
            (.invalidArgument, "no", .rejected(.requestRefused)),
            (.failedPrecondition, "no", .rejected(.requestRefused)),
        ])
    func refusals(_ status: CallFailure.Status, _ message: String, _ expected: Verdict) {
        let verdict = StatusTable.judge(
            CallFailure(status, message, wasSent: true), method: .insert)
        #expect(verdict == expected)
    }

    @Test("calls transient what passes by itself or can be asked again")
    func transience() {
        for outcome in [Verdict.Outcome.refused, .inDoubt] {
            #expect(Verdict(outcome, .clusterBusy).isTransient)
        }
        for outcome in [
            Verdict.Outcome.rejected, .tooLarge, .missing, .unimplemented, .unauthenticated,
        ] {
            #expect(!Verdict(outcome, .requestRefused).isTransient)
        }
    }
}
