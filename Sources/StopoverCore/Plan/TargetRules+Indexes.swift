extension TargetRules {
    /// What `indexes: auto` makes. Lite 3 has no AUTOINDEX for sparse vectors [measured].
    func automaticIndexType(of type: DataType) -> String {
        identity.kind == .lite && type == .sparseFloatVector
            ? "SPARSE_INVERTED_INDEX" : "AUTOINDEX"
    }

    /// Whether the target makes an index with these parameters on a field of this type. A type of
    /// index that this table does not know is left to a Go server to judge: it may be newer than
    /// this version of Stopover.
    func hasIndex(_ params: [String: String], of type: DataType) -> Bool {
        let index = (params["index_type"] ?? "").uppercased()
        switch identity.kind {
        case .unknown: return true
        case .lite: return liteHasIndex(index, metric: params["metric_type"], of: type)
        case .milvus:
            if params["json_path"] != nil { return isAtLeast(TargetRules.jsonPathIndex) }
            let table =
                type.isVector ? TargetRules.vectorIndexes : TargetRules.scalarIndexes
            guard let since = table[index] else { return index != "BRUTE_FORCE" }
            return isAtLeast(since)
        }
    }

    /// Lite 3 answers to CreateIndex of other types only when rows were loaded, some when it builds
    /// the index (`index/factory.py` and `index/scalar/capabilities.py` of Milvus Lite 3.2.2).
    private func liteHasIndex(_ index: String, metric: String?, of type: DataType) -> Bool {
        switch type {
        case .sparseFloatVector: index == "SPARSE_INVERTED_INDEX"
        case .floatVector:
            ["AUTOINDEX", "BRUTE_FORCE", "FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8"]
                .contains(index) && ["COSINE", "IP", "L2"].contains(metric ?? "")
        case .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .timestamptz:
            index == "INVERTED"
        default: false
        }
    }

    /// First versions, by release notes and the pages "Compatible with Milvus …+" of milvus.io.
    /// What all versions have is not here.
    private static let vectorIndexes: [String: [Int]] = [
        "SPARSE_INVERTED_INDEX": [2, 4], "SPARSE_WAND": [2, 4], "GPU_CAGRA": [2, 4],
        "GPU_BRUTE_FORCE": [2, 4],
        "HNSW_SQ": [2, 5], "HNSW_PQ": [2, 5], "HNSW_PRQ": [2, 5],
        "IVF_RABITQ": [2, 6], "MINHASH_LSH": [2, 6], "AISAQ": [2, 6, 4],
    ]
    /// 2.3.5 refuses INVERTED and AUTOINDEX on a scalar field [measured].
    private static let scalarIndexes: [String: [Int]] = [
        "INVERTED": [2, 4], "AUTOINDEX": [2, 4], "BITMAP": [2, 5], "NGRAM": [2, 6],
        "RTREE": [2, 6, 4],
    ]
    /// Indexes on a path into JSON (release notes of 2.5.11).
    private static let jsonPathIndex = [2, 5, 11]
}
