import Foundation

/// Turns a batch into the bytes of a chunk file and back.
struct ChunkFile {
    let seed: UInt64
    let coder: PlaneCoder

    /// Makes `buffer` the bytes of the file.
    /// - Parameter packed: the columns whose payloads are packed.
    /// - Returns: the digest that names the file, and how its columns are stored.
    func encode(
        _ batch: Batch, _ header: ChunkHeader, packed: Set<String>, into buffer: DiskBuffer
    ) throws(StopoverError) -> (digest: Digest128, columns: [StoredColumn]) {
        var stored = StoredHeader(chunk: header, rowCount: batch.rowCount, columns: [])
        // The header stands before the columns and is known after them: it is filled up with spaces.
        let room = ChunkFormat.headerRoom(for: batch, header)
        buffer.removeAll()
        buffer.reserve(
            ChunkFormat.prefixBytes + room + batch.byteCount + ChunkFormat.trailerBytes)
        ChunkFormat.magic.withUnsafeBytes { buffer.append($0) }
        buffer.append(littleEndian: ChunkFormat.version)
        buffer.append(littleEndian: UInt32(room))
        let start = buffer.count
        buffer.append(room) { $0.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " ")) }
        for column in batch.columns {
            stored.columns.append(store(column, isPacked: packed.contains(column.name), in: buffer))
        }
        let json = try ChunkFile.json(stored)
        guard json.count <= room else { throw ChunkFile.headerTooLong(json.count, room) }
        buffer.replace(at: start, json)
        let digest = Digest128(
            of: UnsafeRawBufferPointer(rebasing: buffer.bytes[..<(start + room)]), seed: seed)
        buffer.append(littleEndian: digest.low)
        buffer.append(littleEndian: digest.high)
        ChunkFormat.seal.withUnsafeBytes { buffer.append($0) }
        return (digest, stored.columns)
    }

    private func store(
        _ column: Column, isPacked: Bool, in buffer: DiskBuffer
    ) -> StoredColumn {
        let start = buffer.count
        let digest: Digest128
        let planes: [StoredPlane]
        if isPacked {
            digest = Digest128(of: column, seed: seed)
            planes = coder.store(
                column.payload, elementWidth: column.type.payloadElementWidth, into: buffer)
        } else {
            let payload = buffer.append(column.payload, seed: seed)
            digest = Digest128(of: column, payload: payload, seed: seed)
            planes = [.plain(column.payload.count)]
        }
        var stored = StoredColumn(
            name: column.name, type: column.type, head: column.head, tail: column.tail,
            payloadBytes: column.payload.count, planes: planes, digest: digest)
        if !stored.isPlain {
            stored.storedDigest = Digest128(
                of: UnsafeRawBufferPointer(rebasing: buffer.bytes[start...]), seed: seed)
        }
        return stored
    }

    private static func headerTooLong(_ count: Int, _ room: Int) -> StopoverError {
        StopoverError(
            .spoolIO, "a chunk's header has \(count) bytes where at most \(room) were expected",
            remedy: "This is a mistake in Stopover: please report it.")
    }

    private static func json(_ header: StoredHeader) throws(StopoverError) -> Data {
        do { return try JSONEncoder().encode(header) } catch {
            throw StopoverError(
                .spoolIO, "a chunk's header cannot be written",
                remedy: "Run the same command again; if it comes back, report it.",
                cause: "\(error)")
        }
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
        let headerEnd = try ChunkFile.headerEnd(of: file, bodyEnd: bodyEnd)
        let digest = file.withUnsafeBytes {
            Digest128(of: UnsafeRawBufferPointer(rebasing: $0[..<headerEnd]), seed: seed)
        }
        let written = Digest128(
            high: file.littleEndian(at: bodyEnd + 8), low: file.littleEndian(at: bodyEnd))
        guard digest == written, digest == record.digest else {
            throw ChunkDamage("its digest does not match")
        }
        guard file.littleEndian(at: 8) as UInt32 == ChunkFormat.version else {
            throw ChunkDamage("format \(file.littleEndian(at: 8) as UInt32) is not known")
        }
        let header = try ChunkFile.header(of: file, bodyEnd: bodyEnd).header
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
        let headerEnd = try headerEnd(of: file, bodyEnd: bodyEnd)
        guard
            let header = try? JSONDecoder().decode(
                StoredHeader.self, from: Data(file[ChunkFormat.prefixBytes..<headerEnd]))
        else { throw ChunkDamage("its header cannot be read") }
        return (header, headerEnd)
    }

    private static func headerEnd(of file: [UInt8], bodyEnd: Int) throws(ChunkDamage) -> Int {
        let headerBytes = Int(file.littleEndian(at: 12) as UInt32)
        guard headerBytes <= min(ChunkFormat.headerLimit, bodyEnd - ChunkFormat.prefixBytes) else {
            throw ChunkDamage("its header is longer than the file")
        }
        return ChunkFormat.prefixBytes + headerBytes
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
            if !description.isPlain {
                let stored = file[range].withUnsafeBytes { Digest128(of: $0, seed: seed) }
                guard stored == description.storedDigest else {
                    throw ChunkDamage("column \(description.name) is not what was written")
                }
            }
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
    fileprivate func littleEndian<Value: FixedWidthInteger>(at offset: Int) -> Value {
        withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }
}

extension DiskBuffer {
    /// Appends bytes and says their digest.
    fileprivate func append(_ payload: ArraySlice<UInt8>, seed: UInt64) -> Digest128 {
        payload.withUnsafeBytes { bytes in
            var digest = Digest128(high: 0, low: 0)
            append(bytes.count) { digest = Digest128(of: bytes, copiedTo: $0, seed: seed) }
            return digest
        }
    }
}
