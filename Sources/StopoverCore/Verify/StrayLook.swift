/// Looks for rows on the target that no chunk has, and for rows that are there more than once: what
/// reading chunk by chunk cannot see.
///
/// Where keys are the source's, the chunks of a split and its tail cover all of its keys, so that only
/// the tails are left to be asked. Where keys are numbers of ours or of the target's making, it looks
/// into the gaps between them, as ``Sweep`` does. A second row with a key that is there shows in
/// count(*) alone: where that is too high, ranges are halved until the key is found.
struct StrayLook: Sendable {
    let engine: Engine
    let plan: TransferPlan
    let prover: ChunkProver

    /// - Parameter walk: of all chunks, at its end.
    func find(
        _ walk: ChunkWalk, _ summary: VerificationSummary, of record: VerificationRecord
    ) async throws -> [RowProblem] {
        if plan.appends { return [] }
        let counted = try await engine.count(prover.rows(of: nil))
        // Rows that chunks have on the target, as far as they were read back one by one.
        let known = summary.rows - summary.missing + summary.extra
        var strays: [RowProblem] = []
        switch plan.keys {
        case .source:
            for tail in walk.tails {
                var rows = prover.rows(of: tail.partition)
                rows.range = tail.range
                strays += try await self.keys(of: rows).map { RowProblem(.extra, key: $0) }
            }
        case .minted, .target:
            let owned = try await owned()
            if case .varchar = owned, counted <= known { break }
            strays += try await outside(owned)
        }
        var surplus = counted - known - Int64(strays.count)
        guard surplus > 0 else { return strays }
        if plan.keys != .target {
            let copies = try await copies(of: record, atMost: surplus)
            strays += copies
            surplus -= Int64(copies.count)
        }
        if surplus > 0 {
            strays.append(
                RowProblem(
                    .extra,
                    note: "the target counts \(surplus) more rows than are found by their keys"))
        }
        return strays
    }

    // MARK: Between keys of ours

    private func owned() async throws -> OwnedKeys {
        guard plan.keys == .minted else {
            return try OwnedKeys(try await engine.ledger.madeKeys(of: prover.sent.transfer.id))
        }
        var runs: [IDRuns] = []
        var walk = try await ChunkWalk(engine.ledger, of: prover.sent.transfer.id)
        while case let some = try await walk.next(), !some.isEmpty {
            for place in some {
                // Unused numbers of a chunk's range were asked with it.
                guard case .int64(let after)? = MintedKeys.range(of: place.chunk.id).after
                else { continue }
                runs.append(IDRuns(first: after + 1, count: Int64(MintedKeys.rowsPerChunk)))
            }
        }
        return try OwnedKeys(runs)
    }

    private func outside(_ owned: OwnedKeys) async throws -> [RowProblem] {
        var strays: [RowProblem] = []
        for gaps in owned.gaps.chunked(by: OwnedKeys.rangesPerQuestion) {
            var rows = prover.rows(of: nil)
            rows.anyOf = gaps
            if case .int64 = owned, try await engine.count(rows) == 0 { continue }
            strays += try await keys(of: rows).filter { !owned.contains($0) }
                .map { RowProblem(.extra, key: $0) }
        }
        return strays
    }

    // MARK: Rows that are there twice

    private func copies(
        of record: VerificationRecord, atMost surplus: Int64
    ) async throws -> [RowProblem] {
        var copies: [RowProblem] = []
        var walk = try await ProofWalk(engine.ledger, of: record)
        while case let some = try await walk.next(), !some.isEmpty {
            for (place, proof) in some where copies.count < surplus {
                if engine.stop.isRequested { throw StopoverError.interrupted }
                let rows = place.chunk.rowCount + (proof?.surplus ?? 0)
                copies += try await self.copies(of: place, beside: rows).map { key in
                    RowProblem(
                        .extra, chunk: place.chunk.id, key: key, note: "one more row with this key")
                }
            }
        }
        return copies
    }

    /// Of a chunk whose keys are ours: those that are there more than once, each as often as it is too
    /// many.
    /// - Parameter rows: that it has on the target, each key once.
    func copies(of place: ChunkPlace, beside rowCount: Int) async throws -> [PrimaryKey] {
        var rows = prover.rows(of: place.chunk.partition)
        rows.range = plan.keys == .minted ? MintedKeys.range(of: place.chunk.id) : place.range
        let counted = try await engine.count(rows)
        if counted == Int64(rowCount) { return [] }
        let keys = try await keys(of: rows)
        return try await copies(keys[...], in: rows, counted)
    }

    /// - Parameters:
    ///   - keys: ascending, each once, all of the selection.
    ///   - counted: count(*) of it.
    private func copies(
        _ keys: ArraySlice<PrimaryKey>, in rows: RowSelection, _ counted: Int64
    ) async throws -> [PrimaryKey] {
        let surplus = counted - Int64(keys.count)
        guard surplus > 0, let last = keys.last else { return [] }
        if keys.count == 1 { return Array(repeating: last, count: Int(clamping: surplus)) }
        let middle = keys.startIndex + keys.count / 2
        var lower = rows
        lower.range.through = keys[middle - 1]
        var upper = rows
        upper.range.after = keys[middle - 1]
        let below = try await engine.count(lower)
        return try await copies(keys[..<middle], in: lower, below)
            + copies(keys[middle...], in: upper, counted - below)
    }

    /// All keys of a selection, each once, ascending.
    private func keys(of rows: RowSelection) async throws -> [PrimaryKey] {
        var keys: [PrimaryKey] = []
        try await engine.eachKeys(of: rows) { some in
            for key in some where key != keys.last { keys.append(key) }
        }
        return keys
    }
}
