/// Values beside flags: taken out, and put in, by runs of equal flags.
extension ValueRun {
    /// The values whose flag is set, of a run with a value for every flag: a slice of the payload
    /// where they lie together, else a copy.
    func filtered(_ flags: [UInt8]) throws(WireError) -> ArraySlice<UInt8> {
        if layout == .structs {
            return try StructPayload.cut(payload) { run throws(WireError) in
                try run.filtered(flags)
            }[...]
        }
        let count = payload.count
        var single = 0..<0
        var joined: [UInt8] = []
        try eachRun(of: flags) { cursor, isSet, values, bytes throws(WireError) in
            let start = cursor.position
            try cursor.skip(values, layout)
            guard isSet, cursor.position > start else { return }
            if single.isEmpty {
                single = start..<cursor.position
            } else {
                if joined.isEmpty {
                    joined.reserveCapacity(count)
                    joined += UnsafeBufferPointer(rebasing: bytes[single])
                }
                joined += UnsafeBufferPointer(rebasing: bytes[start..<cursor.position])
            }
        }
        guard joined.isEmpty else { return joined[...] }
        return payload.dropFirst(single.lowerBound).prefix(single.count)
    }

    /// The values of a run with a value for every flag that is set, and `value` (its encoded bytes)
    /// for every other.
    func filled(_ flags: [UInt8], with value: [UInt8]) throws(WireError) -> [UInt8] {
        let nulls = flags.count { $0 == 0 }
        var filled: [UInt8] = []
        filled.reserveCapacity(payload.count + nulls * value.count)
        try eachRun(of: flags) { cursor, isSet, values, bytes throws(WireError) in
            guard isSet else {
                for _ in 0..<values { filled += value }
                return
            }
            let start = cursor.position
            try cursor.skip(values, layout)
            filled += UnsafeBufferPointer(rebasing: bytes[start..<cursor.position])
        }
        return filled
    }

    /// Calls `body` with each run of equal flags, and the cursor before its values; all values must
    /// have been passed over in the end.
    private func eachRun(
        of flags: [UInt8],
        _ body: (
            inout ValueCursor, _ isSet: Bool, _ count: Int, UnsafeBufferPointer<UInt8>
        ) throws(WireError) -> Void
    ) throws(WireError) {
        try payload.withUnsafeBufferPointer { (bytes) throws(WireError) in
            var cursor = ValueCursor(bytes)
            var start = 0
            while start < flags.count {
                let isSet = flags[start] != 0
                var end = start + 1
                while end < flags.count, (flags[end] != 0) == isSet { end += 1 }
                try body(&cursor, isSet, end - start, bytes)
                start = end
            }
            guard cursor.isAtEnd else { throw WireError("values beyond the last row") }
        }
    }
}
