import MilvusProto
import StopoverCore

extension MilvusCluster: Source {
    public func page(_ request: PageRequest) async throws(StopoverError) -> Page {
        let subject = request.rows.collection.description
        let question = try client.encode(try PageQuery.message(request))
        let reply = try await client.exchange(.query, question, subject: subject)
        switch try rows.page(in: reply, to: request) {
        case .content(let page): return page
        case .refused(let code, let errorCode, let reason):
            let refusal = client.refusal(
                code: code, errorCode: errorCode, reason: reason, of: .query, subject: subject)
            throw refusal?.error
                ?? client.contractError(.query, subject, "a refusal with the code of success")
        }
    }
}

extension MilvusCluster: Target {
    public var codec: any ColumnCodec { rows.codec }

    /// One request, sent once. An acknowledgement counts only when it accounts for every row;
    /// anything less leaves the write in doubt, never acknowledged.
    public func write(
        _ batch: Batch, to destination: InsertDestination, mode: WriteMode
    ) async -> WriteOutcome {
        let method: MilvusMethod = mode == .insert ? .insert : .upsert
        let subject = destination.collection.description
        let request = rows.insertRequest(batch, to: destination)
        let reply: [UInt8]
        switch await client.send(method, request, subject: subject) {
        case .success(let bytes): reply = bytes
        case .failure(let refusal): return refusal.writeOutcome
        }
        do {
            switch try rows.mutation(in: reply) {
            case .content(let answer):
                return outcome(answer, of: method, rowCount: batch.rowCount, subject)
            case .refused(let code, let errorCode, let reason):
                let refusal = client.refusal(
                    code: code, errorCode: errorCode, reason: reason, of: method, subject: subject)
                return refusal?.writeOutcome
                    ?? .inDoubt(
                        client.contractError(method, subject, "a refusal with the code of success"))
            }
        } catch {
            return .inDoubt(error)
        }
    }

    private func outcome(
        _ answer: MutationAnswer, of method: MilvusMethod, rowCount: Int, _ subject: String
    ) -> WriteOutcome {
        // Servers differ in which of the two an Upsert fills in.
        let written =
            method == .upsert
            ? max(answer.upsertedRows, answer.insertedRows) : answer.insertedRows
        guard let ids = answer.ids, ids.count == rowCount, written == Int64(rowCount),
            answer.failedRows == 0
        else {
            return .inDoubt(
                client.contractError(
                    method, subject,
                    "of \(rowCount) rows it counts \(written) as written and "
                        + "\(answer.failedRows) as not, and names \(answer.ids?.count ?? 0) keys"))
        }
        return .acknowledged(ids: ids)
    }
}

extension Refusal {
    var writeOutcome: WriteOutcome {
        switch outcome {
        case .refused: .refused(error)
        case .rejected, .unimplemented, .unauthenticated: .rejected(error)
        case .tooLarge: .tooLarge(error)
        case .missing: .fenced(error)
        case .inDoubt, .ok: .inDoubt(error)
        }
    }
}
