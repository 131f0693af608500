extension String {
    /// Bytes of the longest name: 255 are accepted by 2.3.5, 256 refused [measured].
    static let longestMilvusName = 255

    /// Whether Milvus takes it as the name of a database, a collection or a field that is made.
    var isMilvusName: Bool {
        guard let first = utf8.first, utf8.count <= Self.longestMilvusName else { return false }
        let isDigit = (0x30...0x39).contains(first)
        return !isDigit
            && utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                    || (0x61...0x7A).contains($0) || $0 == 0x5F
            }
    }
}

extension MigrationBuilder {
    mutating func wrongName(_ position: ConfigPosition) {
        wrong(
            position, "Milvus does not take this name",
            "Names begin with a letter or _, go on with letters, digits and _, and have at most "
                + "\(String.longestMilvusName) characters.")
    }
}
