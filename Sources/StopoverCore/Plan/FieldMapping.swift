/// The fields of a target, from those of a source and what the mapping asks of them. Pure: it says
/// what it refuses and what it notes, and makes as much as it can.
struct FieldMapping {
    private let source: CollectionDescription
    private let mapping: Mapping
    private let rules: TargetRules

    /// Of the target, in the source's order; keys that are kept and promoted ones at the end.
    private(set) var fields: [FieldSchema] = []
    /// What is asked of the source.
    private(set) var read: [FieldSchema] = []
    private(set) var columns: [ColumnMapping] = []
    private(set) var promoted: [FieldSchema] = []
    private(set) var findings: [Finding] = []

    init(_ source: CollectionDescription, _ mapping: Mapping, _ rules: TargetRules) {
        self.source = source
        self.mapping = mapping
        self.rules = rules
        checkNames()
        for field in source.schema.fields where !field.isDynamic { take(field) }
        keepKey()
        takeDynamic()
        choosePartitionKey()
        checkTarget()
    }

    var keepsDynamic: Bool {
        mapping.keepsDynamicFields
            && (source.schema.isDynamicFieldEnabled || mapping.usesServiceDefaults)
    }

    // MARK: Field by field

    private mutating func take(_ field: FieldSchema) {
        let change = mapping.fields[field.name] ?? Mapping.FieldChange()
        if change.isDropped {
            drop(field)
            return
        }
        var made = field
        if let name = change.name {
            made.name = name
            made.sourceName = field.name
        }
        if field.isPrimaryKey { made.isAutoID = mapping.autoID == .regenerate }
        nullability(&made, of: field, change)
        length(&made, of: field, change)
        defaultValue(&made, of: field, change)
        made = rules.completed(made)
        fields.append(made)
        // The target makes it again from other fields.
        if field.isFunctionOutput { return }
        read.append(field)
        if !(field.isPrimaryKey && mapping.autoID == .regenerate) {
            columns.append(ColumnMapping(read: field, sent: made))
        }
    }

    private mutating func drop(_ field: FieldSchema) {
        if field.isPrimaryKey {
            refuse(
                field, "the primary key cannot be dropped",
                "Remove it from `fields:`; `auto_id: regenerate` gives new keys.")
        }
        if field.isPartitionKey, mapping.partitionKey == nil {
            refuse(
                field, "the partition key cannot be dropped",
                "Remove it from `fields:`, or name another with `partition_key:`.")
        }
        let users = source.schema.functions.filter { function in
            function.inputFields.contains(field.name)
                && function.outputFields.contains { !mapping.isDropped($0) }
        }
        for function in users {
            refuse(
                field, "the function \(function.name) reads this field",
                "Drop the function's output too: "
                    + "`fields: {\(function.outputFields.joined(separator: ", ")): drop}`.")
        }
    }

    private mutating func nullability(
        _ made: inout FieldSchema, of field: FieldSchema, _ change: Mapping.FieldChange
    ) {
        var asked = change.isNullable
        let mayBeProposed =
            !field.isPrimaryKey && !field.type.isVector && !field.isPartitionKey
            && field.name != mapping.partitionKey && ![.array, .arrayOfStruct].contains(field.type)
        if asked == nil, mapping.usesServiceDefaults, mayBeProposed, rules.holdsNulls {
            asked = true
        }
        guard let asked, asked != field.isNullable else { return }
        if field.isPrimaryKey || field.type.isVector || field.type == .arrayOfStruct {
            refuse(
                field,
                "\(field.isPrimaryKey ? "a primary key" : "a field of type \(field.type.milvusName)")"
                    + " stays as it is: it cannot be made \(asked ? "" : "not ")nullable",
                "Remove `nullable` from the field.")
            return
        }
        made.isNullable = asked
        if !asked, change.defaultValue == nil, field.defaultValue == nil {
            note(
                "STO-PLAN-NULLS", field,
                "rows in which it is null do not fit: give `default:`, or they are bad rows "
                    + "(`on_bad_row: \(mapping.onBadRow.rawValue)`)")
        }
    }

    private mutating func length(
        _ made: inout FieldSchema, of field: FieldSchema, _ change: Mapping.FieldChange
    ) {
        guard let length = change.maxLength else { return }
        guard field.type == .varchar || field.elementType == .varchar else {
            refuse(
                field, "`max_length` is for VARCHAR, this is \(field.type.milvusName)",
                "Remove `max_length` from the field.")
            return
        }
        let old = field.typeParams["max_length"].flatMap { Int($0) } ?? TargetRules.varcharLimit
        made.typeParams["max_length"] = "\(length)"
        if length < old {
            note(
                "STO-PLAN-SHORTER", field,
                "max_length goes from \(old) to \(length) bytes: longer values do not fit "
                    + "(`on_bad_row: \(mapping.onBadRow.rawValue)`)")
        }
    }

