import StopoverCore

extension ServerIdentity {
    static let unknown = ServerIdentity(version: "unknown", kind: .unknown, numbers: [])

    /// Reads what servers say of themselves: `v2.3.5-lite` is what the Go server of the 2.3.5
    /// package says, `milvus_lite-3.2.2` is Milvus Lite; clouds put words around the number.
    init(reportedVersion text: String) {
        let numbers = ServerIdentity.firstVersion(in: text)
        let isLite = text.lowercased().contains("milvus_lite")
        let kind: Kind = isLite ? .lite : numbers.isEmpty ? .unknown : .milvus
        self.init(version: text.isEmpty ? "unknown" : text, kind: kind, numbers: numbers)
    }

    /// The first two or three numbers with points between them.
    private static func firstVersion(in text: String) -> [Int] {
        for word in text.split(whereSeparator: { !($0.isASCII && ($0.isNumber || $0 == ".")) }) {
            let numbers = word.split(separator: ".").prefix(3).compactMap { Int($0) }
            if numbers.count >= 2 { return numbers }
        }
        return []
    }
}
