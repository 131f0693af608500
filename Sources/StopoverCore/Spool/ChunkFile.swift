import Foundation

/// Turns a batch into the bytes of a chunk file and back.
struct ChunkFile {
    let seed: UInt64
    let coder: PlaneCoder

    /// The bytes of the file, and the digest that names it.
    func encode(_ batch: Batch, _ header: ChunkHeader) throws(StopoverError) -> ([UInt8], Digest128)
    {
        var columns: [UInt8] = []
        columns.reserveCapacity(batch.byteCount)
        var stored: [StoredColumn] = []
        for column in batch.columns {
            let digest = Digest128(of: column, seed: seed)
            let planes = coder.store(
                column.payload, elementWidth: column.type.payloadElementWidth, into: &columns)
            stored.append(
                StoredColumn(
                    name: column.name, type: column.type, head: column.head, tail: column.tail,
                    payloadBytes: column.payload.count, planes: planes, digest: digest))
        }
        let json: Data
        do {
            json = try JSONEncoder().encode(
                StoredHeader(chunk: header, rowCount: batch.rowCount, columns: stored))
        } catch {
            throw StopoverError(
                .spoolIO, "a chunk's header cannot be written",
                remedy: "Run the same command again; if it comes back, report it.",
                cause: "\(error)")
        }
        var file = ChunkFormat.magic
        file.reserveCapacity(
            ChunkFormat.prefixBytes + json.count + columns.count + ChunkFormat.trailerBytes)
        file.append(littleEndian: ChunkFormat.version)
        file.append(littleEndian: UInt32(json.count))
        file.append(contentsOf: json)
        file.append(contentsOf: columns)
        let digest = file.withUnsafeBytes { Digest128(of: $0, seed: seed) }
        file.append(littleEndian: digest.low)
        file.append(littleEndian: digest.high)
        file.append(contentsOf: ChunkFormat.seal)
        return (file, digest)
    }

    /// Throws ``ChunkDamage`` for anything but exactly what ``encode`` made of `record`.
    func decode(_ file: [UInt8], expecting record: ChunkRecord) throws(ChunkDamage) -> Batch {
        let smallest = ChunkFormat.prefixBytes + ChunkFormat.trailerBytes
        guard file.count == record.fileBytes, file.count >= smallest else {
            throw ChunkDamage("\(file.count) bytes instead of \(record.fileBytes)")
        }
        let bodyEnd = file.count - ChunkFormat.trailerBytes
        guard Array(file[0..<8]) == ChunkFormat.magic,
            Array(file[(file.count - 8)...]) == ChunkFormat.seal
        else { throw ChunkDamage("not a sealed chunk") }
        let digest = file.withUnsafeBytes {
            Digest128(of: UnsafeRawBufferPointer(rebasing: $0[0..<bodyEnd]), seed: seed)
        }
        let written = Digest128(
            high: file.littleEndian(at: bodyEnd + 8), low: file.littleEndian(at: bodyEnd))
        guard digest == written, digest == record.digest else {
            throw ChunkDamage("its digest does not match")
        }
        guard file.littleEndian(at: 8) as UInt32 == ChunkFormat.version else {
            throw ChunkDamage("format \(file.littleEndian(at: 8) as UInt32) is not known")
        }
        let (header, headerEnd) = try ChunkFile.header(of: file, bodyEnd: bodyEnd)
        guard header.chunk.id == record.id, header.rowCount == record.rowCount,
            header.columns.count <= ChunkFormat.columnLimit
        else { throw ChunkDamage("it is another chunk") }
        // Before a column is allocated: what the lengths add up to is known from elsewhere.
        var room = min(record.bodyBytes, ChunkFormat.bodyLimit)
        for column in header.columns {
            guard (0...room).contains(column.payloadBytes) else {
                throw ChunkDamage("its columns are longer than its rows")
            }
            room -= column.payloadBytes
        }
        return Batch(
            rowCount: header.rowCount,
            columns: try columns(header.columns, of: file, from: headerEnd, to: bodyEnd))
    }

    /// The header of a file whose columns end at `bodyEnd`, and where it ends.
    static func header(
        of file: [UInt8], bodyEnd: Int
    ) throws(ChunkDamage) -> (header: StoredHeader, end: Int) {
        let headerBytes = Int(file.littleEndian(at: 12) as UInt32)
        guard headerBytes <= min(ChunkFormat.headerLimit, bodyEnd - ChunkFormat.prefixBytes) else {
            throw ChunkDamage("its header is longer than the file")
        }
        let headerEnd = ChunkFormat.prefixBytes + headerBytes
        guard
            let header = try? JSONDecoder().decode(
                StoredHeader.self, from: Data(file[ChunkFormat.prefixBytes..<headerEnd]))
        else { throw ChunkDamage("its header cannot be read") }
        return (header, headerEnd)
    }

    private func columns(
        _ stored: [StoredColumn], of file: [UInt8], from start: Int, to end: Int
    ) throws(ChunkDamage) -> [Column] {
        var columns: [Column] = []
        var position = start
        for description in stored {
            guard let bytes = description.bytesInFile(atMost: end - position) else {
                throw ChunkDamage("a column is longer than the file")
            }
            let range = position..<(position + bytes)
            let payload = try coder.restore(
                description.planes, from: file[range], payloadBytes: description.payloadBytes)
            position = range.upperBound
            let column = Column(
                name: description.name, type: description.type, head: description.head,
                payload: payload[...], tail: description.tail)
            guard Digest128(of: column, seed: seed) == description.digest else {
                throw ChunkDamage("column \(description.name) is not what was compressed")
            }
            columns.append(column)
        }
        guard position == end else { throw ChunkDamage("bytes follow its last column") }
        return columns
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate func littleEndian<Value: FixedWidthInteger>(at offset: Int) -> Value {
        withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }
}