    private mutating func defaultValue(
        _ made: inout FieldSchema, of field: FieldSchema, _ change: Mapping.FieldChange
    ) {
        guard let text = change.defaultValue else { return }
        if field.isPrimaryKey || (field.name == mapping.partitionKey) {
            refuse(field, "a key has no default", "Remove `default` from the field.")
        } else if let value = DefaultValue(text, for: made) {
            made.defaultValue = value
        } else {
            refuse(
                field,
                "\(text.debugDescription) is no default of \(field.type.milvusName) here: of "
                    + "another type, too long, or for a type that has none",
                "Correct `default` of the field.")
        }
    }

    // MARK: New fields

    private mutating func keepKey() {
        guard let name = mapping.keepKeyAs, let key = source.schema.primaryKey else { return }
        var kept = FieldSchema(name: name, type: key.type)
        kept.typeParams = key.typeParams.filter { $0.key == "max_length" }
        add(kept, "`keep_key_as`")
        columns.append(ColumnMapping(read: key, sent: kept))
    }

    private mutating func takeDynamic() {
        for (name, promotion) in mapping.promotions.sorted(by: { $0.key < $1.key }) {
            var field = FieldSchema(name: name, type: promotion.type)
            field.isNullable = promotion.isNullable
            if promotion.type == .varchar {
                field.typeParams["max_length"] =
                    "\(promotion.maxLength ?? TargetRules.varcharLimit)"
            }
            add(field, "`promote`")
            promoted.append(field)
        }
        guard source.schema.isDynamicFieldEnabled else {
            if !mapping.promotions.isEmpty {
                refuse(
                    "\(source.name)", "there are no dynamic fields to promote",
                    "Remove `promote`.")
            }
            return
        }
        // What is dropped is read all the same, to say which keys in how many rows.
        read.append(.dynamicField)
        if mapping.keepsDynamicFields {
            columns.append(ColumnMapping(read: .dynamicField, sent: .dynamicField))
        } else {
            note(
                "STO-PLAN-DYNAMIC-DROPPED", "\(source.name)",
                "dynamic fields are not migrated (`dynamic_fields: drop`); the result counts rows "
                    + "by key")
        }
    }

    private mutating func add(_ field: FieldSchema, _ why: String) {
        if fields.contains(where: { $0.name == field.name }) {
            refuse(
                "\(source.name).\(field.name)",
                "\(why) makes a field of a name that the target has already",
                "Choose another name, or drop or rename that field.")
            return
        }
        fields.append(field)
    }

    // MARK: The partition key

    private mutating func choosePartitionKey() {
        guard let name = mapping.partitionKey else { return }
        guard let index = fields.firstIndex(where: { ($0.sourceName ?? $0.name) == name }) else {
            refuse(
                "\(source.name).\(name)", "there is no such field to partition by",
                "Correct `partition_key`.")
            return
        }
        let field = fields[index]
        guard [.int64, .varchar].contains(field.type), !field.isPrimaryKey, !field.isNullable
        else {
            let why =
                field.isPrimaryKey
                ? "it is the primary key"
                : field.isNullable ? "it may be null" : "it is \(field.type.milvusName)"
            refuse(
                "\(source.name).\(name)",
                "a partition key is INT64 or VARCHAR and never null: \(why)",
                "Choose another field, or change this one under `fields:`.")
            return
        }
        for other in fields.indices { fields[other].isPartitionKey = other == index }
        for column in columns.indices {
            columns[column].sent.isPartitionKey = columns[column].sent.name == field.name
        }
    }

    // MARK: What does not go together

    private mutating func checkNames() {
        for name in mapping.fields.keys.sorted() where source.schema.field(named: name) == nil {
            refuse(
                "\(source.name).\(name)", "the mapping names a field that the source does not have",
                "Correct the name under `fields:`.")
        }
    }

    private mutating func checkTarget() {
        let names = Dictionary(grouping: fields.map(\.name)) { $0 }.filter { $0.value.count > 1 }
        for name in names.keys.sorted() {
            refuse(
                "\(source.name).\(name)", "two fields would have the name \(name)",
                "Choose another name with `rename`.")
        }
        if source.schema.fields.contains(where: \.type.isVector),
            !fields.contains(where: \.type.isVector)
        {
            refuse(
                "\(source.name)", "the mapping drops every vector field",
                "Milvus wants at least one: keep one under `fields:`.")
        }
        if mapping.loads, mapping.indexes == .none {
            refuse(
                "\(source.name)", "a collection without indexes cannot be loaded",
                "Remove `load: true` or `indexes: none`.")
        }
    }

    private mutating func refuse(_ field: FieldSchema, _ message: String, _ remedy: String) {
        refuse("\(source.name).\(field.name)", message, remedy)
    }

    private mutating func refuse(_ subject: String, _ message: String, _ remedy: String) {
        findings.append(
            Finding(
                .refusal, code: "STO-PLAN-MAPPING", subject: subject, message: message,
                remedy: remedy))
    }

    private mutating func note(_ code: String, _ field: FieldSchema, _ message: String) {
        note(code, "\(source.name).\(field.name)", message)
    }

    private mutating func note(_ code: String, _ subject: String, _ message: String) {
        findings.append(Finding(.note, code: code, subject: subject, message: message))
    }
}
