import MilvusProto
import StopoverCore
import StopoverMilvus
import SwiftProtobuf

/// Rows by full decoding: slow, and obviously right. A column's payload is its whole message.
struct DecodingRowWire: RowWire {
    struct Codec: ColumnCodec {
        func slice(_ batch: Batch, rows: Range<Int>) throws(StopoverError) -> Batch { batch }
        func allValid(_ column: Column, rowCount: Int) -> Column { column }
    }

    var codec: any ColumnCodec { Codec() }

    func page(
        in reply: [UInt8], to request: PageRequest
    ) throws(StopoverError) -> WireReply<Page> {
        let message: MilvusQueryResults = try decode(reply)
        let status = message.status
        guard status.code == 0, status.errorCode == 0 else {
            return .refused(code: status.code, errorCode: status.errorCode, reason: status.reason)
        }
        var columns: [Column] = []
        var keys: [PrimaryKey] = []
        for field in request.fields {
            guard let data = message.fieldsData.first(where: { $0.fieldName == field.name }) else {
                continue
            }
            if field.name == request.rows.primaryKey { keys = self.keys(data) }
            columns.append(try column(data, type: field.type))
        }
        return .content(
            Page(
                batch: Batch(rowCount: keys.count, columns: columns), firstKey: keys.first,
                lastKey: keys.last))
    }

    func insertRequest(_ batch: Batch, to destination: InsertDestination) -> any RequestBody {
        let message = MilvusInsertRequest.with {
            $0.dbName = destination.collection.database
            $0.collectionName = destination.collection.collection
            $0.partitionName = destination.partition ?? ""
            $0.numRows = UInt32(batch.rowCount)
        }
        var bytes: [UInt8] = (try? message.serializedBytes()) ?? []
        for column in batch.columns {
            let body = Array(column.payload)
            // Field 5 as a message of one repeated element, made by protobuf itself.
            let part = MilvusInsertRequest.with {
                $0.fieldsData = [(try? MilvusFieldData(serializedBytes: body)) ?? .init()]
            }
            bytes += (try? part.serializedBytes()) ?? []
        }
        return bytes
    }

    func mutation(in reply: [UInt8]) throws(StopoverError) -> WireReply<MutationAnswer> {
        let message: MilvusMutationResult = try decode(reply)
        let status = message.status
        guard status.code == 0, status.errorCode == 0 else {
            return .refused(code: status.code, errorCode: status.errorCode, reason: status.reason)
        }
        let ids: WrittenIDs? =
            switch message.ids.idField {
            case .intID(let ids): .int64(ids.data)
            case .strID(let ids): .varchar(ids.data)
            case nil: nil
            }
        return .content(
            MutationAnswer(
                ids: ids, insertedRows: message.insertCnt, upsertedRows: message.upsertCnt,
                failedRows: message.errIndex.count))
    }

    func column(_ data: MilvusFieldData, type: DataType) throws(StopoverError) -> Column {
        var data = data
        data.fieldID = 0
        do {
            let bytes: [UInt8] = try data.serializedBytes()
            return Column(name: data.fieldName, type: type, head: [], payload: bytes[...], tail: [])
        } catch {
            throw StopoverError(.clusterContract, "\(error)", remedy: "")
        }
    }

    private func keys(_ data: MilvusFieldData) -> [PrimaryKey] {
        data.scalars.longData.data.map(PrimaryKey.int64)
            + data.scalars.stringData.data.map { PrimaryKey.varchar($0) }
    }

    private func decode<Value: Message>(_ bytes: [UInt8]) throws(StopoverError) -> Value {
        do {
            return try Value(serializedBytes: bytes)
        } catch {
            throw StopoverError(.clusterContract, "not a message: \(error)", remedy: "")
        }
    }
}
