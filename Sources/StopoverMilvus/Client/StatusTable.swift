import StopoverCore

/// What a failed call means for the one who made it.
public struct Verdict: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        case ok
        /// Surely not applied; passes by itself or when an administrator acts: wait, send again.
        case refused
        /// Surely not applied, and another try would end alike: a person must act.
        case rejected
        /// Surely not applied: over a size limit.
        case tooLarge
        /// The collection does not exist: dropped, or fenced by a rename.
        case missing
        /// It may have been applied. For a call that changes nothing: try again.
        case inDoubt
        case unimplemented
        case unauthenticated
    }

    public var outcome: Outcome
    /// What to call it; nil only with ``Outcome/ok``.
    public var code: StopoverError.Code?

    init(_ outcome: Outcome, _ code: StopoverError.Code?) {
        self.outcome = outcome
        self.code = code
    }

    static let ok = Verdict(.ok, nil)
    static func refused(_ code: StopoverError.Code) -> Verdict { Verdict(.refused, code) }
    static func rejected(_ code: StopoverError.Code) -> Verdict { Verdict(.rejected, code) }
    static let missing = Verdict(.missing, .collectionMissing)
    static let inDoubt = Verdict(.inDoubt, .clusterNoAnswer)
    static let unimplemented = Verdict(.unimplemented, .clusterUnimplemented)
    static let unauthenticated = Verdict(.unauthenticated, .clusterUnauthenticated)
    static func tooLarge(_ method: MilvusMethod) -> Verdict {
        Verdict(.tooLarge, method == .query ? .pageTooLarge : .requestTooLarge)
    }

    /// Whether to wait and try again, for what may be repeated.
    public var isTransient: Bool { outcome == .refused || outcome == .inDoubt }
}

/// The one place that knows what gRPC's and Milvus's codes mean (milvus-protocol.md, section 3).
///
/// Milvus has two code spaces: `error_code` of before 2.3 and `code` since; servers fill one or
/// both. `retriable` is ignored: 2.3.5 says false for everything, rate limits included. What no
/// row knows is in doubt, which costs a question and never a row.
public enum StatusTable {
    // MARK: No reply

    public static func judge(_ failure: CallFailure, method: MilvusMethod) -> Verdict {
        switch failure.status {
        case .unauthenticated: return .unauthenticated
        case .permissionDenied: return .rejected(.clusterPermission)
        case .unimplemented: return .unimplemented
        case .resourceExhausted:
            return saysRateLimit(failure.message)
                ? .refused(.clusterRateLimited) : .tooLarge(method)
        case .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .outOfRange:
            return .rejected(.requestRefused)
        case .cancelled, .deadlineExceeded, .unavailable, .unknown, .aborted, .internal, .dataLoss:
            return failure.wasSent ? .inDoubt : .refused(.clusterUnreachable)
        }
    }

    // MARK: A reply with a status

    public static func judge(
        code: Int32, errorCode: Int32, reason: String, method: MilvusMethod
    ) -> Verdict {
        if code == 0, errorCode == 0 { return .ok }
        if let verdict = byText(code: code, reason: reason, method: method) { return verdict }
        if let verdict = byLegacyLimit[errorCode] { return verdict }
        switch code {
        case 0: return byLegacyCode[errorCode] ?? .inDoubt
        case 1: return codeOne(errorCode: errorCode, method: method)
        case 1102: return .tooLarge(method)
        default: return byCode[code] ?? .inDoubt
        }
    }

    /// Go servers say 1 for "not ready", with an `error_code` of its own. Lite 3.2.2 says it for
    /// every exception: with `error_code` 1 for a refusal of its engine, with 0 for anything else.
    private static func codeOne(errorCode: Int32, method: MilvusMethod) -> Verdict {
        switch errorCode {
        case 0: .inDoubt
        case 1: method.writesRows ? .inDoubt : .rejected(.requestRefused)
        default: .refused(.clusterBusy)
        }
    }

