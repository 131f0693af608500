import MilvusProto
import StopoverCore

extension MilvusCluster: Source {
    public func page(_ request: PageRequest) async throws(StopoverError) -> Page {
        let subject = request.rows.collection.description
        let bytes = try await client.exchange(
            .query, client.encode(PageQuery.message(request)), subject: subject)
        let reply = try QueryReply.walk(bytes[...], asked: request.fields)
        if let refusal = client.refusal(
            code: reply.status.code, errorCode: reply.status.errorCode,
            reason: reply.status.reason, of: .query, subject: subject)
        {
            throw refusal.error
        }
        guard let page = reply.page else {
            throw client.contractError(.query, subject, "it has no rows and no status")
        }
        return page
    }
}

extension MilvusCluster: Target {
    public var codec: any ColumnCodec { FieldDataCodec() }

    /// One request. What it reports of an answer that breaks the contract is *in doubt*: rows may
    /// have been written, and no later step may believe which.
    public func write(
        _ batch: Batch, to destination: InsertDestination, mode: WriteMode
    ) async -> WriteOutcome {
        let method: MilvusMethod = mode == .insert ? .insert : .upsert
        let subject = destination.collection.description
        switch await client.send(method, InsertFrame(batch, to: destination), subject: subject) {
        case .failure(let refusal): return refusal.writeOutcome
        case .success(let bytes):
            let reply: MutationReply
            do { reply = try MutationReply.walk(bytes[...]) } catch { return .inDoubt(error) }
            if let refusal = client.refusal(
                code: reply.status.code, errorCode: reply.status.errorCode,
                reason: reply.status.reason, of: method, subject: subject)
            {
                return refusal.writeOutcome
            }
            return outcome(reply, of: method, rowCount: batch.rowCount, subject)
        }
    }

    public func keys(
        of rows: RowSelection, limit: Int
    ) async throws(StopoverError) -> [PrimaryKey] {
        let request = try PageQuery.message(
            PageRequest(keysOf: rows, rowLimit: limit))
        let reply: MilvusQueryResults = try await client.call(
            .query, request, subject: rows.collection.description)
        guard let column = reply.fieldsData.first(where: { $0.fieldName == rows.primaryKey.name })
        else { return [] }
        return switch rows.primaryKey.type {
        case .varchar: column.scalars.stringData.data.map { .varchar($0) }
        default: column.scalars.longData.data.map { .int64($0) }
        }
    }

    public func delete(
        _ keys: [PrimaryKey], of primaryKey: FieldSchema, from name: CollectionName
    ) async throws(StopoverError) {
        let expression = try KeyExpression(primaryKey).text(anyOf: keys)
        let request = MilvusDeleteRequest.with {
            $0.dbName = name.database
            $0.collectionName = name.collection
            $0.expr = expression
        }
        let _: MilvusMutationResult = try await client.call(
            .delete, request, subject: name.description)
    }

    private func outcome(
        _ reply: MutationReply, of method: MilvusMethod, rowCount: Int, _ subject: String
    ) -> WriteOutcome {
        // Servers differ in which of the two an Upsert fills in.
        let written =
            method == .upsert ? max(reply.upsertCount, reply.insertCount) : reply.insertCount
        guard let ids = reply.ids, ids.count == rowCount, written == Int64(rowCount),
            reply.failedRows == 0
        else {
            return .inDoubt(
                client.contractError(
                    method, subject,
                    "of \(rowCount) rows it counts \(written) as written and "
                        + "\(reply.failedRows) as not, and names \(reply.ids?.count ?? 0) keys"))
        }
        return .acknowledged(ids: ids)
    }
}

extension Refusal {
    var writeOutcome: WriteOutcome {
        switch outcome {
        case .ok, .inDoubt: .inDoubt(error)
        case .refused: error.code == .clusterUnreachable ? .unreached(error) : .refused(error)
        case .rejected, .unimplemented, .unauthenticated: .rejected(error)
        case .tooLarge: .tooLarge(error)
        case .missing: .fenced(error)
        }
    }
}
