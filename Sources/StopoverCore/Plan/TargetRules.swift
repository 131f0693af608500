/// What a target's version can hold, attribute by attribute (``ServerFeature``), asked before
/// anything is written.
///
/// A server of an unknown kind is taken to hold everything: what it made is described back and
/// compared before a row is sent.
public struct TargetRules: Sendable {
    let identity: ServerIdentity

    public init(_ identity: ServerIdentity) {
        self.identity = identity
    }

    /// Bytes of the longest VARCHAR that Milvus holds.
    static let varcharLimit = 65_535
    /// Elements of the longest ARRAY that Milvus holds (milvus.io, "Array Field").
    static let arrayLimit = 4096
    /// `proxy.maxVectorFieldNum`: as servers come, and as far as it may be raised.
    static let vectorFieldsByDefault = 4
    static let mostVectorFields = 10
    /// `proxy.maxFieldNum`, as servers come.
    static let fieldsByDefault = 64

    func has(_ feature: ServerFeature) -> Bool {
        switch identity.kind {
        case .unknown: true
        case .lite: feature.row.lite
        case .milvus: isAtLeast(feature.row.since)
        }
    }

    /// Whether NaN and infinities are taken: Lite 3 looks at no number, 2.3.5 at those of vectors
    /// [measured]; later servers refuse both (typeutil and validate_util in Milvus's proxy).
    func takesNonFinite(_ type: DataType) -> Bool {
        switch identity.kind {
        case .lite: true
        case .milvus: !type.isVector && !isAtLeast([2, 4])
        case .unknown: false
        }
    }

    func isAtLeast(_ version: [Int]) -> Bool {
        !identity.numbers.lexicographicallyPrecedes(version)
    }

    var server: String { "the target (\(identity.version))" }

    /// What stands in the way of holding `collection`, and what will be held otherwise.
    public func findings(for collection: CollectionDescription) -> [Finding] {
        let lost = collection.features.filter { !has($0.feature) }
        return lost.filter { use in
            // One line is enough for the descriptions of a collection and of all its fields.
            use.feature != .fieldDescription || use == lost.first { $0.feature == use.feature }
        }.map(finding) + limits(collection) + names(collection)
    }

    /// The collection without what ``findings(for:)`` notes as lost: what may be asked of the
    /// target, and expected of its description.
    public func adapted(_ collection: CollectionDescription) -> CollectionDescription {
        var adapted = collection
        if !has(.shards) { adapted.shards = 1 }
        if !has(.consistencyLevel) { adapted.consistencyLevel = 0 }
        if !has(.collectionDescription) { adapted.schema.description = "" }
        if !has(.alias) { adapted.aliases = [] }
        for index in adapted.schema.fields.indices {
            if !has(.clusteringKey) { adapted.schema.fields[index].isClusteringKey = false }
            if !has(.fieldDescription) { adapted.schema.fields[index].description = "" }
            if !has(.defaultValue) { adapted.schema.fields[index].defaultValue = nil }
        }
        return adapted
    }

    /// The field with what this target wants said and the source did not say. Lite 3 holds texts
    /// without `max_length` and arrays without `max_capacity`, and leaves the `max_length` of an
    /// array's elements out of its description; Go servers refuse fields without them [measured].
    /// - Returns: also the parameters that were added.
    public func completed(_ field: FieldSchema) -> (field: FieldSchema, added: [String: String]) {
        guard identity.kind != .lite else { return (field, [:]) }
        var added: [String: String] = [:]
        if field.type == .varchar || field.elementType == .varchar,
            field.typeParams["max_length"] == nil
        {
            added["max_length"] = "\(TargetRules.varcharLimit)"
        }
        if field.type == .array, field.typeParams["max_capacity"] == nil {
            added["max_capacity"] = "\(TargetRules.arrayLimit)"
        }
        var field = field
        field.typeParams.merge(added) { _, added in added }
        return (field, added)
    }

    // MARK: Findings

