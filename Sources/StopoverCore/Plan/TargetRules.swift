/// What a target's version can hold, attribute by attribute: one table, asked before anything is
/// written. Facts of 2.3.5 and Lite 3.2.2 are measured, those of later versions are read in
/// Milvus's sources and release notes (milvus-protocol.md, sections 1 and 5).
public struct TargetRules: Sendable {
    private let identity: ServerIdentity

    public init(_ identity: ServerIdentity) {
        self.identity = identity
    }

    /// What stands in the way of holding `collection`, and what will be held otherwise.
    public func findings(for collection: CollectionDescription) -> [Finding] {
        var findings: [Finding] = []
        let schema = collection.schema
        for field in schema.fields {
            let subject = "\(collection.name).\(field.name)"
            if let missing = missing(field) {
                findings.append(
                    Finding(
                        .refusal, code: "STO-PLAN-TARGET-CANNOT-HOLD", subject: subject,
                        message: "\(server) has no \(missing)",
                        remedy: field.isPrimaryKey
                            ? "Choose a target of a newer version."
                            : "Leave the field out with `fields: {\(field.name): drop}`, or choose "
                                + "a target of a newer version."))
            }
            if field.isClusteringKey, !has(.clusteringKey) {
                findings.append(
                    Finding(
                        .note, code: "STO-PLAN-ATTRIBUTE-LOST", subject: subject,
                        message: "\(server) has no clustering keys: the field loses that mark"))
            }
        }
        let vectors = schema.fields.filter { $0.type.isVector }
        if vectors.count > 1, !has(.severalVectors) {
            findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-TARGET-CANNOT-HOLD", subject: "\(collection.name)",
                    message: "\(server) holds one vector field, this collection has "
                        + "\(vectors.count): \(vectors.map(\.name).joined(separator: ", "))",
                    remedy: "Leave out all but one with `fields: {NAME: drop}`."))
        }
        if !schema.functions.isEmpty, !has(.functions) {
            findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-TARGET-CANNOT-HOLD", subject: "\(collection.name)",
                    message: "\(server) has no functions "
                        + "(\(schema.functions.map(\.name).joined(separator: ", ")))",
                    remedy: "Leave out the function's output field with `fields: {NAME: drop}`."))
        }
        return findings + notes(on: collection)
    }

    /// The field with what this target wants said and the source did not say: Lite 3 leaves the
    /// `max_length` of an ARRAY of VARCHAR out of its description, Go servers refuse a field
    /// without one [measured].
    public func completed(_ field: FieldSchema) -> FieldSchema {
        guard identity.kind != .lite, field.elementType == .varchar,
            field.typeParams["max_length"] == nil
        else { return field }
        var field = field
        field.typeParams["max_length"] = "\(TargetRules.varcharLimit)"
        return field
    }

    /// Bytes of the longest VARCHAR that Milvus holds.
    static let varcharLimit = 65_535

    /// What `indexes: auto` makes. Lite 3 has no AUTOINDEX for sparse vectors [measured].
    public func automaticIndexType(of type: DataType) -> String {
        identity.kind == .lite && type == .sparseFloatVector
            ? "SPARSE_INVERTED_INDEX" : "AUTOINDEX"
    }

    private func notes(on collection: CollectionDescription) -> [Finding] {
        guard identity.kind == .lite else { return [] }
        var notes: [Finding] = []
        func note(_ what: String) {
            notes.append(
                Finding(
                    .note, code: "STO-PLAN-ATTRIBUTE-LOST", subject: "\(collection.name)",
                    message: "\(server) \(what)"))
        }
        if collection.shards > 1 { note("has one shard, not \(collection.shards)") }
        let described =
            [collection.schema.description] + collection.schema.fields.map(\.description)
        if described.contains(where: { !$0.isEmpty }) { note("does not keep descriptions") }
        if collection.consistencyLevel != 0 {
            note("has no consistency levels: every read is Strong")
        }
        return notes
    }

    var holdsNulls: Bool { has(.nullable) }
    /// Auto ID that takes keys all the same, by the property `allow_insert_auto_id` (2.6).
    var takesKeysOfAutoID: Bool { has(.keysOfAutoID) }

    /// Whether an index type can be made on a field. Lite 3 has these and refuses others by name
    /// [measured]; of Go servers nothing is refused here: they answer before a row is sent.
    func hasIndex(_ type: String, of field: DataType) -> Bool {
        switch identity.kind {
        case .unknown: true
        case .lite:
            field == .sparseFloatVector
                ? type == "SPARSE_INVERTED_INDEX"
                : field.isVector
                    ? ["FLAT", "HNSW", "IVF_FLAT", "AUTOINDEX"].contains(type) : type == "INVERTED"
        // Scalar INVERTED came with 2.4.
        case .milvus: field.isVector || isAtLeast(2, 4) || type != "INVERTED"
        }
    }

    var server: String { "the target (\(identity.version))" }

    private enum Feature {
        case nullable, sparse, halfVectors, int8Vectors, severalVectors, functions, clusteringKey
        case geometry, structs, binaryVectors, varcharAutoID, keysOfAutoID
    }

    /// First version with the feature; nil where a Lite server lacks it.
    private func has(_ feature: Feature) -> Bool {
        switch identity.kind {
        case .unknown: true  // The description is read back after creation and compared.
        case .lite:
            switch feature {
            case .nullable, .sparse, .severalVectors, .functions: true
            case .halfVectors, .int8Vectors, .clusteringKey, .geometry, .structs, .binaryVectors,
                .varcharAutoID, .keysOfAutoID:
                false
            }
        case .milvus:
            switch feature {
            case .binaryVectors, .varcharAutoID: true
            // 2.3.5 knows float16, and dies of a Flush after a few inserts of it.
            case .sparse, .severalVectors, .halfVectors, .clusteringKey: isAtLeast(2, 4)
            case .nullable, .functions: isAtLeast(2, 5)
            case .int8Vectors, .geometry, .structs, .keysOfAutoID: isAtLeast(2, 6)
            }
        }
    }

    private func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        !identity.numbers.lexicographicallyPrecedes([major, minor])
    }

    /// The attribute of `field` that the target lacks, as a noun.
    private func missing(_ field: FieldSchema) -> String? {
        let needed: Feature? =
            switch field.type {
            case .sparseFloatVector: .sparse
            case .float16Vector, .bfloat16Vector: .halfVectors
            case .int8Vector: .int8Vectors
            case .binaryVector: .binaryVectors
            case .geometry, .timestamptz, .text: .geometry
            case .arrayOfStruct, .arrayOfVector, .structure: .structs
            default: nil
            }
        if let needed, !has(needed) { return "\(field.type.milvusName) fields that hold" }
        if field.isNullable, !has(.nullable) { return "nullable fields" }
        if field.isAutoID, field.type == .varchar, !has(.varcharAutoID) {
            return "Auto ID for VARCHAR keys"
        }
        return nil
    }
}
