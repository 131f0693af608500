import MilvusProto
import StopoverCore
import SwiftProtobuf

/// Typed calls over a transport: serializes, authorizes, judges. One call is one request.
struct MilvusClient: Sendable {
    let address: String
    let transport: any MilvusTransport
    let authorization: Authorization

    /// - Parameter subject: the collection or database that it is about, for the error's sentence.
    /// - Throws: what ``StatusTable`` says of anything but success.
    func call<Request: Message & Sendable, Response: Message & StatusBearing>(
        _ method: MilvusMethod, _ request: Request, subject: String = ""
    ) async throws(StopoverError) -> Response {
        let bytes = try await exchange(method, encode(request), subject: subject)
        let response: Response
        do {
            response = try Response(serializedBytes: bytes)
        } catch {
            throw contractError(method, subject, "its reply is not a \(Response.protoMessageName)")
        }
        if let refusal = self.refusal(response.status, of: method, subject: subject) {
            throw refusal.error
        }
        return response
    }

    /// For calls that answer with a status and nothing else.
    func perform<Request: Message & Sendable>(
        _ method: MilvusMethod, _ request: Request, subject: String = ""
    ) async throws(StopoverError) {
        let _: MilvusStatus = try await call(method, request, subject: subject)
    }

    /// The reply's bytes, whatever status is in them.
    func exchange(
        _ method: MilvusMethod, _ request: any RequestBody, subject: String
    ) async throws(StopoverError) -> [UInt8] {
        switch await send(method, request, subject: subject) {
        case .success(let bytes): return bytes
        case .failure(let refusal): throw refusal.error
        }
    }

    func send(
        _ method: MilvusMethod, _ request: any RequestBody, subject: String
    ) async -> Result<[UInt8], Refusal> {
        let header: Authorization.Header
        do {
            header = try authorization.header()
        } catch {
            return .failure(Refusal(outcome: .rejected, error: error))
        }
        let answer = await transport.call(method, request, authorization: header.value)
        let failure: CallFailure
        switch answer {
        case .success(let bytes): return .success(bytes)
        case .failure(let reason): failure = reason
        }
        let verdict = StatusTable.judge(failure, method: method)
        return .failure(
            refusal(
                verdict, said: "\(failure.status): \(failure.message)", header: header,
                of: method, subject: subject))
    }

    func encode(_ request: some Message) throws(StopoverError) -> [UInt8] {
        do {
            return try request.serializedBytes()
        } catch {
            throw StopoverError(
                .requestTooLarge, "a request of more than 2 GiB cannot be sent",
                remedy: "This is a mistake in Stopover: please report it.")
        }
    }
}

/// A call that did not succeed: for the one who decides, and for the one who reads.
struct Refusal: Error, Sendable {
    var outcome: Verdict.Outcome
    var error: StopoverError
}

extension MilvusClient {
    /// nil when the status is success.
    func refusal(_ status: MilvusStatus, of method: MilvusMethod, subject: String) -> Refusal? {
        refusal(
            code: status.code, errorCode: status.errorCode, reason: status.reason, of: method,
            subject: subject)
    }

    func refusal(
        code: Int32, errorCode: Int32, reason: String, of method: MilvusMethod, subject: String
    ) -> Refusal? {
        let verdict = StatusTable.judge(
            code: code, errorCode: errorCode, reason: reason, method: method)
        guard verdict.outcome != .ok else { return nil }
        let number = code == 0 ? "error_code \(errorCode)" : "code \(code)"
        return refusal(
            verdict, said: "\(number): \(reason)", header: nil, of: method, subject: subject)
    }

    private func refusal(
        _ verdict: Verdict, said: String, header: Authorization.Header?, of method: MilvusMethod,
        subject: String
    ) -> Refusal {
        let code = verdict.code ?? .requestRefused
        let about = subject.isEmpty ? method.rawValue : "\(method.rawValue) of \(subject)"
        var error = StopoverError(
            code, "\(address) \(ClusterErrorText.sentence(code)): \(about)",
            remedy: ClusterErrorText.remedy(code),
            cause: String(said.prefix(MilvusLimits.reasonLength)))
        error.isTransient = verdict.isTransient
        var outcome = verdict.outcome
        // The token may have been renewed meanwhile; the next call will carry the new one.
        if outcome == .unauthenticated, authorization.isRenewed(since: header) {
            outcome = .refused
            error.isTransient = true
        }
        return Refusal(outcome: outcome, error: error)
    }

    func contractError(
        _ method: MilvusMethod, _ subject: String, _ what: String
    ) -> StopoverError {
        StopoverError(
            .clusterContract,
            "\(address) answered \(method.rawValue) of \(subject) wrongly: \(what)",
            remedy: "Check that it is a Milvus server of a version that the README lists, and that "
                + "nothing between here and there changes messages.")
    }
}
