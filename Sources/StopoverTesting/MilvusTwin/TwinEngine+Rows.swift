import GRPCCore
import MilvusProto
import StopoverCore

extension TwinEngine {
    func write(
        _ request: [UInt8], replacing: Bool, onlyFirstShard: Bool = false
    ) throws -> [UInt8] {
        try rates.check(.writes)
        return try request.withUnsafeBytes { bytes in
            let message = try InsertMessage(bytes)
            let held = try catalog.withLock {
                try $0.collection(message.database, message.collection)
            }
            let partition = try partition(of: message, in: held)
            var rows = try IncomingRows(
                message, held.schema, bytes, takesKeys: held.takesKeys)
            rows.onlyFirstShard = onlyFirstShard
            var replaced: Int64 = 0
            if held.schema.keyField.isAutoKey {
                replaced = try makeKeys(for: &rows, of: held, partition, bytes, replacing)
                replaced += try held.rows.write(
                    rows, bytes, partition: partition, replacing: false)
            } else {
                replaced = try held.rows.write(
                    rows, bytes, partition: partition, replacing: replacing)
            }
            note(rows.rowCount, of: held, message)
            rates.spend(request.count, of: .writes)
            options.written?(request)
            return reply(to: rows, bytes, replaced: replaced, replacing: replacing)
        }
    }

    /// An Insert keeps the keys that were given to a collection that takes them. An Upsert deletes the
    /// rows that have them and gives its own rows new ones: a new key is what Milvus 2.6 to master
    /// makes of every row (milvus#46891).
    /// - Returns: how many rows it deleted.
    private func makeKeys(
        for rows: inout IncomingRows, of held: TwinCollection, _ partition: String,
        _ bytes: UnsafeRawBufferPointer, _ replacing: Bool
    ) throws -> Int64 {
        guard replacing else {
            if rows.givenKeys == nil {
                rows.autoKeys = newKeys(rows.rowCount)
            } else {
                rows.keepGivenKeys()
            }
            return 0
        }
        guard let given = rows.givenKeys else {
            throw TwinRefusal.badParameter(
                "upsert can not assign primary field data when auto id enabled")
        }
        var keys: [PrimaryKey] = []
        try given.forEach(bytes, rowCount: rows.rowCount) { _, cell in
            keys.append(.int64(try RowBytes.int64(cell)))
        }
        rows.autoKeys = newKeys(rows.rowCount)
        var filter = KeyFilter()
        filter.keys = Set(keys).sorted()
        return try held.rows.delete(filter, partitions: [partition])
    }

    private func partition(
        of message: InsertMessage, in held: TwinCollection
    ) throws -> String {
        guard !message.partition.isEmpty else { return PartitionDescription.defaultName }
        guard held.hiddenPartitions == 0 else {
            throw TwinEngine.partitionsAreHidden
        }
        guard held.partitionNames.contains(message.partition) else {
            throw TwinRefusal.partitionMissing(message.partition)
        }
        return message.partition
    }

    private static let partitionsAreHidden = TwinRefusal.badParameter(
        "not support manually specifying the partition names if partition key mode is used")

    /// For the statistics; the collection may meanwhile have gone by another name.
    private func note(_ count: Int, of held: TwinCollection, _ message: InsertMessage) {
        catalog.withLock { catalog in
            let database = TwinCatalog.database(message.database)
            guard catalog.databases[database]?[message.collection]?.id == held.id else { return }
            catalog.databases[database]?[message.collection]?.writtenRows += Int64(count)
        }
    }