    private static let byCode: [Int32: Verdict] = [
        2: .refused(.clusterBusy),
        3: .refused(.clusterMemoryQuota),
        4: .refused(.clusterBusy),
        6: .rejected(.requestRefused),  // Lite 3.2.2: illegal argument
        7: .refused(.clusterDiskQuota),
        8: .refused(.clusterRateLimited),
        9: .refused(.clusterWritesDenied),
        10: .unimplemented,
        11: .refused(.clusterBusy),
        12: .refused(.clusterBusy),
        26: .rejected(.requestRefused),  // Lite 3.2.2: the index cannot be built
        35: .rejected(.indexExists),  // Lite 3.2.2
        100: .missing,
        101: .rejected(.collectionNotLoaded),
        102: .rejected(.requestRefused),  // too many collections
        103: .refused(.clusterBusy),  // not fully loaded
        104: .rejected(.requestRefused),
        105: .rejected(.requestRefused),
        106: .refused(.clusterBusy),  // recovering
        107: .rejected(.requestRefused),
        200: .rejected(.partitionMissing),
        201: .rejected(.collectionNotLoaded),
        202: .refused(.clusterBusy),  // partition not fully loaded
        250: .rejected(.requestRefused),  // general capacity exceeded
        700: .rejected(.indexMissing),
        701: .rejected(.requestRefused),
        702: .rejected(.indexExists),
        800: .rejected(.databaseMissing),
        801: .rejected(.requestRefused),
        802: .rejected(.requestRefused),
        1100: .rejected(.requestRefused),
        1101: .rejected(.requestRefused),
        1400: .unauthenticated,
        1401: .rejected(.clusterPermission),
        1600: .rejected(.requestRefused),
        1601: .rejected(.requestRefused),
        1602: .rejected(.requestRefused),
        1700: .rejected(.requestRefused),
        1701: .rejected(.requestRefused),
        1804: .rejected(.requestRefused),  // insert data that do not fit the schema
        1806: .rejected(.requestRefused),
        1807: .refused(.clusterRateLimited),
        2001: .rejected(.requestRefused),
        3000: .rejected(.requestRefused),
        // "Unexpected": what Go servers say of a bad parameter for which they have no code.
        65535: .rejected(.requestRefused),
    ]

    /// Limits that 2.3 names by `error_code` whatever it writes into `code`.
    private static let byLegacyLimit: [Int32: Verdict] = [
        48: .refused(.clusterWritesDenied),
        49: .refused(.clusterRateLimited),
        52: .refused(.clusterMemoryQuota),
        53: .refused(.clusterMemoryQuota),
        54: .refused(.clusterDiskQuota),
        55: .refused(.clusterBusy),
    ]

    /// For servers that leave `code` at 0.
    private static let byLegacyCode: [Int32: Verdict] = [
        1: .rejected(.requestRefused),
        3: .rejected(.clusterPermission),
        4: .missing,
        5: .rejected(.requestRefused),
        6: .rejected(.requestRefused),
        7: .rejected(.requestRefused),
        8: .rejected(.requestRefused),
        9: .rejected(.requestRefused),
        10: .rejected(.requestRefused),
        11: .rejected(.requestRefused),
        12: .rejected(.requestRefused),
        22: .rejected(.requestRefused),
        23: .rejected(.requestRefused),
        24: .refused(.clusterMemoryQuota),
        25: .rejected(.indexMissing),
        28: .missing,
        51: .rejected(.requestRefused),
        100: .refused(.clusterBusy),  // data coordinator not available
        1000: .refused(.clusterBusy),  // two schema changes at once
    ]

    // MARK: Where only the text tells

    private struct TextRow: Sendable {
        var codes: Set<Int32>
        /// All of these occur in it.
        var words: [String]
        var verdict: @Sendable (MilvusMethod) -> Verdict
    }

    private static let unspecific: Set<Int32> = [0, 1, 65535]

    private static let texts: [TextRow] = [
        // 2.3.5: a deadline that passed inside; seen with all 400 rows of the request applied.
        TextRow(codes: unspecific, words: ["TaskCondition context Done"]) { _ in .inDoubt },
        TextRow(codes: unspecific, words: ["context deadline exceeded"]) { _ in .inDoubt },
        TextRow(codes: unspecific, words: ["context canceled"]) { _ in .inDoubt },
        TextRow(codes: unspecific, words: ["DeadlineExceeded"]) { _ in .inDoubt },
        // 2.3 to 2.5: 100 MB of a query reply, counted before it is sent.
        TextRow(codes: unspecific, words: ["exceed the maxOutputSize Limit"]) { .tooLarge($0) },
        TextRow(codes: unspecific, words: ["exceed the limit size"]) { .tooLarge($0) },
        TextRow(codes: unspecific, words: ["larger than max ("]) { .tooLarge($0) },
        // Go servers in their first seconds, where `error_code` does not tell.
        TextRow(codes: unspecific, words: ["service not ready"]) { _ in .refused(.clusterBusy) },
        // 2.3.5 has no codes for these two.
        TextRow(codes: [65535], words: ["at most one distinct index is allowed"]) { _ in
            .rejected(.indexExists)
        },
        TextRow(codes: [65535], words: ["partition name", "not found"]) { _ in
            .rejected(.partitionMissing)
        },
        // Lite 3.2.2: ShowCollections says 1, everything else 6.
        TextRow(codes: [1, 6], words: ["database '", "does not exist"]) { _ in
            .rejected(.databaseMissing)
        },
    ]

    private static func byText(code: Int32, reason: String, method: MilvusMethod) -> Verdict? {
        texts.first { row in
            row.codes.contains(code) && row.words.allSatisfy { reason.contains($0) }
        }?.verdict(method)
    }

    /// RESOURCE_EXHAUSTED is a message over a size limit on every Milvus server that was seen;
    /// proxies in front of one (Zilliz Cloud, gateways) use it for their rate limits too.
    private static func saysRateLimit(_ message: String) -> Bool {
        let text = message.lowercased()
        return text.contains("rate limit") || text.contains("too many requests")
            || text.contains("quota")
    }
}