    private func finding(_ use: FeatureUse) -> Finding {
        let row = use.feature.row
        let detail = use.detail.isEmpty ? "" : " (\(use.detail))"
        let since = row.since.map(String.init).joined(separator: ".")
        let version =
            identity.kind == .milvus && !since.isEmpty ? ", which Milvus has from \(since) on" : ""
        let lacks = "\(server) has no \(row.noun)\(version)\(detail)"
        switch row.loss {
        case .refused(let remedy):
            return Finding(
                .refusal, code: "STO-PLAN-TARGET-CANNOT-HOLD", subject: use.subject,
                message: lacks, remedy: remedy.replacing("NAME", with: use.name))
        case .said(let instead):
            return Finding(
                .note, code: "STO-PLAN-ATTRIBUTE-LOST", subject: use.subject,
                message: "\(lacks): \(instead)")
        }
    }

    /// Bounds that servers of one version share; a server's operator may have moved some.
    private func limits(_ collection: CollectionDescription) -> [Finding] {
        var findings: [Finding] = []
        func note(_ subject: String, _ message: String) {
            findings.append(
                Finding(.note, code: "STO-PLAN-LIMIT", subject: subject, message: message))
        }
        if identity.kind == .lite {
            for field in collection.schema.fields where field.type == .geometry {
                note(
                    "\(collection.name).\(field.name)",
                    "\(server) holds points and polygons, and refuses rows with other geometries")
                guard case .string(let text)? = field.defaultValue,
                    WellKnownText(text)?.isHeldByLite != true
                else { continue }
                findings.append(
                    Finding(
                        .refusal, code: "STO-PLAN-TARGET-CANNOT-HOLD",
                        subject: "\(collection.name).\(field.name)",
                        message: "\(server) takes a point or a polygon of one ring as default, not "
                            + text.debugDescription,
                        remedy: "Give another `default` for the field under `fields:`."))
            }
        }
        guard identity.kind == .milvus else { return findings }
        let vectors = collection.schema.vectorFieldNames.count
        if vectors > TargetRules.mostVectorFields {
            findings.append(
                Finding(
                    .refusal, code: "STO-PLAN-TARGET-CANNOT-HOLD", subject: "\(collection.name)",
                    message: "no Milvus holds \(vectors) vector fields in a collection, but "
                        + "\(TargetRules.mostVectorFields)",
                    remedy: "Leave some out with `fields: {NAME: drop}`."))
        } else if vectors > TargetRules.vectorFieldsByDefault {
            note(
                "\(collection.name)",
                "\(vectors) vector fields: the target takes more than "
                    + "\(TargetRules.vectorFieldsByDefault) only if its `proxy.maxVectorFieldNum` "
                    + "was raised")
        }
        if collection.schema.fields.count > TargetRules.fieldsByDefault {
            note(
                "\(collection.name)",
                "\(collection.schema.fields.count) fields: the target takes more than "
                    + "\(TargetRules.fieldsByDefault) only if its `proxy.maxFieldNum` was raised")
        }
        return findings
    }

    /// Go servers take letters, digits and _; Lite 3 takes any name [measured] but a few words.
    private func names(_ collection: CollectionDescription) -> [Finding] {
        func refusal(_ subject: String, _ what: String, _ remedy: String) -> Finding {
            Finding(
                .refusal, code: "STO-PLAN-NAME", subject: subject,
                message: "\(server) does not take the name of this \(what)", remedy: remedy)
        }
        let name = collection.name
        var findings = collection.schema.fields.filter { !takesFieldName($0.name) }.map { field in
            refusal(
                "\(name).\(field.name)", "field",
                "Give another with `fields: {\(field.sourceName ?? field.name): {rename: …}}`.")
        }
        guard identity.kind == .milvus else { return findings }
        if !name.database.isMilvusName {
            findings.append(
                refusal(name.database, "database", "Name another one: `target: DATABASE.*`."))
        }
        // Some versions take a dollar in the name of a collection.
        if !name.collection.replacing("$", with: "_").isMilvusName {
            findings.append(
                refusal(
                    "\(name)", "collection",
                    "Give another with `target:`: letters, digits and _, not a digit first."))
        }
        return findings
    }

    private func takesFieldName(_ name: String) -> Bool {
        switch identity.kind {
        case .unknown: true
        case .lite: !FieldName.isReservedByLite(name)
        case .milvus: name.isMilvusName
        }
    }
}
