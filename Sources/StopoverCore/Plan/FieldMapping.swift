/// The fields of a target, from those of a source and what the mapping asks of them. Pure: it says
/// what it refuses and what it notes, and makes as much as it can.
struct FieldMapping {
    let source: CollectionDescription
    let mapping: Mapping
    let rules: TargetRules

    /// Of the target, in the source's order; keys that are kept and promoted ones at the end.
    var fields: [FieldSchema] = []
    /// What is asked of the source.
    var read: [FieldSchema] = []
    var columns: [ColumnMapping] = []
    var promoted: [FieldSchema] = []
    var functions: [FunctionSchema] = []
    var findings: [Finding] = []

    init(_ source: CollectionDescription, _ mapping: Mapping, _ rules: TargetRules) {
        self.source = source
        self.mapping = mapping
        self.rules = rules
        checkNames()
        for field in source.schema.fields where !field.isDynamic { take(field) }
        takeFunctions()
        keepKey()
        takeDynamic()
        choosePartitionKey()
        checkWhole()
    }

    var keepsDynamic: Bool {
        mapping.keepsDynamicFields
            && (source.schema.isDynamicFieldEnabled || mapping.usesServiceDefaults)
    }

    // MARK: Field by field

    private mutating func take(_ field: FieldSchema) {
        let change = mapping.fields[field.name] ?? Mapping.FieldChange()
        if change.isDropped {
            checkDrop(field)
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
        complete(&made)
        fields.append(made)
        // The target makes it again from other fields.
        if field.isFunctionOutput { return }
        read.append(field)
        if !(field.isPrimaryKey && mapping.autoID == .regenerate) {
            var sent = made
            sent.takesNonFinite = rules.takesNonFinite(field.type)
            columns.append(ColumnMapping(read: field, sent: sent))
        }
    }

    private mutating func nullability(
        _ made: inout FieldSchema, of field: FieldSchema, _ change: Mapping.FieldChange
    ) {
        var asked = change.isNullable
        if asked == nil, !field.isNullable, mapping.usesServiceDefaults, isProposedNullable(field) {
            if rules.has(.nullable) {
                asked = true
            } else {
                note(
                    "STO-PLAN-SERVICE-DEFAULTS", field,
                    "\(rules.server) has no nullable fields: this one stays as it is")
            }
        }
        guard let asked, asked != field.isNullable else { return }
        if let reason = fixedNullability(field) {
            refuse(
                field, "\(reason) stays as it is: it cannot be made \(asked ? "" : "not ")nullable",
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

    /// What `defaults: service` makes nullable: scalar fields, but the keys, and what functions
    /// read, for few servers let that be null.
    private func isProposedNullable(_ field: FieldSchema) -> Bool {
        fixedNullability(field) == nil && field.type != .array && !field.isPartitionKey
            && field.name != mapping.partitionKey
            && !source.schema.functions.contains { $0.inputFields.contains(field.name) }
    }

    private func fixedNullability(_ field: FieldSchema) -> String? {
        if field.isPrimaryKey { return "a primary key" }
        let isFixed = field.type.isVector || field.type == .arrayOfStruct
        return isFixed ? "a field of type \(field.type.milvusName)" : nil
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
        guard (1...TargetRules.varcharLimit).contains(length) else {
            refuse(field, "`max_length` is 1 to \(TargetRules.varcharLimit)", "Correct it.")
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
        guard let text = change.defaultValue else {
            if case .string(let value)? = made.defaultValue, !made.holds(value) {
                refuse(
                    field, "its default of \(value.utf8.count) bytes is longer than `max_length`",
                    "Raise `max_length`, or give a shorter `default`.")
            }
            return
        }
        if field.isPrimaryKey {
            refuse(field, "a primary key has no default", "Remove `default` from the field.")
            return
        }
        do throws(DefaultValue.Fault) {
            made.defaultValue = try DefaultValue(text, for: made)
        } catch {
            refuse(field, error.sentence(text, made), "Correct or remove `default` of the field.")
            return
        }
        // Measured on Lite 3, and the page "Nullable & Default" of milvus.io.
        if made.isNullable, field.isNullable {
            note(
                "STO-PLAN-NULLS-FILLED", field,
                "Milvus puts the default in the place of nulls, also of those that are migrated")
        }
    }

    private mutating func complete(_ made: inout FieldSchema) {
        let completed = rules.completed(made)
        made = completed.field
        for (key, value) in completed.added.sorted(by: { $0.key < $1.key }) {
            note(
                "STO-PLAN-COMPLETED", made,
                "the source does not say \(key), and the target wants one: \(value)")
        }
    }

    // MARK: Functions

    private mutating func takeFunctions() {
        for function in source.schema.functions {
            let dropped = function.outputFields.filter(mapping.isDropped)
            guard dropped.isEmpty else {
                for output in function.outputFields where !mapping.isDropped(output) {
                    refuse(
                        "\(source.name).\(output)",
                        "the function \(function.name) makes it together with "
                            + dropped.joined(separator: ", "),
                        "Drop it too: `fields: {\(output): drop}`.")
                }
                note(
                    "STO-PLAN-FUNCTION-DROPPED", "\(source.name)",
                    "the function \(function.name) is left out with its output")
                continue
            }
            var made = function
            made.inputFields = function.inputFields.map(mapping.targetName)
            made.outputFields = function.outputFields.map(mapping.targetName)
            functions.append(made)
            note(
                "STO-PLAN-FUNCTION", "\(source.name)",
                "\(made.outputFields.joined(separator: ", ")) is not copied: the target makes it "
                    + "from \(made.inputFields.joined(separator: ", ")) (function \(made.name))")
        }
    }

    // MARK: Findings

    mutating func refuse(_ field: FieldSchema, _ message: String, _ remedy: String) {
        refuse("\(source.name).\(field.name)", message, remedy)
    }

    mutating func refuse(_ subject: String, _ message: String, _ remedy: String) {
        findings.append(
            Finding(
                .refusal, code: "STO-PLAN-MAPPING", subject: subject, message: message,
                remedy: remedy))
    }

    mutating func note(_ code: String, _ field: FieldSchema, _ message: String) {
        note(code, "\(source.name).\(field.sourceName ?? field.name)", message)
    }

    mutating func note(_ code: String, _ subject: String, _ message: String) {
        findings.append(Finding(.note, code: code, subject: subject, message: message))
    }
}