    private func reply(
        to rows: IncomingRows, _ bytes: UnsafeRawBufferPointer, replaced: Int64, replacing: Bool
    ) -> [UInt8] {
        let key = rows.schema.keyField
        var ids: [UInt8] = []
        if let autoKeys = rows.autoKeys {
            for id in autoKeys {
                let cell = AutoKey.cell(id, key.type)
                if key.type == .int64 { ids += cell } else { ids.add(field: 1, bytes: cell) }
            }
        } else if let values = rows.columns.first(where: { $0.field.schema.isPrimaryKey })?.values {
            // The key column's values, as they came.
            ids += bytes[values]
        }
        var list: [UInt8] = []
        if key.type == .int64 { list.add(field: 1, bytes: ids) } else { list = ids }
        var message: [UInt8] = []
        message.add(field: key.type == .int64 ? 1 : 2, bytes: list)
        var reply: [UInt8] = []
        reply.add(field: 1, bytes: [])
        reply.add(field: 2, bytes: message)
        let count = UInt64(rows.rowCount)
        reply.add(field: 6, varint: count)
        if replacing {
            reply.add(field: 7, varint: UInt64(max(replaced, 0)))
            reply.add(field: 8, varint: count)
        }
        reply.add(field: 9, varint: timestamp())
        return reply
    }

    func delete(_ request: MilvusDeleteRequest) throws -> [UInt8] {
        let held = try catalog.withLock {
            try $0.collection(request.dbName, request.collectionName)
        }
        let filter = try KeyFilter(request.expr, key: held.schema.keyField)
        // Go servers delete by anything but keys by reading first.
        guard filter.keys != nil || held.isLoaded else { throw TwinRefusal.notLoaded }
        let names = request.partitionName.isEmpty ? [] : [request.partitionName]
        let removed = try held.rows.delete(filter, partitions: held.partitions(named: names))
        return try MilvusMutationResult.with {
            $0.deleteCnt = removed
            $0.timestamp = timestamp()
        }.serializedBytes()
    }

    // MARK: Query

    func query(_ request: MilvusQueryRequest, pageLimit: Int?) throws -> [UInt8] {
        try rates.check(.reads)
        let held = try catalog.withLock {
            try $0.collection(request.dbName, request.collectionName)
        }
        guard held.isLoaded else { throw TwinRefusal.notLoaded }
        guard held.hiddenPartitions == 0 || request.partitionNames.isEmpty else {
            throw TwinEngine.partitionsAreHidden
        }
        let partitions = try held.partitions(named: request.partitionNames)
        let filter = try KeyFilter(request.expr, key: held.schema.keyField)
        if request.outputFields == [TwinEngine.countField] {
            return try countReply(held.rows.count(filter, partitions: partitions))
        }
        let limit = try limit(of: request)
        let fields = try held.schema.outputs(request.outputFields)
        let columns = try held.rows.page(
            filter, partitions: partitions, fields: fields,
            limit: min(limit, max(pageLimit ?? limit, 0)))
        if rates.limitsReads,
            let keys = columns.first(where: { $0.field.schema.isPrimaryKey })
        {
            rates.spend(keys.rowCount, of: .reads)
        }
        var reply: [UInt8] = []
        reply.reserveCapacity(
            columns.reduce(1024) { $0 + $1.payload.count + ($1.valid?.count ?? 0) + 256 })
        reply.add(field: 1, bytes: [])
        columns.append(to: &reply, held.schema)
        for field in fields { reply.add(field: 4, bytes: held.schema.fields[field].name.utf8) }
        return reply
    }

    private static let countField = "count(*)"

    private func countReply(_ count: Int64) throws -> [UInt8] {
        try MilvusQueryResults.with {
            $0.fieldsData = [
                .with {
                    $0.type = DataType.int64.rawValue
                    $0.fieldName = TwinEngine.countField
                    $0.scalars.longData.data = [count]
                }
            ]
            $0.outputFields = [TwinEngine.countField]
        }.serializedBytes()
    }

    private func limit(of request: MilvusQueryRequest) throws -> Int {
        guard let text = request.queryParams.first(where: { $0.key == "limit" })?.value else {
            guard !request.expr.isEmpty else {
                throw TwinRefusal.unexpected("empty expression should be used with limit")
            }
            return Int.max
        }
        guard let limit = Int(text), limit > 0, limit <= options.queryWindow else {
            throw TwinRefusal.unexpected(
                "invalid max query result window, (offset+limit) should be in range "
                    + "[1, \(options.queryWindow)], but got \(text)")
        }
        return limit
    }
}
