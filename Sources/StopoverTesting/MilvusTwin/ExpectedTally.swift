import StopoverCore

extension MilvusTwin {
    /// What a target must sum up to that took every row of a generated collection exactly once,
    /// computed without making a page. About as fast as the hash: a thousand million rows take a
    /// minute or two on one core; `range` lets a caller share them out and add up.
    public static func expectedTally(
        rows: Int64, dim: Int = 8, keys: Generated.Keys = .int64, range: Range<Int64>? = nil
    ) -> Tally {
        let range = (range ?? 0..<rows).clamped(to: 0..<rows)
        var tally = Tally()
        guard !range.isEmpty else { return tally }
        var sums: (id: UInt64, vector: UInt64, bucket: UInt64, title: UInt64) = (0, 0, 0, 0)
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { text in
            guard let base = text.baseAddress else { return }
            let key = UnsafeRawBufferPointer(start: base, count: GeneratedValue.keyBytes)
            for row in range {
                let seed: UInt64
                if keys == .int64 {
                    seed = Checksum.key(row)
                    sums.id &+= varint(seed, UInt64(bitPattern: row))
                } else {
                    GeneratedValue.writeKey(row, to: base)
                    seed = Checksum.key(key)
                    sums.id &+= Checksum.value(seed, key)
                }
                sums.vector &+= vector(seed, row, dim)
                sums.bucket &+= varint(seed, GeneratedValue.bucket(row))
                let title = GeneratedValue.title(row)
                let words = Checksum.step(Checksum.begin(seed, count: 12), title.0)
                sums.title &+= Checksum.end(Checksum.step(words, title.1))
            }
        }
        func key(_ row: Int64) -> PrimaryKey {
            keys == .int64 ? .int64(row) : .varchar(GeneratedValue.key(row))
        }
        tally.rows = range.upperBound - range.lowerBound
        tally.least = key(range.lowerBound)
        tally.greatest = key(range.upperBound - 1)
        tally.columns = [
            "id": sums.id, "vector": sums.vector, "bucket": sums.bucket, "title": sums.title,
        ]
        return tally
    }

    @inline(__always)
    private static func vector(_ seed: UInt64, _ row: Int64, _ dim: Int) -> UInt64 {
        var hash = Checksum.begin(seed, count: dim * 4)
        for pair in 0..<dim / 2 {
            hash = Checksum.step(hash, GeneratedValue.floats(row, pair: pair))
        }
        if dim % 2 == 1 {
            hash = Checksum.step(hash, GeneratedValue.floats(row, pair: dim / 2) & 0xFFFF_FFFF)
        }
        return Checksum.end(hash)
    }

    /// The hash of a number's bytes on the wire, of up to 56 bits.
    @inline(__always)
    private static func varint(_ seed: UInt64, _ value: UInt64) -> UInt64 {
        var word: UInt64 = 0
        var rest = value
        var count = 0
        while rest >= 0x80 {
            word |= (rest & 0x7F | 0x80) << UInt64(8 * count)
            rest >>= 7
            count += 1
        }
        word |= rest << UInt64(8 * count)
        return Checksum.end(Checksum.step(Checksum.begin(seed, count: count + 1), word))
    }
}
